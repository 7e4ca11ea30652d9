import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobWarning, parseJobSpec, type WarningCode } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { counterRandom } from '@steelyard/random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { withBorrowed } from '../src/model/borrowed.js';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';
import { embeddingGraph } from './embedding-graph.js';
import { smallDataset } from './small-dataset.js';

let root = '';
let runs = 0;
const stored: StoredDataset[] = [];
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
});
afterAll(async () => {
	for (const each of stored) await each.remove();
	await rm(root, { recursive: true });
});

/** The warnings of one kind that a job ends with. */
async function warned(code: WarningCode, dataset: StoredDataset, spec: object, model?: Uint8Array): Promise<JobWarning[]> {
	stored.push(dataset);
	const output = join(root, String(runs++));
	await mkdir(output);
	if (model !== undefined) await writeFile(`${output}.onnx`, model);
	const outcome = await train({
		spec: parseJobSpec({ dataset: 'ds_1', device: 'cpu', ...spec }),
		dataset: dataset.folder,
		...(model === undefined ? {} : { model: `${output}.onnx` }),
		output,
		emit: () => {},
		stopped: () => false,
	});
	if (outcome.status !== 'done') throw new Error('stopped');
	return outcome.result.warnings!.filter((warning) => warning.code === code);
}

const BRIEF = { epochs: 8, batch_size: 16, optimizer: { learning_rate: 0.01 } };

describe('a modality that adds nothing', () => {
	it.each([
		['uniform', { preset: 'uniform' }],
		['consensus', { preset: 'consensus', folds: 2 }],
	])('is named where it is noise, and one that the model needs is not: %s', async (_, weighting) => {
		const [warning, ...more] = await warned('useless_modality', await smallDataset('multiclass'), { weighting, training: BRIEF });
		expect(more).toEqual([]);
		expect(warning!.names).toContain('c');
		expect(warning!.names).not.toContain('a');
	});

	it('is not looked for in a job of one modality', async () => {
		expect(await warned('useless_modality', await smallDataset('binary'), { modalities: ['c'], training: BRIEF })).toEqual([]);
	});

	it('is judged with the values and the mask of other rows, all else as it was', async () => {
		const dataset = await smallDataset('binary');
		stored.push(dataset);
		const opened = openDataset(dataset.folder);
		const split = opened.split('valid');
		const [rows, donors] = [Uint32Array.of(3, 5, 8), Uint32Array.of(8, 3, 5)];
		const { split: mixed } = withBorrowed({ name: 'validation', split, rows }, 'b', donors);
		const values = (of: typeof split, modality: string, wanted: Uint32Array) => {
			const out = new Float32Array(wanted.length * 6);
			of.gather(modality, wanted, out);
			return out;
		};
		expect(values(mixed, 'b', rows)).toEqual(values(split, 'b', donors));
		expect(values(mixed, 'a', rows)).toEqual(values(split, 'a', rows));
		const steps = (of: typeof split, row: number) => of.mask('b')!.subarray(row * 3, (row + 1) * 3);
		for (const [i, row] of rows.entries()) expect(steps(mixed, row)).toEqual(steps(split, donors[i]!));
		expect(steps(mixed, 4)).toEqual(steps(split, 4));
		expect(mixed.mask('c')).toEqual(split.mask('c'));
		opened.close();
	});
});

/** Modality `ids` [2] that tells the label by whole numbers, of which training has the even ones below 8, and `a` [3], noise; `strange` is one more of a split. */
function categories(strange: { split: string; id: number; times: number } | null): Promise<StoredDataset> {
	const random = counterRandom(3, 'categories');
	const arrays: Record<string, Npy> = {};
	for (const split of ['train', 'valid', 'test']) {
		const rows = 30;
		const labels = Int32Array.from({ length: rows }, (_, i) => i % 2);
		const ids = Int32Array.from({ length: rows * 2 }, (_, at) => labels[Math.floor(at / 2)]! * 4 + 2 * random.below(2));
		if (strange?.split === split) for (let i = 0; i < strange.times; i++) ids[2 * i] = strange.id;
		arrays[`${split}_ids`] = { shape: [rows, 2], data: ids };
		arrays[`${split}_a`] = { shape: [rows, 3], data: Float32Array.from({ length: rows * 3 }, () => random.normal()) };
		arrays[`${split}_labels`] = { shape: [rows], data: labels };
	}
	return arrayDataset(arrays);
}

const CUSTOM = { model: { family: 'custom', model: 'mdl_1', inputs: { ids: 'ids', a: 'x' }, output: 'logits' }, training: BRIEF };
const unseen = async (dataset: Promise<StoredDataset>) => warned('unseen_categories', await dataset, CUSTOM, embeddingGraph(false));

describe('values that training never saw', () => {
	it('are named where a graph looks them up', async () => {
		const message = expect.stringMatching(/^1 value of ids in the split test \(in 4 of its rows\) is in no training row: 5$/);
		expect(await unseen(categories({ split: 'test', id: 5, times: 4 }))).toMatchObject([{ names: ['ids'], split: 'test', message }]);
	});

	it('are not there where every split has the same, or training has more', async () => {
		expect(await unseen(categories(null))).toEqual([]);
		expect(await unseen(categories({ split: 'train', id: 5, times: 4 }))).toEqual([]);
	});

	it('are of no matter to a family that takes them as numbers', async () => {
		expect(await warned('unseen_categories', await categories({ split: 'test', id: 5, times: 4 }), { training: BRIEF })).toEqual([]);
	});
});
