import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { familySize, type MlpFusionConfig, parseJobSpec } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { parametersOf } from '../src/model/family-model.js';
import { arrayDataset, type StoredDataset } from './array-dataset.js';
import { initialOf, largestError, type RowOf, rowsIn, trainAs } from './training-steps.js';

const fixture = JSON.parse(readFileSync(new URL('fixtures/tokens.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	outputs: number;
	learningRate: number;
	config: MlpFusionConfig;
	modalities: ModalityShape[];
	x: Record<string, number[]>;
	mask: Record<string, number[]>;
	y: number[];
	initial: Record<string, number[]>;
	losses: number[];
	final: Record<string, number[]>;
};

describe('trained vectors of tokens', () => {
	it.each([
		['scan', fixture.steps],
		['in place', 20],
	] as const)('follow EmbeddingBag of PyTorch in float64 for 60 steps, %s', async (by, chunk) => {
		const { batch, steps, rows, outputs, modalities, learningRate, config, x, mask, y, initial, final } = fixture;
		const ofModality = ({ name, shape, maskedSteps }: ModalityShape): Array<[string, RowOf]> => {
			const marks = maskedSteps ? rowsIn(mask[name]!, shape[0]!) : null;
			return [
				[`x.${name}`, rowsIn(x[name]!, sizeOf(shape))],
				...(marks === null ? [] : [[`mask.${name}`, marks] satisfies [string, RowOf]]),
				[`w.${name}`, (row) => [marks === null || Array.from(marks(row)).includes(1) ? 1 : 0]],
			];
		};
		const { losses, parameters } = await trainAs(
			{
				...{ batch, steps, rows, learningRate },
				architecture: familyArchitecture({ config, modalities, outputs }),
				loss: 'cross_entropy',
				initial: initialOf(initial),
				inputs: {
					...Object.fromEntries(modalities.flatMap(ofModality)),
					target: (row) => Array.from({ length: outputs }, (_, i) => (y[row] === i ? 1 : 0)),
				},
			},
			chunk,
			by,
		);
		// float32 against float64: rounding of some 1e-7 a step, grown over 60 steps
		expect(largestError(losses, fixture.losses)).toBeLessThan(5e-4);
		expect([...parameters.keys()].sort()).toEqual(Object.keys(final).sort());
		for (const [name, values] of Object.entries(final))
			expect(largestError(parameters.get(name)!.data as Float32Array, values), name).toBeLessThan(5e-3);
	});
});

const ROWS = 120;
const [TOKENS, IDS] = [6, 30];

/** Rows of which the label says whether token 7 is among those that are there. */
function rowsOf(seed: number): { ids: BigInt64Array; mask: Uint8Array; labels: Int32Array } {
	const ids = new BigInt64Array(ROWS * TOKENS);
	const mask = new Uint8Array(ROWS * TOKENS);
	const labels = new Int32Array(ROWS);
	for (let row = 0; row < ROWS; row++) {
		const length = row % 17 === 0 ? 0 : 1 + ((row * 7 + seed) % TOKENS);
		labels[row] = length > 0 && row % 2 === 0 ? 1 : 0;
		for (let i = 0; i < length; i++) {
			const drawn = ((row * 7919 + i * 104_729 + seed) % (IDS - 8)) + 8;
			ids[row * TOKENS + i] = BigInt(labels[row] === 1 && i === row % length ? 7 : drawn);
			mask[row * TOKENS + i] = 1;
		}
	}
	return { ids, mask, labels };
}

describe('a job on a modality of tokens', () => {
	let dataset: StoredDataset;
	beforeAll(async () => {
		const arrays = ['train', 'test'].flatMap((split, seed) => {
			const { ids, mask, labels } = rowsOf(seed);
			const other = Float32Array.from({ length: ROWS }, (_, row) => (row * 37) % 11);
			return [
				[`${split}_note`, { shape: [ROWS, TOKENS], data: ids }] as const,
				[`${split}_note_mask`, { shape: [ROWS, TOKENS], data: mask }] as const,
				[`${split}_other`, { shape: [ROWS, 1], data: other }] as const,
				[`${split}_labels`, { shape: [ROWS], data: labels }] as const,
			];
		});
		const manifest = { task: { type: 'binary' }, modalities: { note: { tokens: IDS }, other: {} } };
		dataset = await arrayDataset(Object.fromEntries(arrays), manifest);
	});
	afterAll(() => dataset.remove());

	it.each([
		['mlp-fusion', { hidden: 16 }],
		['mmim-moe', { width: 16, layers: 1, experts: 4, expert_hidden: 16, sequence: { hidden: 4 } }],
		['fuse-moe', { width: 16, heads: 2, layers: 1, experts: 4, expert_hidden: 16 }],
	])('of %s learns which token matters, and its model takes the ids', async (family, config) => {
		const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		try {
			const spec = parseJobSpec({
				dataset: 'ds_1',
				device: 'cpu',
				model: { family, token_width: 8, ...config },
				training: { epochs: 40, batch_size: 16, optimizer: { learning_rate: 0.01 }, threads: 1 },
				evaluation: { robustness: true },
			});
			const outcome = await train({ spec, dataset: dataset.folder, output, earlier: [], emit: () => {}, stopped: () => false });
			if (outcome.status !== 'done') throw new Error('stopped');
			const reported = outcome.result.metrics['test']?.['accuracy'] as number;
			// one row in two has the label
			expect(reported).toBeGreaterThan(0.8);
			const session = await createSession(new Uint8Array(await readFile(join(output, 'model.onnx'))));
			expect(session.inputs.find(({ name }) => name === 'x.note')).toMatchObject({ dtype: 'int64', shape: ['batch', TOKENS] });
			const { ids, mask, labels } = rowsOf(1);
			const given = await session.run({
				'x.note': tensor('int64', [ROWS, TOKENS], ids),
				'mask.note': tensor('float32', [ROWS, TOKENS], Float32Array.from(mask)),
				'x.other': tensor(
					'float32',
					[ROWS, 1],
					Float32Array.from({ length: ROWS }, (_, row) => (row * 37) % 11),
				),
			});
			await session.release();
			const hits = Array.from((given['prediction'] as Tensor).data, Number).filter((predicted, row) => predicted === labels[row]);
			expect(hits.length / ROWS).toBeCloseTo(reported, 12);
		} finally {
			await rm(output, { recursive: true });
		}
	});

	it('is estimated with its table', () => {
		const { model } = parseJobSpec({ dataset: 'ds_1', model: { family: 'mlp-fusion', token_width: 8 } });
		const modalities = [{ name: 'note', shape: [TOKENS], maskedSteps: true, tokens: IDS }];
		const config = model as MlpFusionConfig;
		const count = parametersOf({ config, modalities, outputs: 1 }).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
		expect(familySize(config, modalities, 1)?.parameters).toBe(count);
	});
});
