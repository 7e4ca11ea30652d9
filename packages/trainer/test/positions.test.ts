import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Explanation } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npy, writeFiles } from '../../dataset/test/write-npy.js';
import { trainedGraph } from './train-graph.js';

type SplitData = { rows: number; shape: number[]; positions: number[]; x: number[]; labels: Array<number | null> };
type Case = {
	name: string;
	batch: number;
	epochs: number;
	task: object;
	splits: Record<string, SplitData>;
	train: number[];
	valid: number[];
	test: Record<string, number>;
};
const folder = new URL('fixtures/positions/', import.meta.url);
const fixture = JSON.parse(await readFile(new URL('training.json', folder), 'utf8')) as {
	learning_rate: number;
	weight_decay: number;
	seed: number;
	cases: Case[];
};

let root = '';
let made = 0;
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
});
afterAll(() => rm(root, { recursive: true }));

const size = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** A validated dataset of the modality `x`, each row a vector, whose task is per position. */
async function datasetOf(task: object, splits: Record<string, SplitData>): Promise<string> {
	const [source, target] = [join(root, `source-${made}`), join(root, `dataset-${made++}`)];
	for (const one of [source, target]) await mkdir(one);
	const floats = splits['train']?.labels.some((label) => label === null || !Number.isInteger(label)) ?? false;
	const files = Object.entries(splits).flatMap(([split, { rows, shape, positions, x, labels }]) => [
		[`${split}_x.npy`, npy('<f4', [rows, size(shape)], x)] as const,
		[
			`${split}_labels.npy`,
			npy(
				floats ? '<f4' : '<i8',
				[rows, ...positions],
				labels.map((label) => label ?? Number.NaN),
			),
		] as const,
	]);
	const manifest = { task: { per: 'position', ...task }, modalities: { x: {} } };
	await writeFiles(source, { ...Object.fromEntries(files), 'manifest.json': JSON.stringify(manifest) });
	await ingest(source, target);
	return target;
}

const run = (dataset: string, graph: Uint8Array, { training = {}, model = {} }: { training?: object; model?: object } = {}) =>
	trainedGraph(dataset, graph, { model: { inputs: { x: 'x' }, output: 'logits', ...model }, training });

/** Graphs whose one number a job must name to train it. */
const SCALE = { trainable: ['scale'] };

/** y = x·scale for rows of `positions` values, as an output of that shape. */
function scaled(scale: number, positions: number[]): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['batch', ...positions]);
	g.output('logits', g.mul(x, g.initializer('scale', tensor('float32', [1], [scale]))));
	return encodeModel({ graph: g.build('scaled'), opset: OPSET });
}

/** Rows of two positions, whose labels are these in every split. */
const rowsOf = (x: number[], labels: Array<number | null>): Record<string, SplitData> =>
	Object.fromEntries(['train', 'valid', 'test'].map((split) => [split, { rows: x.length / 2, shape: [2], positions: [2], x, labels }]));

