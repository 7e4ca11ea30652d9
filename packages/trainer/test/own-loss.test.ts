import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CustomConfig, Explanation } from '@steelyard/contracts';
import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';
import { trainGraph } from './train-graph.js';

type Rows = { width: number; data: number[] };
type Case = {
	name: string;
	graph: string;
	splits: Record<'train' | 'valid', Record<string, Rows>>;
	train: number[];
	valid: number[];
	final: Record<string, number[]>;
};
const folder = new URL('fixtures/own-loss/', import.meta.url);
/** What test/oracles/own_loss.py made. */
const fixture = JSON.parse(await readFile(new URL('training.json', folder), 'utf8')) as {
	batch: number;
	epochs: number;
	seed: number;
	learning_rate: number;
	weight_decay: number;
	cases: Case[];
};
const caseOf = (name: string): Case => fixture.cases.find((one) => one.name === name)!;
const graphOf = (name: string): Promise<Uint8Array> => readFile(new URL(caseOf(name).graph, folder));

/** The data of a case, whose `y` are the labels, as class numbers or values; where it has none, all labels are the value 0. */
async function datasetOf(name: string) {
	const arrays: Record<string, Npy> = {};
	for (const [split, inputs] of Object.entries(caseOf(name).splits)) {
		const { y, ...modalities } = inputs;
		let rows = 0;
		for (const [modality, { width, data }] of Object.entries(modalities)) {
			rows = data.length / width;
			arrays[`${split}_${modality}`] = { shape: [rows, width], data: Float32Array.from(data) };
		}
		const labels = y?.data ?? new Array<number>(rows).fill(0);
		arrays[`${split}_labels`] = { shape: [rows], data: name === 'weighted' ? Int32Array.from(labels) : Float32Array.from(labels) };
	}
	return arrayDataset(arrays);
}

type Run = {
	graph?: Uint8Array;
	data?: StoredDataset;
	training?: object;
	model?: Partial<CustomConfig>;
	stopAfter?: number;
	earlier?: string[];
};

/** Trains the graph of a case on its data with the settings of the oracle. */
async function run(name: string, { graph, data, training = {}, model = {}, stopAfter, earlier = [] }: Run = {}) {
	const { y, ...modalities } = caseOf(name).splits.train;
	const dataset = data ?? (await datasetOf(name));
	try {
		return await trainGraph(dataset.folder, graph ?? (await graphOf(name)), {
			model: {
				inputs: Object.fromEntries(Object.keys(modalities).map((modality) => [modality, modality])),
				...(y === undefined ? {} : { labels: 'y' }),
				loss: { output: 'loss' },
				...model,
			},
			training: {
				epochs: fixture.epochs,
				batch_size: fixture.batch,
				seed: fixture.seed,
				early_stopping: null,
				optimizer: { name: 'adamw', learning_rate: fixture.learning_rate, weight_decay: fixture.weight_decay },
				...training,
			},
			...(stopAfter === undefined ? {} : { stopAfter }),
			earlier,
		});
	} finally {
		await dataset.remove();
	}
}

/** The result of a job that came to its end. */
async function done(name: string, options: Run = {}) {
	const { outcome, ...rest } = await run(name, options);
	if (outcome.status !== 'done') throw new Error('stopped');
	return { ...rest, ...outcome };
}

const near = (found: number | null | undefined, wanted: number, tolerance: number): void =>
	expect(Math.abs((found as number) - wanted)).toBeLessThan(tolerance);

