import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { arrayDataset, type Npy } from './array-dataset.js';

let root = '';
let made = 0;
const removals: Array<() => Promise<void>> = [];
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
});
afterAll(async () => {
	for (const remove of removals) await remove();
	await rm(root, { recursive: true });
});

const ROWS = { train: 64, test: 32 };
type Make = (rows: number, labels: Int32Array, random: () => number) => Npy;

/** A binary dataset of modalities that are made of the labels. */
async function datasetOf(modalities: Record<string, Make>): Promise<string> {
	const { uniform } = counterRandom(3, 'as-it-is');
	const arrays: Record<string, Npy> = {};
	for (const [split, rows] of Object.entries(ROWS)) {
		const labels = Int32Array.from({ length: rows }, (_, i) => i % 2);
		arrays[`${split}_labels`] = { shape: [rows], data: labels };
		for (const [name, make] of Object.entries(modalities)) arrays[`${split}_${name}`] = make(rows, labels, uniform);
	}
	const { folder, remove } = await arrayDataset(arrays);
	removals.push(remove);
	return folder;
}

async function run(dataset: string, model: object, bytes?: Uint8Array, more: object = {}) {
	const output = join(root, `job-${made++}`);
	await mkdir(output);
	const file = `${output}.onnx`;
	if (bytes !== undefined) await writeFile(file, bytes);
	const training = { epochs: 30, batch_size: 16, optimizer: { learning_rate: 0.02 } };
	const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', model, training, ...more });
	const losses: number[] = [];
	const emit = (event: JobEventBody) => void (event.type === 'epoch' && event.stage === 'fusion' && losses.push(event.train_loss));
	const outcome = await train({ spec, ...(bytes === undefined ? {} : { model: file }), dataset, output, emit, stopped: () => false });
	if (outcome.status !== 'done') throw new Error('stopped');
	return { losses, result: outcome.result, graph: decodeModel(await readFile(join(output, 'model.onnx'))).graph };
}

const FAMILY = { family: 'mlp-fusion', hidden: 8 };

describe('a built-in family', () => {
	const pixel = (labels: Int32Array, width: number, random: () => number) => (_: unknown, i: number) =>
		Math.floor(40 * random()) + 120 * ((labels[Math.floor(i / width)] as number) ^ (i % 2));

	it('trains on integers as on the same numbers in float32, and the exported model takes integers', async () => {
		const pixels =
			(Type: { from(of: ArrayLike<unknown>, value: (_: unknown, i: number) => number): Uint8Array | Float32Array }): Make =>
			(rows, labels, random) => ({ shape: [rows, 6], data: Type.from({ length: rows * 6 }, pixel(labels, 6, random)) });
		const [integers, floats] = [
			await run(await datasetOf({ x: pixels(Uint8Array) }), FAMILY),
			await run(await datasetOf({ x: pixels(Float32Array) }), FAMILY),
		];
		expect(integers.losses).toEqual(floats.losses);
		expect(integers.result.metrics).toEqual(floats.result.metrics);
		expect(integers.losses.at(-1)).toBeLessThan(0.3);
		expect([integers, floats].map(({ graph }) => graph.inputs[0])).toEqual([
			{ name: 'x.x', dtype: 'uint8', shape: ['batch', 6] },
			{ name: 'x.x', dtype: 'float32', shape: ['batch', 6] },
		]);
	});

	it('reads an instance of more axes as one vector', async () => {
		const image =
			(shape: number[]): Make =>
			(rows, labels, random) => ({ shape: [rows, ...shape], data: Float32Array.from({ length: rows * 12 }, pixel(labels, 12, random)) });
		const weighting = { weighting: { preset: 'btw', refresh_epochs: 4 } };
		const [images, vectors] = [
			await run(await datasetOf({ x: image([3, 2, 2]) }), FAMILY, undefined, weighting),
			await run(await datasetOf({ x: image([12]) }), FAMILY, undefined, weighting),
		];
		expect(images.losses).toEqual(vectors.losses);
		expect(images.result.metrics).toEqual(vectors.result.metrics);
		expect(images.graph.inputs[0]).toEqual({ name: 'x.x', dtype: 'float32', shape: ['batch', 3, 2, 2] });
	});
});

