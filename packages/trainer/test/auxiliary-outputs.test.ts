import { decodeModel, encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { shuffledOrder } from '@steelyard/random';
import { tensor } from '@steelyard/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';
import { trainedGraph, trainGraph } from './train-graph.js';

const stored: StoredDataset[] = [];
afterAll(async () => {
	for (const dataset of stored) await dataset.remove();
});

/** Arrays by name, the same in training and validation but for the rows: those up to `cut`, and those from there on. */
async function datasetOf(
	rows: number,
	cut: number,
	arrays: Record<string, { shape: number[]; data: Npy['data'] }>,
	manifest: object | null = null,
) {
	const files: Record<string, Npy> = {};
	for (const [name, { shape, data }] of Object.entries(arrays)) {
		const width = data.length / rows;
		files[`train_${name}`] = { shape: [cut, ...shape], data: data.slice(0, cut * width) };
		files[`valid_${name}`] = { shape: [rows - cut, ...shape], data: data.slice(cut * width) };
	}
	const dataset = await arrayDataset(files, manifest);
	stored.push(dataset);
	return dataset.folder;
}

const floats = (count: number, at: (i: number) => number) => Float32Array.from({ length: count }, (_, i) => at(i));
const WEIGHTS = (inputs: number, outputs: number, seed: number) => floats(inputs * outputs, (i) => Math.sin(3 * i + seed));

/** A graph that gives x·W for each output by name, `[N, columns]`, or what `heads` makes of it. */
function linear(
	inputs: number,
	columns: Record<string, number>,
	heads: Record<string, (g: GraphBuilder, z: Value) => Value> = {},
): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['N', inputs]);
	for (const [i, [name, width]] of Object.entries(columns).entries()) {
		const z = g.matMul(x, g.initializer(`${name}.weight`, tensor('float32', [inputs, width], WEIGHTS(inputs, width, i))));
		g.output(name, heads[name]?.(g, z) ?? z);
	}
	return encodeModel({ graph: g.build('linear'), opset: OPSET });
}

/** So small that no number of the model changes. */
const STILL = { early_stopping: null, optimizer: { name: 'sgd', learning_rate: 1e-12 } };
const mean = (values: number[]) => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length);
const softplus = (z: number) => Math.log1p(Math.exp(z));

