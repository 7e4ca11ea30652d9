// Makes of each service's programs one bundle: a process that reads a few files starts in a quarter of the time that one takes which reads a thousand.
// Run it after `tsc -b`; nothing is done where nothing was compiled since. `packages/service-process/src/bundled.ts` says when a bundle is run.
import { existsSync, mkdtempSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundled } from '../packages/service-process/dist/bundled.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The programs of each service, by their compiled files, and the packages through which the service comes to ONNX Runtime. What is left out is small, or is not started by a service. */
const SERVICES = {
	api: { programs: ['main.js', 'datasets/read-child.js', 'datasets/rows-child.js'], engine: ['@steelyard/features', '@steelyard/runtime'] },
	worker: { programs: ['main.js', 'trainer-child.js', 'predict-child.js', 'inspect-child.js'], engine: ['@steelyard/runtime'] },
};

/** The programs of packages, by their folders and compiled files, and the files that start them by a path from their own: in a bundle they lie beside them. */
const STARTED = [
	{ folder: 'packages/runtime', program: 'webgpu-probe.js', by: 'devices.js' },
	{ folder: 'packages/dataset', program: 'read-ahead-thread.js', by: 'read-ahead.js' },
];

/** Packages that find files beside their own: the page, and that of the API's description. */
const APART = ['@steelyard/dashboard', '@fastify/swagger-ui'];

/** Packages of CommonJS call `require`, which a module does not have by itself. */
const REQUIRE = "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);";

/** ONNX Runtime and what calls its C interface are libraries in files of their own, and none of the service's own dependencies: they are found by way of the packages that lead to it. */
const engineBy = (packages) => ({
	name: 'engine',
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^(onnxruntime-node|koffi)$/ }, ({ path }) => ({ path, namespace: 'engine' }));
		onLoad({ filter: /.*/, namespace: 'engine' }, ({ path }) => ({
			contents: `module.exports = ${JSON.stringify(packages)}.reduce((from, name) => requireOf(from.resolve(name)), require)(${JSON.stringify(path)});`,
		}));
	},
});

/** The trainer reads its version from the manifest of its package, which does not lie beside a bundle. It is written into it. */
const version = {
	name: 'version',
	setup({ onLoad }) {
		onLoad({ filter: /[\\/]trainer[\\/]dist[\\/]job[\\/]version\.js$/ }, async ({ path }) => {
			const { VERSION } = await import(pathToFileURL(path).href);
			return { contents: `export const VERSION = ${JSON.stringify(VERSION)};` };
		});
	},
};

const starters = {
	name: 'starters',
	setup({ onLoad }) {
		onLoad({ filter: /[\\/]dist[\\/](devices|read-ahead)\.js$/ }, async ({ path }) => {
			const one = STARTED.find(({ folder, by }) => path === join(root, folder, 'dist', by));
			if (one === undefined) return undefined;
			const [there, beside] = [`'../dist/${one.program}'`, `'./${one.program}'`];
			const contents = await readFile(path, 'utf8');
			if (!contents.includes(there)) throw new Error(`${path} does not start ${there}`);
			return { contents: contents.replace(there, beside) };
		});
	},
};

async function bundle(service, { programs, engine }) {
	const folder = join(root, 'services', service);
	const files = programs.map((name) => join(folder, 'dist', name));
	// A build of one service alone, such as that of an image, has not compiled the other.
	if (!files.every((file) => existsSync(file))) return;
	if (files.every((file) => bundled(file) !== file)) return;
	const begun = new Date();
	const made = mkdtempSync(join(folder, 'dist', 'bundle-'));
	await build({
		entryPoints: [...files, ...STARTED.map((one) => join(root, one.folder, 'dist', one.program))],
		outdir: made,
		entryNames: '[name]',
		bundle: true,
		splitting: true,
		format: 'esm',
		platform: 'node',
		target: 'node20.19',
		// Some packages have a form for bundlers, whose parts can be told apart.
		mainFields: ['module', 'main'],
		external: APART,
		plugins: [engineBy(engine), version, starters],
		banner: { js: REQUIRE },
		logLevel: 'warning',
	});
	// What is compiled while a bundle is made may be missing in it.
	for (const name of programs) utimesSync(join(made, basename(name)), begun, begun);
	const target = join(folder, 'bundle');
	rmSync(target, { recursive: true, force: true });
	renameSync(made, target);
}

for (const [service, parts] of Object.entries(SERVICES)) await bundle(service, parts);
