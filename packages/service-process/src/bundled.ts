import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** When a file was written, in milliseconds since 1970; null where there is none. */
const writtenAt = (file: string): number | null => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;

const namesIn = (folder: string): string[] => (writtenAt(folder) === null ? [] : readdirSync(folder));

/** What the bundles of a workspace are made from and by: the compiler's record in each package, what was installed, and the program that makes them. */
const sourcesIn = (workspace: string): string[] => [
	...['packages', 'services', 'models'].flatMap((group) =>
		namesIn(join(workspace, group)).map((name) => join(workspace, group, name, 'dist', '.tsbuildinfo')),
	),
	join(workspace, 'pnpm-lock.yaml'),
	join(workspace, 'bin', 'bundle.js'),
	join(workspace, 'bin', 'build-bundle.js'),
];

/**
 * The program that a process of the service runs: of a compiled file `<service>/dist/<name>.js` the bundle `<service>/bundle/<name>.js`, in which a thousand small
 * files are a few, so that the process is there in a quarter of the time. It is the compiled file itself where there is no bundle, and where something of the
 * workspace was compiled after the bundle was made. `bin/bundle.js` makes the bundles.
 */
export function bundled(file: string): string {
	const compiled = file.lastIndexOf(join('/', 'dist', '/'));
	const service = file.slice(0, compiled);
	const bundle = join(service, 'bundle', basename(file));
	const made = compiled === -1 ? null : writtenAt(bundle);
	if (made === null) return file;
	const workspace = dirname(dirname(service));
	// Where the service was deployed out of its workspace, nothing is compiled any more.
	if (writtenAt(join(workspace, 'pnpm-workspace.yaml')) === null) return bundle;
	return sourcesIn(workspace).every((source) => (writtenAt(source) ?? 0) <= made) ? bundle : file;
}
