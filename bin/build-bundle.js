// Makes one bundle of compiled programs: what `bundle.js` makes of the services, and the bench of what it measures as a service runs it.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

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

/**
 * Bundles compiled programs, and what they start by a path, into a folder, in which each has the name of its file. `engine` are the packages through which the folder comes
 * to ONNX Runtime.
 */
export const buildBundle = (programs, { outdir, engine }) =>
	build({
		entryPoints: [...programs, ...STARTED.map((one) => join(root, one.folder, 'dist', one.program))],
		outdir,
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
