import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CustomConfig, TaskProfile, TaskType } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customArchitecture } from '../src/custom/custom-architecture.js';
import { readGraphFile } from '../src/custom/graph-file.js';
import { openUploaded } from '../src/custom/uploaded.js';
import type { LossName } from '../src/step/loss.js';
import { ownInitial, rowsIn, trainAs } from './training-steps.js';

type Case = {
	outputs: number;
	x: number[];
	y: number[];
	initial: Record<string, number[]>;
	losses: number[];
	final: Record<string, number[]>;
};
const fixture = JSON.parse(readFileSync(new URL('fixtures/custom-training.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	inputs: number;
	hidden: number;
	learning_rate: number;
	cases: Record<string, Case>;
};

let root = '';
beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
});
afterAll(() => rm(root, { recursive: true }));

/** What a graph makes of the logits of the oracle's network. */
type Head = (g: GraphBuilder, logits: Value) => Value;

/** The oracle's network, tanh(x·w1 + b1)·w2 + b2, as a graph of one's own. */
function network({ outputs, initial }: Case, head: Head): Uint8Array {
	const g = new GraphBuilder();
	const parameter = (name: string, shape: number[]): Value => g.initializer(name, tensor('float32', shape, initial[name]!));
	const { inputs, hidden } = fixture;
	const x = g.input('x', 'float32', ['N', inputs]);
	const h = g.op('Tanh', [g.add(g.matMul(x, parameter('w1', [inputs, hidden])), parameter('b1', [hidden]))]);
	const logits = g.add(g.matMul(h, parameter('w2', [hidden, outputs])), parameter('b2', [outputs]));
	g.output('y', head(g, logits));
	return encodeModel({ graph: g.build('network'), opset: OPSET });
}

const TASKS: Record<string, { type: TaskType; loss: LossName }> = {
	binary: { type: 'binary', loss: 'binary_cross_entropy' },
	pair: { type: 'binary', loss: 'binary_cross_entropy' },
	multiclass: { type: 'multiclass', loss: 'cross_entropy' },
	multilabel: { type: 'multilabel', loss: 'binary_cross_entropy' },
	regression: { type: 'regression', loss: 'mse' },
};

async function architectureOf(name: string, head: Head) {
	const { type } = TASKS[name]!;
	const of = fixture.cases[name]!;
	const task: TaskProfile = { type, classes: [], outputs: name === 'pair' ? 1 : of.outputs };
	const modalities = [{ name: 'x', shape: [fixture.inputs], maskedSteps: false }];
	const config: CustomConfig = { family: 'custom', model: 'mdl_1', inputs: { x: 'x' }, output: 'y', batch_norm: 'train' };
	const file = join(root, `${name}.onnx`);
	await writeFile(file, network(of, head));
	const uploaded = await openUploaded(await readGraphFile(file), config, { modalities, task, weighted: false });
	return customArchitecture(uploaded, modalities, modalities);
}

async function follows(name: string, head: Head): Promise<void> {
	const { inputs, batch, steps, rows, learning_rate: learningRate } = fixture;
	const { x, y, losses, final, outputs } = fixture.cases[name]!;
	const architecture = await architectureOf(name, head);
	const oneHot = (label: number): number[] => Array.from({ length: outputs }, (_, k) => (k === label ? 1 : 0));
	const target = name === 'multiclass' ? y.flatMap(oneHot) : y;
	const found = await trainAs(
		{
			...{ architecture, batch, steps, rows, learningRate, loss: TASKS[name]!.loss, optimizer: { name: 'sgd' } },
			initial: ownInitial(architecture),
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
