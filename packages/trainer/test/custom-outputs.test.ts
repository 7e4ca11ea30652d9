import type { CustomConfig, TaskProfile, TaskType } from '@steelyard/contracts';
import { tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import type { LossName } from '../src/step/loss.js';
import { type Head, ownFixture, ownNetwork } from './own-graph.js';
import { ownInitial, rowsIn, trainAs } from './training-steps.js';
import { uploadedArchitecture } from './uploaded-architecture.js';

/** How the network is written, and fields of the job's model. */
type Options = { outFirst?: boolean; more?: Partial<CustomConfig> };

const TASKS: Record<string, { type: TaskType; loss: LossName }> = {
	binary: { type: 'binary', loss: 'binary_cross_entropy' },
	pair: { type: 'binary', loss: 'binary_cross_entropy' },
	multiclass: { type: 'multiclass', loss: 'cross_entropy' },
	multilabel: { type: 'multilabel', loss: 'binary_cross_entropy' },
	regression: { type: 'regression', loss: 'mse' },
	lora: { type: 'multiclass', loss: 'cross_entropy' },
};

function architectureOf(name: string, head: Head, { outFirst = false, more = {} }: Options = {}) {
	const { type } = TASKS[name]!;
	const of = ownFixture.cases[name]!;
	const task: TaskProfile = { type, classes: [], outputs: name === 'pair' ? 1 : of.outputs };
	const modalities = [{ name: 'x', shape: [ownFixture.inputs], maskedSteps: false }];
	const config = { inputs: { x: 'x' }, output: 'y', batch_norm: 'train' as const, ...more };
	return uploadedArchitecture(ownNetwork(of, head, outFirst), config, task, modalities);
}

async function follows(name: string, head: Head, options: Options = {}): Promise<void> {
	const { inputs, batch, steps, rows, learning_rate: learningRate } = ownFixture;
	const { x, y, initial, losses, final, outputs } = ownFixture.cases[name]!;
	const architecture = await architectureOf(name, head, options);
	const oneHot = (label: number): number[] => Array.from({ length: outputs }, (_, k) => (k === label ? 1 : 0));
	const target = TASKS[name]!.loss === 'cross_entropy' ? y.flatMap(oneHot) : y;
	const found = await trainAs(
		{
			...{ architecture, batch, steps, rows, learningRate, loss: TASKS[name]!.loss, optimizer: { name: 'sgd' } },
			// of a low-rank update the oracle drew its own A
			initial: new Map([...ownInitial(architecture)].map(([parameter, own]) => [parameter, initial[parameter] ?? own])),
			inputs: { 'x.x': rowsIn(x, inputs), target: rowsIn(target, architecture.outputs) },
		},
		steps,
	);
	// float32 against float64 over 50 steps
	found.losses.forEach((loss, i) => expect(Math.abs(loss - losses[i]!)).toBeLessThan(1e-5));
	for (const [parameter, { data }] of found.parameters) {
		const wanted = final[parameter.replace(/^\d+\./, '')]!;
		data.forEach((value, i) => expect(Math.abs(Number(value) - wanted[i]!), parameter).toBeLessThan(1e-4));
	}
}

const softmax =
	(axis: number): Head =>
	(g, logits) =>
		g.op('Softmax', [logits], { axis });
const vector: Head = (g, logits) => g.reshape(logits, ['N']);

describe('low-rank updates', () => {
	const lora = { match: ['w*'], rank: ownFixture.rank, alpha: ownFixture.alpha };

	for (const outFirst of [false, true])
		it(`follow PyTorch, of matrices stored as ${outFirst ? '[out, in]' : '[in, out]'}`, async () => {
			await follows('lora', (_, logits) => logits, { outFirst, more: { lora } });
		});

	it('are all that is trained but for what the job names, and begin by the seed without a change', async () => {
		const names = async (more: Partial<CustomConfig>) =>
			(await architectureOf('lora', (_, z) => z, { more })).parameters.map(({ name }) => name);
		expect(await names({ lora })).toEqual(['w1.lora_A', 'w1.lora_B', 'w2.lora_A', 'w2.lora_B']);
		expect(await names({ lora: { ...lora, match: ['w2'] }, trainable: ['b*'] })).toEqual(['0.b1', '1.b2', 'w2.lora_A', 'w2.lora_B']);
		const { initial } = await architectureOf('lora', (_, z) => z, { more: { lora } });
		const begin = (seed: number) => initial(seed, 0).get('w1.lora_A') as Float32Array;
		expect(begin(1)).toEqual(begin(1));
		expect(begin(2)).not.toEqual(begin(1));
		expect(begin(1).every((value) => value !== 0 && Math.abs(value) <= 1 / Math.sqrt(ownFixture.inputs))).toBe(true);
		expect((initial(1, 0).get('w1.lora_B') as Float32Array).every((value) => value === 0)).toBe(true);
	});

	it('are refused for a matrix that no product reads', async () => {
		const head: Head = (g, logits) =>
			g.add(logits, g.reduceSum(g.initializer('table', tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6])), [0]));
		await expect(architectureOf('lora', head, { more: { lora: { match: ['table'], rank: 1 } } })).rejects.toMatchObject({
			param: 'model.lora.match',
			message: expect.stringMatching(/No MatMul or Gemm of the model reads "table"/),
		});
	});
});

