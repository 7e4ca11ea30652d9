import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldErrors, JobResult, parseJobSpec } from '@steelyard/contracts';
import { counterRandom } from '@steelyard/random';
import { createSession } from '@steelyard/runtime';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { arrayDataset, type Npy } from './array-dataset.js';
import { embeddingGraph } from './embedding-graph.js';

const ROWS = { train: 40, valid: 300, test: 300 };

let root = '';
let runs = 0;
const remove: Array<() => Promise<void>> = [];
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
});
afterAll(async () => {
	for (const each of remove) await each();
	await rm(root, { recursive: true });
});

/** Modalities `ids` [2], whole numbers below 8 that tell the label, and `a` [3], noise; `bad` replaces the first number of one row. */
async function tokens(bad: { split: keyof typeof ROWS; row: number; modality: 'ids' | 'a'; value: number } | null) {
	const random = counterRandom(5, 'tokens');
	const arrays: Record<string, Npy> = {};
	for (const [split, rows] of Object.entries(ROWS)) {
		const labels = Int32Array.from({ length: rows }, (_, i) => i % 2);
		const ids = Float32Array.from({ length: rows * 2 }, (_, at) => labels[Math.floor(at / 2)]! * 4 + Math.floor(random.uniform() * 4));
		const a = Float32Array.from({ length: rows * 3 }, () => random.normal());
		if (bad?.split === split) (bad.modality === 'ids' ? ids : a)[bad.row * (bad.modality === 'ids' ? 2 : 3)] = bad.value;
		arrays[`${split}_ids`] = { shape: [rows, 2], data: ids };
		arrays[`${split}_a`] = { shape: [rows, 3], data: a };
		arrays[`${split}_labels`] = { shape: [rows], data: labels };
	}
	const dataset = await arrayDataset(arrays);
	remove.push(dataset.remove);
	return dataset.folder;
}

async function run(dataset: string, weighting: object) {
	const output = join(root, String(runs++));
	await mkdir(output);
	const model = `${output}.onnx`;
	await writeFile(model, embeddingGraph(true));
	const outcome = await train({
		spec: parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { family: 'custom', model: 'mdl_1', inputs: { ids: 'ids', a: 'x' }, output: 'logits' },
			weighting,
			training: { epochs: 3, batch_size: 8, optimizer: { learning_rate: 0.01 } },
		}),
		dataset,
		model,
		output,
		emit: () => {},
		stopped: () => false,
	});
	if (outcome.status !== 'done') throw new Error('stopped');
	expect(fieldErrors(JobResult, outcome.result)).toEqual([]);
	return { ...outcome, output };
}

const BAD = [
	[
		'an id that the table does not have',
		{ modality: 'ids', value: 99 },
		/row 261 \(counted from 0\) of the split test: .*(indices|idx|99)/s,
	],
	['a number whose output is not finite', { modality: 'a', value: -5000 }, /row 261 .* its output there is NaN/],
] as const;

describe('a row that the trained model cannot judge', () => {
	for (const [what, bad, said] of BAD)
		for (const preset of ['uniform', 'btw'] as const)
			it(`in a split of no say is warned of, and the model is kept: ${what}, ${preset}`, async () => {
				const dataset = await tokens({ split: 'test', row: 261, ...bad });
				const { result, artifacts, output } = await run(dataset, preset === 'btw' ? { preset, refresh_epochs: 1 } : { preset });
				const failures = result.warnings!.filter(({ code }) => code === 'evaluation_failed');
				expect(failures).toMatchObject([{ code: 'evaluation_failed', split: 'test', row: 261, message: expect.stringMatching(said) }]);
				expect(Object.keys(result.metrics)).toEqual(['train', 'validation']);
				expect(artifacts).toEqual(expect.arrayContaining(['model.onnx', 'explanation.parquet', 'diagnostics.json']));
				await (await createSession(join(output, 'model.onnx'))).release();
				const bytes = new Uint8Array(await readFile(join(output, 'explanation.parquet')));
				const splits = (await parquetReadObjects({ file: bytes.buffer })).map(({ split }) => split);
				expect([...new Set(splits)]).toEqual(['train', 'validation']);
				expect(splits).toHaveLength(ROWS.train + ROWS.valid);
			});

	it('in the validation split fails the job, which names it', async () => {
		for (const [, bad] of BAD) {
			const dataset = await tokens({ split: 'valid', row: 17, ...bad });
			await expect(run(dataset, { preset: 'uniform' })).rejects.toMatchObject({
				code: 'training_failed',
				message: expect.stringMatching(/row 17 \(counted from 0\) of the split valid/),
			});
		}
	});

	it('is not there where every row can be judged', async () => {
		const { result } = await run(await tokens(null), { preset: 'uniform' });
		expect(Object.keys(result.metrics)).toEqual(['train', 'validation', 'test']);
		expect(result.warnings!.map(({ code }) => code)).not.toContain('evaluation_failed');
	});
});
