import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkLayers, type Violation } from './layers.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a tool of the workspace; resolves to what it said when it failed, to the empty string when it was content. */
function complaints(binary: string, args: readonly string[]): Promise<string> {
	return new Promise((resolve) => {
		execFile(
			process.execPath,
			[join(root, 'node_modules', binary), ...args],
			{ cwd: root, maxBuffer: 1 << 26 },
			(error, stdout, stderr) => {
				resolve(error === null ? '' : `${stdout}${stderr}` || error.message);
			},
		);
	});
}

describe('the workspace', () => {
	test('keeps to its layers, faces and declared dependencies', () => {
		expect(checkLayers(root)).toEqual([]);
	});

	test('has nothing that the linter objects to', async () => {
		expect(await complaints('oxlint/bin/oxlint', [])).toBe('');
	});

	test('has tests that type-check', async () => {
		expect(await complaints('typescript/bin/tsc', ['-p', 'tsconfig.test.json', '--pretty', 'false'])).toBe('');
	});
});

describe('the check of layers', () => {
	let tree: string;

	beforeEach(() => {
		tree = mkdtempSync(join(tmpdir(), 'steelyard-layers-'));
	});

	afterEach(() => {
		rmSync(tree, { recursive: true, force: true });
	});

	function write(path: string, content: string): void {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), content);
	}

	/** A package that breaks no rule by itself: manifest, face, README and references that agree with the dependencies. */
	function addPackage(
		folder: string,
		dependencies: readonly string[],
		sources: Record<string, string>,
		exports: Record<string, unknown> = {},
	): void {
		const name = `@steelyard/${folder.split('/')[1]}`;
		const manifest = {
			name,
			exports: { '.': { default: './dist/index.js' }, './internal/*': null, ...exports },
			dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, '*'])),
		};
		const workspace = dependencies
			.filter((dependency) => dependency.startsWith('@steelyard/'))
			.map((dependency) => dependency.slice('@steelyard/'.length));
		const groupOf = (target: string) =>
			['api', 'worker', 'cli'].includes(target) ? 'services' : target === 'mlp-fusion' ? 'models' : 'packages';
		write(`${folder}/package.json`, JSON.stringify(manifest));
		write(
			`${folder}/tsconfig.json`,
			JSON.stringify({ references: workspace.map((target) => ({ path: `../../${groupOf(target)}/${target}` })) }),
		);
		write(`${folder}/README.md`, name);
		for (const [path, source] of Object.entries({ 'index.ts': 'export {};', ...sources })) write(`${folder}/src/${path}`, source);
	}

	function rules(): string[] {
		return checkLayers(tree).map(({ rule, where }: Violation) => `${rule}: ${where}`);
	}

	test('is content with a sound tree', () => {
		addPackage('packages/contracts', [], {});
		addPackage('packages/runtime', ['onnxruntime-node'], { 'index.ts': "export { InferenceSession } from 'onnxruntime-node';" });
		addPackage('packages/onnx', ['@steelyard/runtime'], {
			'index.ts': "export { run } from './run.js';",
			'run.ts': "import '@steelyard/runtime'; export const run = 1;",
		});
		addPackage('packages/queue', ['@steelyard/contracts'], {
			'index.ts':
				"import { readFileSync } from 'node:fs'; import type { Job } from '@steelyard/contracts'; export const read = (job: Job) => readFileSync(job);",
		});
		addPackage('services/api', ['@steelyard/queue'], { 'index.ts': "export { read } from '@steelyard/queue';" }, { './main': {} });
		addPackage('services/cli', ['@steelyard/api'], { 'index.ts': "export const entry = import.meta.resolve('@steelyard/api/main');" });
		expect(checkLayers(tree)).toEqual([]);
	});

	test('finds an import upwards, in the manifest and in the source', () => {
		addPackage('packages/trainer', [], {});
		addPackage('packages/optim', ['@steelyard/trainer'], {
			'index.ts': "import { train } from '@steelyard/trainer'; export const step = train;",
		});
		expect(rules()).toEqual(['layer: packages/optim/package.json', 'layer: packages/optim/src/index.ts']);
	});

	test('finds siblings that import each other', () => {
		addPackage('packages/store', [], {});
		addPackage('packages/dataset', ['@steelyard/store'], { 'index.ts': "export * from '@steelyard/store';" });
		expect(rules()).toEqual(['layer: packages/dataset/package.json', 'layer: packages/dataset/src/index.ts']);
	});

	test('finds contracts that import another package', () => {
		addPackage('packages/runtime', [], {});
		addPackage('packages/contracts', ['@steelyard/runtime'], { 'index.ts': "export type Device = import('@steelyard/runtime').Device;" });
		expect(rules()).toEqual(['layer: packages/contracts/package.json', 'layer: packages/contracts/src/index.ts']);
	});

	test('finds a cycle between packages', () => {
		addPackage('packages/queue', ['@steelyard/client'], { 'index.ts': "import '@steelyard/client';" });
		addPackage('packages/client', ['@steelyard/queue'], { 'index.ts': "import '@steelyard/queue';" });
		expect(
			checkLayers(tree)
				.filter(({ rule }) => rule === 'cycle')
				.map(({ what }) => what),
		).toEqual(['client → queue → client']);
	});

	test('finds an import that package.json does not declare, also a dynamic one', () => {
		addPackage('packages/store', [], { 'index.ts': "export const load = () => import('fast-npy');" });
		expect(rules()).toEqual(['undeclared: packages/store/src/index.ts']);
	});

	test('finds an import into the inside of a package', () => {
		addPackage('packages/onnx', [], {});
		addPackage('packages/optim', ['@steelyard/onnx'], { 'index.ts': "export * from '@steelyard/onnx/dist/graph.js';" });
		expect(rules()).toEqual(['deep import: packages/optim/src/index.ts']);
	});

	test('finds a relative path out of the package', () => {
		addPackage('packages/optim', [], { 'index.ts': "export * from '../../onnx/src/graph.js';" });
		expect(rules()).toEqual(['outside: packages/optim/src/index.ts']);
	});

	test('finds a service that holds code of another service', () => {
		addPackage('services/api', [], {}, { './main': {} });
		addPackage('services/cli', ['@steelyard/api'], {
			'index.ts': "import { buildApp } from '@steelyard/api'; export const app = buildApp;",
		});
		expect(rules()).toEqual(['layer: services/cli/src/index.ts']);
	});

	test('finds an API whose own process loads the engine through another package', () => {
		addPackage('packages/runtime', [], {});
		addPackage('packages/dataset', ['@steelyard/runtime'], { 'index.ts': "import '@steelyard/runtime';" });
		addPackage('services/api', ['@steelyard/dataset'], { 'index.ts': "import '@steelyard/dataset';" });
		expect(rules()).toEqual(['engine: services/api/src/index.ts', 'strangers: services/api/src/index.ts']);
	});

	test("finds a worker whose parent process loads the engine, and lets its child's entry and types be", () => {
		addPackage('packages/runtime', [], {});
		addPackage('services/worker', ['@steelyard/runtime'], {
			'main.ts':
				"import type { Device } from '@steelyard/runtime'; import { start } from './worker.js'; export const main = (device: Device) => start(device);",
			'worker.ts': "import { probe } from '@steelyard/runtime'; export const start = probe;",
			'probe-child.ts': "import { probe } from '@steelyard/runtime'; probe();",
		});
		expect(rules()).toEqual(['engine: services/worker/src/worker.ts']);
	});

	test('finds an API that reads datasets in its own process, and lets its child do so', () => {
		addPackage('packages/dataset', [], {});
		addPackage('services/api', ['@steelyard/dataset'], {
			'main.ts': "import { read } from './reader.js'; export const main = read;",
			'reader.ts': "import { ingest } from '@steelyard/dataset'; export const read = ingest;",
			'read-child.ts': "import { ingest } from '@steelyard/dataset'; ingest();",
		});
		expect(rules()).toEqual(['strangers: services/api/src/reader.ts']);
	});

	test('finds a dependency that nobody imports and a project reference that is missing', () => {
		addPackage('packages/runtime', [], {});
		addPackage('packages/onnx', ['@steelyard/runtime', 'left-pad'], { 'index.ts': "import '@steelyard/runtime';" });
		write('packages/onnx/tsconfig.json', '{}');
		expect(rules()).toEqual(['reference: packages/onnx/tsconfig.json', 'unused: packages/onnx/package.json']);
	});

	test('finds a missing README, a second door, a default export and a package without a layer', () => {
		addPackage('packages/store', [], { 'index.ts': 'export default 1;' }, { './local': {} });
		rmSync(join(tree, 'packages/store/README.md'));
		addPackage('packages/helpers', [], {});
		expect(rules()).toEqual([
			'layer: packages/helpers',
			'face: packages/store/package.json',
			'readme: packages/store/README.md',
			'face: packages/store/src/index.ts',
		]);
	});
});