describe('a graph that computes its loss itself', () => {
	for (const [name, model] of [
		['clip', {}],
		['clip-rest', {}],
		['weighted', { output: 'logits' }],
		['weighted', {}],
		['quantile', {}],
	] as const)
		it(`follows PyTorch for 50 steps: ${name}${'output' in model ? ', with its logits' : ''}`, async () => {
			const { train: losses, valid, final } = caseOf(name);
			const { epochs, result, trained } = await done(name, { model });
			expect(epochs).toHaveLength(losses.length);
			// float32 against float64 over 50 steps
			epochs.forEach((epoch, i) => {
				near(epoch.train_loss, losses[i]!, 2e-5);
				near(epoch.validation['loss'], valid[i]!, 2e-5);
			});
			near(result.metrics['validation']?.['loss'], Math.min(...valid), 2e-5);
			expect(result.best_epoch).toBe(valid.indexOf(Math.min(...valid)));
			expect(result.loss).toBe('the output "loss" of the graph');
			if (result.best_epoch !== losses.length - 1) return;
			const { initializers } = decodeModel(await trained()).graph;
			for (const [parameter, numbers] of Object.entries(final))
				(initializers.get(parameter)!.data as Float32Array).forEach((value, i) => near(value, numbers[i]!, 1e-4));
		});

	it('has the metrics of its predictions where it names them, and else the loss alone', async () => {
		const withLogits = await done('weighted', { model: { output: 'logits' } });
		const alone = await done('weighted');
		expect(Object.keys(withLogits.result.metrics['validation']!)).toEqual([
			'loss',
			'accuracy',
			'macro_f1',
			'weighted_f1',
			'auroc',
			'auprc',
		]);
		expect(alone.result.metrics['validation']).toEqual({ loss: withLogits.result.metrics['validation']?.['loss'] });
		expect(await alone.trained()).toEqual(await withLogits.trained());
		expect(alone.result.warnings).toEqual([]);
		const { instances } = JSON.parse(await readFile(join(alone.output, 'explanation.json'), 'utf8')) as Explanation;
		expect(instances).toEqual({ x: { most_trusted: [], least_trusted: [] } });
	});

	it('is chosen by a metric of its predictions where the job says so', async () => {
		const { epochs, result } = await done('weighted', {
			model: { output: 'logits' },
			training: { early_stopping: { metric: 'accuracy', patience: 10 } },
		});
		const accuracies = epochs.map(({ validation }) => validation['accuracy']!);
		expect(result.best_epoch).toBe(accuracies.indexOf(Math.max(...accuracies)));
	});

	it('gives the same bytes when it is stopped and resumed', async () => {
		const whole = await done('clip-rest');
		const first = await run('clip-rest', { stopAfter: 3 });
		expect(first.outcome.status).toBe('stopped');
		const second = await done('clip-rest', { earlier: [first.output] });
		expect(await second.trained()).toEqual(await whole.trained());
		expect(second.result.metrics).toEqual(whole.result.metrics);
	});

	/** A linear classifier with its cross entropy. */
	const linear = (batch: number | string, reduction: 'mean' | 'none'): Uint8Array => {
		const g = new GraphBuilder();
		const [x, y] = [g.input('x', 'float32', [batch, 4]), g.input('y', 'int64', [batch])];
		const logits = g.matMul(x, g.initializer('w', tensor('float32', [4, 3], new Float32Array(12).fill(0.1))));
		g.output('loss', g.op('SoftmaxCrossEntropyLoss', [logits, y], { reduction }, { dtype: 'float32', shape: [] }));
		return encodeModel({ graph: g.build('linear'), opset: OPSET });
	};

	it('of a fixed batch is judged on whole batches, and needs one of training and of validation', async () => {
		const { result, trained } = await done('weighted', { graph: linear(8, 'mean'), training: { epochs: 2 } });
		const session = await createSession(await trained());
		const { x, y } = caseOf('weighted').splits.valid;
		const found = await session.run({
			x: tensor('float32', [8, 4], x!.data.slice(0, 8 * 4)),
			y: tensor('int64', [8], y!.data.slice(0, 8)),
		});
		await session.release();
		near(result.metrics['validation']?.['loss'], (found['loss']!.data as Float32Array)[0]!, 1e-6);
		await expect(run('weighted', { graph: linear(16, 'mean'), training: { batch_size: 16 } })).rejects.toMatchObject({
			code: 'invalid_dataset',
			message: expect.stringMatching(/over exactly 16 rows, but there are 13 rows of validation/),
		});
	});

	it('takes labels of positions with the index of those that do not count', async () => {
		const arrays: Record<string, Npy> = {};
		for (const split of ['train', 'valid']) {
			arrays[`${split}_x`] = { shape: [16, 4], data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)) };
			arrays[`${split}_labels`] = { shape: [16, 2], data: Int32Array.from({ length: 32 }, (_, i) => (i % 5 === 0 ? -7 : i % 3)) };
		}
		const task = { type: 'multiclass', per: 'position', ignore_index: -7, classes: ['a', 'b', 'c'] };
		const g = new GraphBuilder();
		const [x, y] = [g.input('x', 'float32', ['N', 4]), g.input('y', 'int64', ['N', 2])];
		const flat = g.matMul(x, g.initializer('w', tensor('float32', [4, 6], new Float32Array(24).fill(0.1))));
		const logits = g.reshape(flat, ['N', 3, 2]);
		g.output(
			'loss',
			g.op('SoftmaxCrossEntropyLoss', [logits, y], { reduction: 'mean', ignore_index: -7 }, { dtype: 'float32', shape: [] }),
		);
		const { result } = await done('weighted', {
			graph: encodeModel({ graph: g.build('positions'), opset: OPSET }),
			data: await arrayDataset(arrays, { task, modalities: { x: {} } }),
			training: { epochs: 1, optimizer: { name: 'sgd', learning_rate: 1e-9 } },
		});
		near(result.metrics['validation']?.['loss'], Math.log(3), 1e-6); // equal logits
	});

	it('is refused where it gives a loss for each row, also where only a run shows it', async () => {
		await expect(run('weighted', { graph: linear('N', 'none') })).rejects.toMatchObject({
			code: 'invalid_model',
			param: 'model.loss.output',
			message: expect.stringMatching(/is \[2\] for 2 rows; a loss is one number/),
		});
	});
});