describe('outputs with a loss each', () => {
	const ROWS = 9;
	const CUT = 5;
	const x = floats(ROWS * 2, (i) => Math.cos(1.7 * i));
	const y = floats(ROWS, (i) => Math.sin(5 * i));
	const age = floats(ROWS, (i) => Math.cos(2 * i) * 2);
	const ageThere = Uint8Array.of(1, 0, 0, 1, 0, 1, 0, 1, 1);
	const kind = Uint8Array.of(0, 2, 1, 0, 2, 0, 1, 2, 2);
	const kindThere = Uint8Array.of(0, 1, 1, 1, 1, 1, 1, 0, 1);
	const flags = Uint8Array.from({ length: ROWS * 2 }, (_, i) => Number(Math.sin(i) > 0));
	const parts = floats(ROWS * 3, (i) => Math.sin(i * i));
	const partsThere = Uint8Array.from({ length: ROWS * 3 }, (_, i) => Number(i % 4 !== 1));
	const COLUMNS = { y: 1, age: 1, kind: 3, flags: 2, parts: 3, again: 1 };
	const outputs = {
		age: { labels: 'age', weight: 0.5 },
		kind: { labels: 'kind' },
		flags: { labels: 'flags', loss: 'cross_entropy', weight: 2 },
		parts: { labels: 'parts', loss: 'mae', weight: 0.25 },
		again: { labels: 'labels', loss: { name: 'huber', delta: 0.5 } },
	};
	const dataset = () =>
		datasetOf(ROWS, CUT, {
			x: { shape: [2], data: x },
			labels: { shape: [], data: y },
			age: { shape: [1], data: age },
			age_mask: { shape: [], data: ageThere },
			kind: { shape: [1], data: kind },
			kind_mask: { shape: [], data: kindThere },
			flags: { shape: [2], data: flags },
			parts: { shape: [3], data: parts },
			parts_mask: { shape: [3], data: partsThere },
		});

	/** What each output gives for a row. */
	const given = (name: keyof typeof COLUMNS, row: number): number[] => {
		const width = COLUMNS[name];
		const weights = WEIGHTS(2, width, Object.keys(COLUMNS).indexOf(name));
		return Array.from({ length: width }, (_, c) => x[2 * row]! * weights[c]! + x[2 * row + 1]! * weights[width + c]!);
	};
	/** The loss of each number that counts in some rows, by output. */
	const lossesIn = (rows: readonly number[]) => ({
		y: rows.map((row) => (given('y', row)[0]! - y[row]!) ** 2),
		age: rows.filter((row) => ageThere[row] === 1).map((row) => (given('age', row)[0]! - age[row]!) ** 2),
		kind: rows
			.filter((row) => kindThere[row] === 1)
			.map((row) => {
				const z = given('kind', row);
				return Math.log(z.reduce((sum, one) => sum + Math.exp(one), 0)) - z[kind[row]!]!;
			}),
		flags: rows.flatMap((row) => given('flags', row).map((z, c) => softplus(flags[2 * row + c] === 1 ? -z : z))),
		parts: rows.flatMap((row) =>
			given('parts', row).flatMap((z, c) => (partsThere[3 * row + c] === 1 ? [Math.abs(z - parts[3 * row + c]!)] : [])),
		),
		again: rows.map((row) => {
			const error = Math.abs(given('again', row)[0]! - y[row]!);
			return error <= 0.5 ? error ** 2 / 2 : 0.5 * (error - 0.25);
		}),
	});
	const sumOf = (losses: ReturnType<typeof lossesIn>) =>
		mean(losses.y) + 0.5 * mean(losses.age) + mean(losses.kind) + 2 * mean(losses.flags) + 0.25 * mean(losses.parts) + mean(losses.again);

	it('minimise the sum of the means over what counts, in batches that are filled up too', async () => {
		const { epochs, result, trained } = await trainedGraph(await dataset(), linear(2, COLUMNS), {
			model: { inputs: { x: 'x' }, output: 'y', outputs },
			training: { ...STILL, epochs: 1, batch_size: 3 },
		});
		const order = [...shuffledOrder(1, 0, CUT)];
		const batches = [order.slice(0, 3), order.slice(3)]; // the second is filled up with one of its two rows
		const expected = batches.reduce((sum, rows) => sum + rows.length * sumOf(lossesIn(rows)), 0) / CUT;
		expect(Math.abs(epochs[0]!.train_loss - expected)).toBeLessThan(1e-5);

		const rows = [5, 6, 7, 8];
		const losses = lossesIn(rows);
		const found = result.metrics['validation']!;
		for (const [name, value] of Object.entries(epochs[0]!.validation)) expect(Math.abs(found[name]! - value!), name).toBeLessThan(1e-6);
		expect(Object.keys(found)).toEqual([
			...['loss', 'mae', 'rmse', 'pearson', 'y.loss'],
			...['age.loss', 'age.mae', 'age.rmse', 'kind.loss', 'kind.accuracy', 'flags.loss', 'flags.accuracy'],
			...['parts.loss', 'parts.mae', 'parts.rmse', 'again.loss', 'again.mae', 'again.rmse'],
		]);
		const top = (z: number[]) => z.indexOf(Math.max(...z));
		const wanted = {
			loss: sumOf(losses),
			...Object.fromEntries(Object.entries(losses).map(([name, each]) => [`${name}.loss`, mean(each)])),
			'age.rmse': Math.sqrt(mean(losses.age)),
			'parts.mae': mean(losses.parts),
			'kind.accuracy': mean(rows.filter((row) => kindThere[row] === 1).map((row) => Number(top(given('kind', row)) === kind[row]))),
			'flags.accuracy': mean(rows.flatMap((row) => given('flags', row).map((z, c) => Number(Number(z > 0) === flags[2 * row + c])))),
		};
		for (const [name, value] of Object.entries(wanted)) expect(Math.abs(found[name]! - value), name).toBeLessThan(1e-5);

		expect(result.loss).toBe(
			'mse + 0.5 · mse of the output "age" + 1 · cross_entropy of the output "kind" + 2 · cross_entropy of the output "flags" + 0.25 · mae of the output "parts" + 1 · huber (delta 0.5) of the output "again"',
		);
		// what is only compared with is no modality of the model
		expect(Object.keys(result.modality_weights)).toEqual(['x']);
		expect(decodeModel(await trained()).graph.outputs.map(({ name }) => name)).toEqual(Object.keys(COLUMNS));
	});

	it('are trained as the same sum in the graph is', async () => {
		const rows = 12;
		const labels = Int32Array.from({ length: rows }, (_, i) => i % 3);
		const folder = await datasetOf(rows, 8, {
			x: { shape: [2], data: floats(rows * 2, (i) => Math.cos(1.7 * i)) },
			age: { shape: [1], data: floats(rows, (i) => Math.cos(2 * i)) },
			kind: { shape: [1], data: BigInt64Array.from({ length: rows }, (_, i) => BigInt(i % 4)) },
			labels: { shape: [], data: labels },
		});
		const columns = { y: 3, age: 1, kind: 4 };
		const training = { epochs: 10, batch_size: 4, early_stopping: null, clip_norm: 1, optimizer: { name: 'adamw', learning_rate: 0.05 } };
		const apart = await trainedGraph(folder, linear(2, columns), {
			model: { inputs: { x: 'x' }, output: 'y', outputs: { age: { labels: 'age', weight: 0.5 }, kind: { labels: 'kind', weight: 3 } } },
			training,
		});

		const g = new GraphBuilder();
		const { graph } = decodeModel(linear(2, columns));
		for (const { name, shape } of graph.inputs) g.input(name, 'float32', shape);
		const [ages, kinds, target] = [
			g.input('true.age', 'float32', ['N', 1]),
			g.input('true.kind', 'int64', ['N']),
			g.input('target', 'int64', ['N']),
		];
		g.append({ ...graph, inputs: [], outputs: [] });
		const z = (name: keyof typeof columns): Value => ({ name, dtype: 'float32', shape: ['N', columns[name]] });
		const entropy = (logits: Value, of: Value) =>
			g.op('SoftmaxCrossEntropyLoss', [logits, of], { reduction: 'mean' }, { dtype: 'float32', shape: [] });
		const error = g.sub(z('age'), ages);
		const square = g.op('ReduceMean', [g.mul(error, error)], { keepdims: 0 }, { dtype: 'float32', shape: [] });
		g.output('loss', g.add(g.add(entropy(z('y'), target), g.scale(0.5, square)), g.scale(3, entropy(z('kind'), kinds))));
		const inGraph = await trainedGraph(folder, encodeModel({ graph: g.build('sum'), opset: OPSET }), {
			model: { inputs: { x: 'x', age: 'true.age', kind: 'true.kind' }, labels: 'target', loss: { output: 'loss' } },
			training,
		});
		expect(apart.epochs.at(-1)!.train_loss).toBeLessThan(0.9 * apart.epochs[0]!.train_loss);
		// two orders of summation in float32
		for (const [i, { train_loss, validation }] of apart.epochs.entries()) {
			expect(Math.abs(train_loss - inGraph.epochs[i]!.train_loss)).toBeLessThan(1e-5);
			expect(Math.abs(validation['loss']! - inGraph.epochs[i]!.validation['loss']!)).toBeLessThan(1e-5);
		}
		const numbers = async (job: typeof apart): Promise<Graph['initializers']> => decodeModel(await job.trained()).graph.initializers;
		const [own, others] = [await numbers(apart), await numbers(inGraph)];
		for (const name of Object.keys(columns))
			(own.get(`${name}.weight`)!.data as Float32Array).forEach((value, i) =>
				expect(Math.abs(value - (others.get(`${name}.weight`)!.data[i] as number))).toBeLessThan(1e-4),
			);
	});

	it('may be told the labels of positions, beside the output that is', async () => {
		const labels = Int32Array.from({ length: ROWS * 4 }, (_, i) => (i % 7 === 0 ? -100 : i % 3));
		const folder = await datasetOf(
			ROWS,
			CUT,
			{ x: { shape: [2], data: x }, labels: { shape: [4], data: labels } },
			{ task: { type: 'multiclass', per: 'position', classes: ['a', 'b', 'c'] }, modalities: { x: {} } },
		);
		const heads = {
			y: (g: GraphBuilder, z: Value) => g.reshape(z, ['N', 3, 4]),
			early: (g: GraphBuilder, z: Value) => g.reshape(z, ['N', 4, 3]),
		};
		const graph = linear(2, { y: 12, early: 12 }, heads);
		const training = { ...STILL, epochs: 1 };
		const figures = async (model: object) =>
			(await trainedGraph(folder, graph, { model: { inputs: { x: 'x' }, ...model }, training })).result.metrics['validation']!;
		const both = await figures({ output: 'y', outputs: { early: { labels: 'labels', weight: 0.4 } } });
		const [first, second] = [await figures({ output: 'y' }), await figures({ output: 'early' })];
		expect(both['y.loss']).toBe(first['loss']);
		expect(both['early.loss']).toBe(second['loss']);
		expect(both['early.accuracy']).toBe(second['accuracy']);
		expect(both['mean_iou']).toBe(first['mean_iou']);
		expect(both['loss']).toBeCloseTo(first['loss']! + 0.4 * second['loss']!, 6);
	});

	it('are trained on the logits before the Softmax or Sigmoid that they end in', async () => {
		const folder = await dataset();
		const model = { inputs: { x: 'x' }, output: 'y', outputs: { kind: outputs.kind, flags: outputs.flags } };
		const columns = { y: 1, kind: 3, flags: 2 };
		const plain = await trainedGraph(folder, linear(2, columns), { model, training: { epochs: 2 } });
		const heads = {
			kind: (g: GraphBuilder, z: Value) => g.op('Softmax', [z], { axis: 1 }),
			flags: (g: GraphBuilder, z: Value) => g.op('Sigmoid', [z]),
		};
		const made = await trainedGraph(folder, linear(2, columns, heads), { model, training: { epochs: 2 } });
		expect(made.epochs.map(({ train_loss }) => train_loss)).toEqual(plain.epochs.map(({ train_loss }) => train_loss));
		expect(made.result.metrics).toEqual(plain.result.metrics);
		expect(decodeModel(await made.trained()).graph.nodes.map(({ op }) => op)).toEqual(expect.arrayContaining(['Softmax', 'Sigmoid']));
	});

	it('name the row whose loss is not finite', async () => {
		const folder = await datasetOf(4, 2, {
			x: { shape: [1], data: Float32Array.of(1, 2, 3, -1) },
			labels: { shape: [], data: Float32Array.of(1, 2, 3, 4) },
		});
		const heads = { log: (g: GraphBuilder, z: Value) => g.mul(g.op('Log', [g.value('x')]), z) };
		await expect(
			trainGraph(folder, linear(1, { y: 1, log: 1 }, heads), {
				model: { inputs: { x: 'x' }, output: 'y', outputs: { log: { labels: 'labels' } } },
				training: { ...STILL, epochs: 1 },
			}),
		).rejects.toMatchObject({
			code: 'training_failed',
			message: expect.stringMatching(/row 1 \(counted from 0\) of the split valid: the loss of its output "log" there is NaN/),
		});
	});

	it.each<[string, object, Uint8Array, string, RegExp]>([
		[
			'what is missing in every training row',
			{ late: { labels: 'late' } },
			linear(2, { y: 1, late: 1 }),
			'model.outputs.late.labels',
			/late is missing in every training row/,
		],
		[
			'what does not fit, which only a run shows',
			{ wide: { labels: 'labels' } },
			linear(2, { y: 1, wide: 4 }, { wide: (g, z) => g.op('Identity', [z], {}, { shape: ['N', 'columns'] }) }),
			'model.outputs.wide',
			/The output "wide" of the model is \[batch, 4\], and the labels \[batch\]: expected one value for each number/,
		],
	])('are refused that are compared with %s', async (_, more, graph, param, message) => {
		const folder = await datasetOf(4, 2, {
			x: { shape: [2], data: floats(8, Math.sin) },
			labels: { shape: [], data: floats(4, Math.cos) },
			late: { shape: [1], data: floats(4, Math.cos) },
			late_mask: { shape: [], data: Uint8Array.of(0, 0, 1, 1) },
		});
		await expect(trainGraph(folder, graph, { model: { inputs: { x: 'x' }, output: 'y', outputs: more } })).rejects.toMatchObject({
			param,
			message: expect.stringMatching(message),
		});
	});
});