describe('an uploaded graph follows PyTorch', () => {
	it.each<[string, string, Head]>([
		['one logit per row, [N, 1]', 'binary', (_, logits) => logits],
		['one logit per row, [N]', 'binary', vector],
		['two logits of a binary task, by cross entropy', 'pair', (_, logits) => logits],
		['the logits of classes', 'multiclass', (_, logits) => logits],
		['the logits of labels', 'multilabel', (_, logits) => logits],
		['the Softmax of two logits', 'pair', softmax(1)],
		['the LogSoftmax of two logits', 'pair', (g, logits) => g.op('LogSoftmax', [logits], { axis: 1 })],
		[
			'the Softmax of logits, in another shape',
			'multiclass',
			(g, logits) => g.reshape(softmax(-1)(g, g.reshape(logits, ['N', 1, 3])), ['N', 3]),
		],
		['the logarithm of a Softmax', 'multiclass', (g, logits) => g.op('Log', [softmax(1)(g, logits)])],
		['the Sigmoid of a logit', 'binary', (g, logits) => g.op('Identity', [vector(g, g.op('Sigmoid', [logits]))])],
		['the Sigmoid of labels in float64', 'multilabel', (g, logits) => g.cast(g.op('Sigmoid', [g.cast(logits, 'float64')]), 'float32')],
		['one value per row, [N, 1]', 'regression', (_, values) => values],
		['one value per row, [N]', 'regression', vector],
	])('that gives %s', async (_, name, head) => {
		await follows(name, head);
	});

	it.each<[string, string, Head, RegExp]>([
		['the Softmax of labels', 'multilabel', softmax(1), /ends in Softmax, but a multilabel task is trained on logits or their Sigmoid/],
		['the Sigmoid of classes', 'multiclass', (g, logits) => g.op('Sigmoid', [logits]), /ends in Sigmoid, but a multiclass task/],
		['the Softmax of one logit', 'binary', softmax(1), /ends in Softmax, but a binary task with one number per row/],
		['the Sigmoid of each of two logits', 'pair', (g, logits) => g.op('Sigmoid', [logits]), /a binary task with two numbers per row/],
		['a Softmax over the batch', 'multiclass', softmax(0), /over axis 0 of \[2, 3\] for 2 rows, which is not that of the 3 classes/],
		[
			'a Clip of probabilities',
			'binary',
			(g, logits) => g.op('Clip', [g.op('Sigmoid', [logits]), g.scalar(1e-7), g.scalar(1 - 1e-7)]),
			/has Clip behind its Sigmoid.*export the model without Clip/,
		],
		['the logarithm of a Sigmoid', 'binary', (g, logits) => g.op('Log', [g.op('Sigmoid', [logits])]), /has Log behind its Sigmoid/],
	])('is refused that gives %s', async (_, name, head, message) => {
		await expect(architectureOf(name, head)).rejects.toMatchObject({
			code: 'invalid_model',
			param: 'model.output',
			message: expect.stringMatching(message),
		});
	});

	it('may give a value of a regression by a Sigmoid, which is part of the model', async () => {
		const { probabilities } = await architectureOf('regression', (g, values) => g.op('Sigmoid', [values]));
		expect(probabilities).toBeNull();
	});
});