describe('an uploaded graph', () => {
	const table = (g: GraphBuilder, rows: number) =>
		g.initializer(
			'table',
			tensor(
				'float32',
				[rows, 4],
				Float32Array.from({ length: rows * 4 }, (_, i) => ((i * 7) % 11) / 11 - 0.5),
			),
		);
	const head = (g: GraphBuilder) => g.initializer('head', tensor('float32', [4, 1], [0.1, -0.2, 0.3, 0.2]));
	/** Beyond what float64 tells apart: as numbers of any floating type these ids would be equal. */
	const BASE = 2n ** 53n;

	it.each(['uniform', 'btw'])('takes rows of frames that differ in length, and a mask with a number for each frame: %s', async (preset) => {
		const lengthOf = (row: number): number => 1 + (row % 4);
		const offsets = (rows: number): number[] =>
			Array.from({ length: rows }, (_, row) => lengthOf(row)).reduce((all, n) => [...all, all.at(-1)! + n], [0]);
		const dataset = await datasetOf({
			frames_offsets: (rows) => ({ shape: [rows + 1], data: Int32Array.from(offsets(rows)) }),
			frames_values: (rows, labels, random) => ({
				shape: [offsets(rows).at(-1)!, 2, 2],
				data: Float32Array.from(
					Array.from({ length: rows }, (_, row) =>
						Array.from({ length: 4 * lengthOf(row) }, (_, i) => (2 * labels[row]! - 1) * (i % 2 ? 1 : -0.5) + 0.3 * random()),
					).flat(),
				),
			}),
		});
		const g = new GraphBuilder();
		const x = g.input('frames', 'float32', ['batch', 4, 2, 2]);
		const mask = g.input('there', 'float32', ['batch', 4]);
		const scores = g.matMul(g.reshape(x, ['batch', 4, 4]), head(g));
		const counted = g.mul(scores, g.op('Unsqueeze', [mask, g.ints([2])], {}, { shape: ['batch', 4, 1] }));
		const sum = { ...g.reduce('ReduceSum', counted, [1], false), shape: ['batch', 1] };
		g.output('logits', g.op('Identity', [sum]));
		const model = {
			family: 'custom',
			model: 'mdl_1',
			inputs: { frames: 'frames' },
			masks: { frames: 'there' },
			output: 'logits',
			embeddings: { frames: sum.name },
		};
		const { losses, result } = await run(dataset, model, encodeModel({ graph: g.build('film'), opset: OPSET }), {
			weighting: { preset, ...(preset === 'uniform' ? {} : { refresh_epochs: 4 }) },
		});
		expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
		expect(result.metrics['test']!['accuracy']).toBe(1);
	});

	it.each(['uniform', 'btw'])('takes 64-bit ids exactly, and a mask with a number for each: %s', async (preset) => {
		const dataset = await datasetOf({
			ids: (rows, labels, random) => ({
				shape: [rows, 5],
				data: BigInt64Array.from(
					{ length: rows * 5 },
					(_, i) => BASE + BigInt(2 * Math.floor(3 * random()) + (labels[Math.floor(i / 5)] as number)),
				),
			}),
			ids_mask: (rows, _, random) => ({
				shape: [rows, 5],
				data: Uint8Array.from({ length: rows * 5 }, (_, i) => (i % 5 === 0 || random() < 0.6 ? 1 : 0)),
			}),
		});
		const g = new GraphBuilder();
		const ids = g.input('ids', 'int64', ['N', 'T']);
		const mask = g.input('attention_mask', 'int64', ['N', 'T']);
		const shift = g.op('Mul', [mask, g.initializer('base', { dtype: 'int64', shape: [], data: BigInt64Array.of(BASE) })], {}, ids);
		const embedded = g.op(
			'Gather',
			[table(g, 6), g.op('Sub', [ids, shift], {}, ids)],
			{ axis: 0 },
			{ dtype: 'float32', shape: ['N', 'T', 4] },
		);
		const there = g.op('Unsqueeze', [g.cast(mask, 'float32'), g.ints([2])], {}, { dtype: 'float32', shape: ['N', 'T', 1] });
		const sum = g.reduce('ReduceSum', g.mul(embedded, there), [1], false);
		g.node('Identity', [sum], [{ name: 'embedding', dtype: 'float32', shape: ['N', 4] }]);
		g.output('logits', g.matMul(g.value('embedding'), head(g)));
		const { losses, result } = await run(
			dataset,
			{
				family: 'custom',
				model: 'mdl_1',
				inputs: { ids: 'ids' },
				masks: { ids: 'attention_mask' },
				output: 'logits',
				embeddings: { ids: 'embedding' },
			},
			encodeModel({ graph: g.build('ids'), opset: OPSET }),
			{ weighting: preset === 'btw' ? { preset, refresh_epochs: 4 } : { preset } },
		);
		expect(losses.at(-1)).toBeLessThan(0.2);
		expect(result.metrics['test']!['accuracy']).toBe(1);
	});

	it('takes images as they are, and integers where it wants float32', async () => {
		const image: Make = (rows, labels) => ({
			shape: [rows, 1, 3, 3],
			data: Uint8Array.from({ length: rows * 9 }, (_, i) => (((i % 9) % 2) ^ (labels[Math.floor(i / 9)] as number) ? 2 : 0)),
		});
		const g = new GraphBuilder();
		const x = g.input('image', 'float32', ['N', 1, 3, 3]);
		const kernel = g.initializer(
			'kernel',
			tensor(
				'float32',
				[4, 1, 3, 3],
				Float32Array.from({ length: 36 }, (_, i) => Math.sin(i) / 3),
			),
		);
		const features = g.reshape(g.op('Relu', [g.op('Conv', [x, kernel], {}, { shape: ['N', 4, 1, 1] })]), ['N', 4]);
		g.output('logits', g.matMul(features, head(g)));
		const { losses } = await run(
			await datasetOf({ image }),
			{ family: 'custom', model: 'mdl_1', inputs: { image: 'image' }, output: 'logits' },
			encodeModel({ graph: g.build('images'), opset: OPSET }),
		);
		expect(losses.at(-1)).toBeLessThan(0.4);
	});
});