describe('a graph of positions', () => {
	const { learning_rate, weight_decay, seed } = fixture;
	for (const { name, ...c } of fixture.cases)
		it(`trains as PyTorch trains it for 50 steps, in losses and figures: ${name}`, async () => {
			const { epochs, result } = await run(await datasetOf(c.task, c.splits), await readFile(new URL(`${name}.onnx`, folder)), {
				training: {
					...{ epochs: c.epochs, batch_size: c.batch, early_stopping: null, seed },
					optimizer: { name: 'adamw', learning_rate, weight_decay },
				},
			});
			expect(epochs.length).toBe(c.epochs);
			// float32 against float64: rounding of some 1e-7 a step, grown over 50 steps
			epochs.forEach((epoch, i) => {
				expect(Math.abs(epoch.train_loss / c.train[i]! - 1), `epoch ${i}`).toBeLessThan(2e-4);
				expect(Math.abs(epoch.validation['loss']! / c.valid[i]! - 1), `epoch ${i}`).toBeLessThan(2e-4);
			});
			const found = result.metrics['test']!;
			expect(Object.keys(found)).toEqual(Object.keys(c.test));
			for (const [metric, value] of Object.entries(c.test)) expect(Math.abs(found[metric]! / value - 1), metric).toBeLessThan(2e-4);
		});

	it('learns nothing from a batch in which no position counts, and is not hurt by it', async () => {
		const labels = [1, 0, ...new Array<number>(6).fill(-100)];
		const dataset = await datasetOf({ type: 'binary' }, rowsOf([1, -1, 3, 4, 5, 6, 7, 8], labels));
		const { epochs } = await run(dataset, scaled(1, [2]), { model: SCALE, training: { epochs: 2, batch_size: 1 } });
		const whole = await run(await datasetOf({ type: 'binary' }, rowsOf([1, -1], [1, 0])), scaled(1, [2]), {
			model: SCALE,
			training: { epochs: 2 },
		});
		expect(epochs.every(({ validation }) => Number.isFinite(validation['loss']))).toBe(true);
		// the one batch that counts finds the scale as it was, wherever in the epoch it comes: AdamW moves nothing by gradients of 0
		expect(4 * epochs[0]!.train_loss).toBeCloseTo(whole.epochs[0]!.train_loss, 6);
	});

	it('whose masked logits are infinite where positions do not count is trained', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['batch', 2]);
		const z = g.mul(x, g.initializer('scale', tensor('float32', [1], [1])));
		g.output('logits', g.sub(z, g.op('Exp', [g.mul(x, g.mul(x, x))]))); // −∞ for 10
		const dataset = await datasetOf({ type: 'binary' }, rowsOf([0.5, 10, -0.5, 10], [1, -100, 0, -100]));
		const { epochs, result } = await run(dataset, encodeModel({ graph: g.build('masked'), opset: OPSET }), {
			model: SCALE,
			training: { epochs: 2 },
		});
		expect(epochs.every(({ train_loss }) => Number.isFinite(train_loss))).toBe(true);
		expect(result.metrics['test']!['loss']).toBeLessThan(2);
	});

	it('that cannot judge a row of the test split is kept, and the row is named', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['batch', 2]);
		g.output('logits', g.mul(g.op('Log', [x]), g.initializer('scale', tensor('float32', [1], [1]))));
		const { train: rows, valid } = rowsOf([1, 2, 3, 4], [1, 0, 0, 1]);
		const splits = { train: rows!, valid: valid!, test: { ...rows!, x: [1, 2, 3, -4] } };
		const { result } = await run(await datasetOf({ type: 'binary' }, splits), encodeModel({ graph: g.build('log'), opset: OPSET }), {
			model: SCALE,
			training: { epochs: 1 },
		});
		expect(Object.keys(result.metrics)).toEqual(['train', 'validation']);
		expect(result.warnings?.[0]).toMatchObject({ code: 'evaluation_failed', split: 'test', row: 1 });
	});

	it.each([
		// every position that counts is given the more frequent label
		['binary', [1, 0, 0, -100], [-1, -2, -2, 5], 3, ['majority_baseline_not_beaten']],
		['regression', [1.5, 2.5, null, 3.5], [-1.5, -2.5, 9, -3.5], 1, ['majority_baseline_not_beaten']],
		['binary', [1, 0, 0, -100], [2, -2, -2, 5], 3, []],
	])('is warned of where it has not learnt: %s of %j', async (type, labels, x, scale, codes) => {
		const { result } = await run(await datasetOf({ type }, rowsOf(x, labels)), scaled(scale, [2]), {
			model: SCALE,
			training: { epochs: 1, optimizer: { learning_rate: 1e-6 } },
		});
		expect((result.warnings ?? []).map(({ code }) => code)).toEqual(codes);
	});

	it('is warned of overfitting, by what the labels alone tell', async () => {
		const { train: rows } = rowsOf([2, -2, -2, 5], [1, 0, 0, -100]);
		const valid = { ...rows!, x: [-2, 2, 2, 5] };
		const { result } = await run(await datasetOf({ type: 'binary' }, { train: rows!, valid, test: valid }), scaled(3, [2]), {
			model: SCALE,
			training: { epochs: 1, optimizer: { learning_rate: 1e-6 } },
		});
		const found = result.warnings?.find(({ code }) => code === 'overfitting');
		// of 3 labels one is 1: with one more of each, −(ln(2/5) + 2·ln(3/5))/3
		expect(found?.message).toMatch(/0\.002476 on the training rows and 6\.002 on validation; a model that sees nothing has 0\.6460/);
	});

	it('is warned of ids in the test split that training never saw', async () => {
		const g = new GraphBuilder();
		const ids = g.input('x', 'int64', ['batch', 2]);
		const table = g.initializer('table', tensor('float32', [4], [-2, 2, 1, 1]));
		g.output('logits', g.op('Gather', [table, ids], {}, { dtype: 'float32', shape: ['batch', 2] }));
		const { train: rows, valid } = rowsOf([0, 1, 1, 0], [0, 1, 1, 0]);
		const splits = { train: rows!, valid: valid!, test: { ...rows!, x: [0, 3, 2, 3] } };
		const { result } = await run(await datasetOf({ type: 'binary' }, splits), encodeModel({ graph: g.build('ids'), opset: OPSET }), {
			training: { epochs: 1 },
		});
		expect(result.warnings).toMatchObject([
			{ code: 'unseen_categories', split: 'test', names: ['x'], message: expect.stringContaining(': 2, 3') },
		]);
	});

	it('is explained by weights and presence alone', async () => {
		const dataset = await datasetOf({ type: 'regression' }, rowsOf([1, 2, 3, 4], [1.5, null, 3, 4]));
		const { artifacts, output } = await run(dataset, scaled(0.9, [2]), { model: SCALE, training: { epochs: 1 } });
		expect(artifacts.sort()).toEqual([
			'explanation.json',
			'explanation.parquet',
			'metrics.json',
			'model.onnx',
			'report.json',
			'report.md',
			'robustness.json',
			'training-state.safetensors',
		]);
		const parquet = await readFile(join(output, 'explanation.parquet'));
		const rows = await parquetReadObjects({
			file: parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.length) as ArrayBuffer,
		});
		expect(rows.length).toBe(6);
		expect(Object.keys(rows[0]!)).toEqual(['split', 'row', 'weight.x', 'divergence.x', 'present.x']);
		const { instances } = JSON.parse(await readFile(join(output, 'explanation.json'), 'utf8')) as Explanation;
		expect(instances).toEqual({ x: { most_trusted: [], least_trusted: [] } });
	});

	it('is trained on the logits before the Softmax that it ends in, and refused where that does not go over the classes', async () => {
		const graph = (axis: number | null): Uint8Array => {
			const g = new GraphBuilder();
			const x = g.reshape(g.input('x', 'float32', ['batch', 2]), ['batch', 2, 1]);
			const logits = g.mul(x, g.initializer('scale', tensor('float32', [3], [1, 0, -1])));
			g.output('logits', axis === null ? logits : g.op('Softmax', [logits], { axis }));
			return encodeModel({ graph: g.build('softmax'), opset: OPSET });
		};
		const dataset = await datasetOf({ type: 'multiclass' }, rowsOf([1, 3, -2, 0.5], [0, 1, 2, -100]));
		const options = { model: SCALE, training: { epochs: 3 } };
		const [plain, softmax] = [await run(dataset, graph(null), options), await run(dataset, graph(2), options)];
		expect(softmax.epochs).toEqual(plain.epochs);
		expect(softmax.result.metrics).toEqual(plain.result.metrics);
		await expect(run(dataset, graph(1), options)).rejects.toMatchObject({ code: 'invalid_model', param: 'model.output' });
	});

	it('is refused where only a run shows that its classes can lie along two axes', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['batch', 2]);
		const pairs = g.op('Unsqueeze', [x, g.ints([2])], {}, { shape: ['batch', 2, 1] });
		g.output('logits', { ...g.mul(pairs, g.initializer('scale', tensor('float32', [2], [1, -1]))), shape: ['batch', 'a', 'b'] });
		const graph = encodeModel({ graph: g.build('square'), opset: OPSET });
		const dataset = await datasetOf({ type: 'multiclass' }, rowsOf([1, 3], [0, 1]));
		await expect(run(dataset, graph, { model: SCALE })).rejects.toMatchObject({ code: 'invalid_model', param: 'model.class_axis' });
		const lossUnder = async (axis: number) => {
			const { epochs } = await run(dataset, graph, { model: { ...SCALE, class_axis: axis }, training: { epochs: 1 } });
			return epochs[0]!.train_loss;
		};
		expect(await lossUnder(-1)).toBeCloseTo((Math.log1p(Math.exp(-2)) + Math.log1p(Math.exp(6))) / 2, 5);
		expect(await lossUnder(1)).toBeCloseTo(Math.log1p(Math.exp(2)), 5);
	});
});
