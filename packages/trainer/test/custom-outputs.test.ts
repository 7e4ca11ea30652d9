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

const vector: Head = (g, logits) => g.reshape(logits, ['N']);

describe('an uploaded graph follows PyTorch', () => {
	it.each<[string, string, Head]>([
		['one logit per row, [N, 1]', 'binary', (_, logits) => logits],
		['one logit per row, [N]', 'binary', vector],
		['two logits of a binary task, by cross entropy', 'pair', (_, logits) => logits],
		['the logits of classes', 'multiclass', (_, logits) => logits],
		['the logits of labels', 'multilabel', (_, logits) => logits],
		['one value per row, [N, 1]', 'regression', (_, values) => values],
		['one value per row, [N]', 'regression', vector],
	])('that gives %s', async (_, name, head) => {
		await follows(name, head);
	});
});
