import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type * as Contracts from '@steelyard/contracts';
import type * as Onnx from '@steelyard/onnx';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['contracts', 'trainer'];

/** What the copy's `weigher-of.ts` exports, for a preset that this checkout does not have. */
type WeigherOf = (
	weighting: { preset: string },
	task: Contracts.TaskProfile,
	seed: number,
) => {
	weigh: (examples: object, statistics: null) => Promise<{ weights: Float32Array }>;
	graph: (
		g: Onnx.GraphBuilder,
		inputs: { unimodal: Onnx.Value[]; present: Onnx.Value; fused: (weights: Onnx.Value) => Onnx.Value },
		statistics: null,
	) => { weights: Onnx.Value };
};

let folder: string;
let diff: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-preset-'));
	const page = await readFile(join(root, 'docs/adding-a-weighting-preset.md'), 'utf8');
	diff = /```diff\n(.*?)```/s.exec(page)?.[1] ?? '';
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Applies the diff to a copy of the sources and compiles the copy; what is compiled finds all other packages where this checkout has them. */
async function build(): Promise<void> {
	await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
	for (const name of PACKAGES) {
		await cp(join(root, 'packages', name, 'src'), join(folder, 'packages', name, 'src'), { recursive: true });
		await cp(join(root, 'packages', name, 'package.json'), join(folder, 'packages', name, 'package.json'));
		await mkdir(join(folder, 'out', name), { recursive: true });
		for (const place of ['packages', 'out'])
			await symlink(join(root, 'packages', name, 'node_modules'), join(folder, place, name, 'node_modules'));
		await writeFile(join(folder, 'out', name, 'package.json'), '{"type": "module"}');
	}
	await writeFile(join(folder, 'sample.diff'), diff);
	await run('git', ['apply', 'sample.diff'], { cwd: folder, env: { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() } });
	await writeFile(
		join(folder, 'tsconfig.json'),
		JSON.stringify({
			extends: join(root, 'tsconfig.base.json'),
			compilerOptions: {
				composite: false,
				rootDir: 'packages',
				outDir: 'out',
				paths: { '@steelyard/contracts': ['./packages/contracts/src/index.ts'] },
			},
			include: ['packages/*/src'],
		}),
	);
	await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch(({ stdout }: { stdout: string }) => expect.fail(stdout));
}

const imported = async (path: string): Promise<unknown> => import(pathToFileURL(join(folder, 'out', path)).href);

describe('the sample preset of docs/adding-a-weighting-preset.md', () => {
	it('touches one new folder, one table and one schema', () => {
		const changes = [...diff.matchAll(/^--- (\S+)\n\+\+\+ b\/(\S+)$/gm)].map(([, before, after]) => [after, before === '/dev/null']);
		expect(changes).toEqual([
			['packages/contracts/src/weighting.ts', false],
			['packages/trainer/src/weighting/certainty/certainty.ts', true],
			['packages/trainer/src/weighting/presets.ts', false],
		]);
		expect(diff.match(/^-(?!--)/gm)).toBeNull();
	});

	it('compiles, is taken in a job, and weighs alike on the host and in the graph', async () => {
		await build();
		const { parseJobSpec } = (await imported('contracts/src/index.js')) as typeof Contracts;
		const { weighting } = parseJobSpec({ dataset: 'ds_1', weighting: { preset: 'certainty' } });
		expect(() => parseJobSpec({ dataset: 'ds_1', weighting: { preset: 'certainty', folds: 3 } })).toThrow(
			'weighting.folds means nothing to certainty, which has no choices',
		);

		const { weigherOf } = (await imported('trainer/src/weighting/weigher-of.js')) as { weigherOf: WeigherOf };
		const unimodal = [Float32Array.of(2, 0, -1, 0, 0, 0), Float32Array.of(0, 5, 0, 1, 1, 3)];
		const present = [null, Uint8Array.of(1, 0)];
		const weigher = weigherOf(weighting, { type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 }, 1);
		const { weights } = await weigher.weigh({ count: 2, unimodal, present, fused: async () => new Float32Array(6) }, null);
		expect(weights[0]).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 1 + Math.exp(-1)), 6);
		expect(weights[3]).toBe(0);

		const g = new GraphBuilder();
		const inputs = {
			unimodal: unimodal.map((_, m) => g.input(`u.${m}`, 'float32', ['batch', 3])),
			present: g.input('present', 'float32', ['batch', 2]),
			fused: (given: Onnx.Value) => given,
		};
		g.output('weights', weigher.graph(g, inputs, null).weights);
		const session = await createSession(encodeModel({ graph: g.build('certainty'), opset: OPSET }));
		const feeds: Record<string, Tensor> = { present: tensor('float32', [2, 2], Float32Array.of(1, 1, 1, 0)) };
		unimodal.forEach((data, m) => {
			feeds[`u.${m}`] = tensor('float32', [2, 3], data);
		});
		const found = (await session.run(feeds))['weights']!.data as Float32Array;
		await session.release();
		weights.forEach((weight, at) => expect(found[at]).toBeCloseTo(weight, 6));
	});
});
