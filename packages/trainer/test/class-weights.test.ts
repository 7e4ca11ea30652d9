import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differentiate } from '@steelyard/autodiff';
import { type JobEventBody, parseJobSpec, type TaskProfile } from '@steelyard/contracts';
import type { Split } from '@steelyard/dataset';
import { canonicalise, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { createSession, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classWeightsOf } from '../src/job/class-weights.js';
import { train } from '../src/job/train.js';
import { positionLossOf } from '../src/step/position-loss.js';
import { arrayDataset, type StoredDataset } from './array-dataset.js';

/** What test/oracles/class_weights.py made. */
const fixture = JSON.parse(readFileSync(new URL('fixtures/class-weights.json', import.meta.url), 'utf8')) as {
	balanced: { labels: number[]; weights: Record<string, number> }[];
	positions: {
		classes: number;
		rows: number;
		steps: number;
		weights: number[];
		z: number[];
		y: number[];
		loss: number;
		gradient: number[];
	}[];
};

describe('weights of classes', () => {
	const examples = (labels: number[]) => ({
		name: 'train',
		split: { labels: Int32Array.from(labels), rows: labels.length } as unknown as Split,
		rows: Uint32Array.from(labels.keys()),
	});

	it('are those of scikit-learn where they are balanced, and 1 for a class that has no rows', () => {
		for (const { labels, weights } of fixture.balanced) {
			const outputs = Math.max(...labels) + 1;
			const task = outputs === 2 ? ({ type: 'binary', outputs: 1 } as const) : ({ type: 'multiclass', outputs } as const);
			const found = classWeightsOf('balanced', { ...task, classes: [] }, examples(labels));
			expect(found).toHaveLength(outputs);
			for (const [c, weight] of found!.entries()) expect(weight).toBeCloseTo(weights[c] ?? 1, 12);
		}
	});

	it('count every label of positions but those that do not count', () => {
		const split = { labels: Int32Array.from([0, 0, 0, 1, -1, -1]), rows: 2 } as unknown as Split;
		const task: TaskProfile = { type: 'binary', classes: [], outputs: 1, positions: [3] };
		const of = { name: 'train', split, rows: Uint32Array.of(0, 1) };
		expect(classWeightsOf('balanced', task, of)).toEqual([4 / 6, 2]);
	});

	it('are those that are named, and 1 for others', () => {
		const task: TaskProfile = { type: 'multiclass', classes: ['x', 'y', 'z'], outputs: 3 };
		expect(classWeightsOf({ z: 5, x: 0.5 }, task, examples([0]))).toEqual([0.5, 1, 5]);
		expect(classWeightsOf(undefined, task, examples([0]))).toBeNull();
	});

	it.each(fixture.positions.map((c) => [c.classes === 1 ? 'two classes by one logit' : 'three classes', c] as const))(
		'make the loss of positions that of PyTorch, and its gradient: %s',
		async (_, { classes, rows, steps, weights, z, y, loss, gradient }) => {
			const g = new GraphBuilder();
			const dtype = classes === 1 ? 'float32' : 'int64';
			const logits = g.input('z', 'float32', [rows, steps * classes]);
			const target = g.input('target', dtype, [rows, steps]);
			const ones = g.constant(
				'float32',
				[rows, 1],
				Array.from({ length: rows }, () => 1 / rows),
			);
			const form = { positions: steps, classes, classAxis: -1 } as const;
			g.output('loss', positionLossOf(g, classes === 1 ? 'binary_cross_entropy' : 'cross_entropy', form, logits, target, ones, weights));
			const found = differentiate(await canonicalise({ graph: g.build('loss'), opset: OPSET }), { loss: 'loss', wrt: ['z'] });
			const gradientName = found.gradients.get('z')!.name;
			const session = await createSession(encodeModel({ graph: found.graph, opset: OPSET }, ['loss', gradientName]));
			const result = await session.run({
				z: tensor('float32', [rows, steps * classes], z),
				target: tensor(dtype, [rows, steps], y),
			});
			await session.release();
			// float32
			expect(Number(result['loss']!.data[0])).toBeCloseTo(loss, 6);
			gradient.forEach((value, i) => void expect(Number(result[gradientName]!.data[i])).toBeCloseTo(value, 6));
		},
	);
});

describe('a job whose classes are weighed', () => {
	let dataset: StoredDataset;
	let root: string;
	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		const random = counterRandom(3, 'imbalance');
		const arrays = Object.fromEntries(
			Object.entries({ train: 300, valid: 200, test: 200 }).flatMap(([split, rows]) => {
				const labels = Int32Array.from({ length: rows }, (_, i) => (i % 10 === 0 ? 1 : 0));
				const a = Float32Array.from({ length: rows * 4 }, (_, k) => 0.4 * labels[Math.floor(k / 4)]! + random.normal());
				return [
					[`${split}_a`, { shape: [rows, 4], data: a }],
					[`${split}_labels`, { shape: [rows], data: labels }],
				];
			}),
		);
		dataset = await arrayDataset(arrays, { task: { type: 'binary', classes: ['ham', 'spam'] }, modalities: { a: {} } });
	});
	afterAll(async () => {
		await dataset.remove();
		await rm(root, { recursive: true });
	});

	async function run(training: object) {
		const output = await mkdtemp(join(root, 'job-'));
		const spec = parseJobSpec({
			...{ dataset: 'ds_1', device: 'cpu', model: { hidden: 8 }, weighting: { preset: 'uniform' } },
			training: { epochs: 15, early_stopping: null, optimizer: { learning_rate: 0.01 }, ...training },
		});
		const events: JobEventBody[] = [];
		const outcome = await train({ spec, dataset: dataset.folder, output, emit: (event) => void events.push(event), stopped: () => false });
		if (outcome.status !== 'done') throw new Error('stopped');
		const first = events.find((event) => event.type === 'epoch');
		return { result: outcome.result, first, model: await readFile(join(output, 'model.onnx')) };
	}

	it('finds the rare class, says how much each counted, and reports metrics without weights', async () => {
		const [plain, weighed] = [await run({}), await run({ class_weights: 'balanced' })];
		expect(plain.result.class_weights).toBeUndefined();
		expect(weighed.result.class_weights).toEqual({ ham: 300 / (2 * 270), spam: 300 / (2 * 30) });
		expect(weighed.result.loss).toBe('cross_entropy, weighed by class in training');
		expect(weighed.result.metrics['test']!['macro_f1']!).toBeGreaterThan(plain.result.metrics['test']!['macro_f1']!);
		// more rare rows are found at the price of common ones, which an unweighted loss shows
		expect(weighed.result.metrics['train']!['loss']!).toBeGreaterThan(plain.result.metrics['train']!['loss']!);
	});

	it('gives the bytes of the balanced rule where its weights are given by name, and those of no weights where all are 1', async () => {
		const byRule = await run({ class_weights: 'balanced', epochs: 2 });
		const byName = await run({ class_weights: byRule.result.class_weights, epochs: 2 });
		expect(byName.result.metrics).toEqual(byRule.result.metrics);
		expect(byName.first).toEqual(byRule.first);
		const [none, ones] = [await run({ epochs: 2 }), await run({ epochs: 2, class_weights: { ham: 1 } })];
		// in float32, for the weights of a batch are divided by their sum once more
		for (const [name, value] of Object.entries(none.result.metrics['test']!))
			expect(ones.result.metrics['test']![name]!, name).toBeCloseTo(value!, 5);
	});
});
