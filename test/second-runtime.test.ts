import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseJobSpec } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { train } from '@steelyard/trainer';
import { describe, expect, it } from 'vitest';
import { smallDataset } from '../packages/trainer/test/small-dataset.js';
import { refusedBySomeRuntime, wasmRuntime } from './every-runtime.js';

describe('an exported model', () => {
	const cases = [
		...(['binary', 'multiclass', 'multilabel', 'regression'] as const).flatMap((kind) => [
			{ kind, model: { hidden: 16 }, weighting: { preset: 'btw', refresh_epochs: 2 } },
			{ kind, model: { hidden: 16 }, weighting: { preset: 'consensus', folds: 2 } },
		]),
		{ kind: 'multiclass', model: { hidden: 16 }, weighting: { preset: 'qmf' } },
		{
			kind: 'binary',
			model: { family: 'mmim-moe', width: 16, experts: 4, expert_hidden: 16 },
			weighting: { preset: 'btw', refresh_epochs: 2 },
		},
		{
			kind: 'binary',
			model: { family: 'fuse-moe', width: 16, heads: 4, experts: 4, expert_hidden: 16 },
			weighting: { preset: 'consensus', folds: 2 },
		},
	] as const;
	for (const { kind, model, weighting } of cases)
		it(`says the same in a second runtime: ${kind}, ${'family' in model ? model.family : 'mlp-fusion'} under ${weighting.preset}`, async () => {
			const { folder, remove } = await smallDataset(kind);
			const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
			try {
				const spec = parseJobSpec({
					dataset: 'ds_1',
					device: 'cpu',
					model,
					weighting,
					training: { epochs: 6, batch_size: 16 },
				});
				await train({ spec, dataset: folder, output, emit: () => {}, stopped: () => false });
				const bytes = await readFile(join(output, 'model.onnx'));
				expect(await refusedBySomeRuntime({ [kind]: bytes })).toEqual([]);
				const test = openDataset(folder).split('test');
				const rows = Array.from({ length: test.rows }, (_, row) => row);
				const gathered = (name: string, shape: number[]): Tensor => {
					const data = new Float32Array(test.rows * shape.reduce((a, b) => a * b, 1));
					test.gather(name, rows, data);
					return tensor('float32', [test.rows, ...shape], data);
				};
				const feeds: Record<string, Tensor> = {
					'x.a': gathered('a', [6]),
					'x.b': gathered('b', [3, 2]),
					'x.c': gathered('c', [2]),
					'mask.b': tensor('float32', [test.rows, 3], Array.from(test.mask('b')!)),
					'mask.c': tensor('float32', [test.rows], Array.from(test.mask('c')!)),
				};
				const ours = await createSession(bytes);
				const here = await ours.run(feeds);
				await ours.release();
				const ort = await wasmRuntime();
				const there = await (await ort.InferenceSession.create(new Uint8Array(bytes))).run(
					Object.fromEntries(Object.entries(feeds).map(([name, { dtype, data, shape }]) => [name, new ort.Tensor(dtype, data, shape)])),
				);
				expect(Object.keys(there).sort()).toEqual(Object.keys(here).sort());
				for (const [name, { data }] of Object.entries(here)) {
					const other = Array.from(there[name]!.data, Number);
					// float32 in another order of summation
					Array.from(data as ArrayLike<number | bigint>, Number).forEach((value, i) => {
						expect(Math.abs(value - other[i]!), `${name}[${i}]`).toBeLessThan(1e-4 * (1 + Math.abs(value)));
					});
				}
			} finally {
				await rm(output, { recursive: true });
				await remove();
			}
		});
});
