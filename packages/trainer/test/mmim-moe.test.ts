import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differentiate } from '@steelyard/autodiff';
import { type MmimMoeConfig, parseJobSpec } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linearCongruential } from '../../../test/oracles/linear-congruential.js';
import { train } from '../src/job/train.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { lossOf } from '../src/step/loss.js';
import { smallDataset } from './small-dataset.js';
import { rowsIn, trainAs } from './training-steps.js';

type Model = { seed: number; config: MmimMoeConfig; outputs: number; rows: number; modalities: ModalityShape[] };
type Case = Model & { title: string; gradients: Record<string, [sum: number, squares: number, wave: number]> };
type Training = Model & { batch: number; steps: number; learning_rate: number; losses: number[] };
const fixture = JSON.parse(readFileSync(new URL('fixtures/mmim-moe.json', import.meta.url), 'utf8')) as {
	cases: Case[];
	training: Training;
};

/** The numbers that the oracle drew: parameters in their order, then by modality x, mask and weight. */
function drawn(model: Model): { parameters: Map<string, Tensor>; inputs: Map<string, Tensor> } {
	const next = linearCongruential(model.seed);
	const one = (): number => (next() >>> 16) / 2 ** 15 - 1;
	const numbers = (shape: readonly number[], change: (value: number, i: number) => number = (value) => value): Tensor =>
		tensor(
			'float32',
			shape,
			Array.from({ length: sizeOf(shape) }, (_, i) => change(one(), i)),
		);
	const architecture = familyArchitecture(model);
	const parameters = new Map(architecture.parameters.map(({ name, shape }) => [name, numbers(shape)] as const));
	const inputs = new Map<string, Tensor>();
	for (const { name, shape, maskedSteps } of model.modalities) {
		inputs.set(`x.${name}`, numbers([model.rows, ...shape]));
		const there = (value: number, i: number): number => {
			const [row, step] = [Math.floor(i / shape[0]!), i % shape[0]!];
			return row < 3 ? [0, 1, step === 1 ? 1 : 0][row]! : value > -0.2 ? 1 : 0;
		};
		if (maskedSteps) inputs.set(`mask.${name}`, numbers([model.rows, shape[0]!], there));
		inputs.set(
			`w.${name}`,
			numbers([model.rows, 1], (value, i) => (i === 1 ? 0 : value + 1)),
		);
	}
	return { parameters, inputs };
}

/** One-hot rows. */
const targets = (labels: readonly number[], outputs: number): number[] =>
	labels.flatMap((label) => Array.from({ length: outputs }, (_, k) => (k === label ? 1 : 0)));

/** Gradients of the mean cross entropy with the load-balance loss, by parameter. */
async function gradientsOf(c: Case, recompute: 'none' | 'segments' = 'none'): Promise<Map<string, Float32Array>> {
	const architecture = familyArchitecture(c);
	const { parameters, inputs } = drawn(c);
	const feeds = new Map([...inputs, ...parameters]);
	const labels = Array.from({ length: c.rows }, (_, i) => i % c.outputs);
	feeds.set('target', tensor('float32', [c.rows, c.outputs], targets(labels, c.outputs)));
	feeds.set('sample_weight', tensor('float32', [c.rows, 1], new Float32Array(c.rows).fill(1 / c.rows)));
	const g = new GraphBuilder();
	const values = new Map<string, Value>([...feeds].map(([name, { shape }]) => [name, g.input(name, 'float32', shape)]));
	const value = (name: string) => values.get(name)!;
	const { logits, auxiliaryLoss } = architecture
		.forward(g, { x: (m) => value(`x.${m}`), mask: (m) => value(`mask.${m}`), parameter: value }, { scope: 'model', mode: 'train' })
		.fused(c.modalities.map(({ name }) => ({ weight: value(`w.${name}`), present: value(`w.${name}`) })));
	const task = lossOf(g, 'cross_entropy', logits, value('target'), value('sample_weight'));
	g.output('loss', auxiliaryLoss === null ? task : g.add(task, auxiliaryLoss));
	const canonical = await canonicalise({ graph: g.build('forward'), opset: OPSET }, { runTimeSizes: true });
	const { graph, gradients } = differentiate(canonical, { loss: 'loss', wrt: [...parameters.keys()], recompute });
	const whole = GraphBuilder.from(graph);
	for (const [name, gradient] of gradients) whole.output(`d ${name}`, gradient);
	const session = await createSession(encodeModel({ graph: whole.build('backward'), opset: OPSET }));
	const read = Object.fromEntries([...feeds].filter(([name]) => session.inputs.some((input) => input.name === name)));
	const found = await session.run(read);
	await session.release();
	return new Map([...parameters.keys()].map((name) => [name, found[`d ${name}`]!.data as Float32Array]));
}

const summary = (gradient: Float32Array): [number, number, number] => {
	const sum = (of: (value: number, i: number) => number): number => gradient.reduce((total, value, i) => total + of(value, i), 0);
	return [sum((value) => value), sum((value) => value * value), sum((value, i) => value * Math.cos(i))];
};

describe('the gradients of mmim-moe', () => {
	for (const c of fixture.cases)
		it(`are those of PyTorch in float64: ${c.title}`, async () => {
			const found = await gradientsOf(c);
			expect([...found.keys()]).toEqual(Object.keys(c.gradients));
			for (const [name, expected] of Object.entries(c.gradients)) {
				// sums of up to a hundred numbers in float32, whose size the root of the sum of squares tells
				const size = Math.sqrt(expected[1]);
				summary(found.get(name)!).forEach((value, i) =>
					expect(Math.abs(value - expected[i]!), name).toBeLessThanOrEqual(2e-4 * (i === 1 ? size * size : size) + 2e-6),
				);
			}
		});

	it('are zero for an expert that no token goes to', async () => {
		const c = fixture.cases.find(({ title }) => title === 'more experts than tokens choose')!;
		const found = await gradientsOf(c);
		const idle = [...found].filter(([name]) => name.includes('.expert.') && c.gradients[name]![1] === 0);
		// 12 tokens choose one of 30 experts each
		expect(idle.length).toBeGreaterThanOrEqual(4 * 18);
		for (const [name, gradient] of idle)
			expect(
				gradient.every((value) => value === 0),
				name,
			).toBe(true);
	});

	it('are the same to the bit where a part of the forward pass is made again', async () => {
		for (const title of ['permod, laplace, attention', 'sequences by both directions of a gru'])
			expect(await gradientsOf(fixture.cases.find((c) => c.title === title)!, 'segments')).toEqual(
				await gradientsOf(fixture.cases.find((c) => c.title === title)!),
			);
	});
});

describe('training mmim-moe', () => {
	it('follows PyTorch in float64 for 100 steps, with sequences, sparse experts and the load-balance loss', async () => {
		const { training: c } = fixture;
		const { batch, steps, rows, outputs } = c;
		const { parameters, inputs } = drawn(c);
		const oneHot = targets(
			Array.from({ length: rows }, (_, i) => (7 * i) % 3),
			outputs,
		);
		const ofModalities = [...inputs].map(([name, { data, shape }]) => [name, rowsIn(data as Float32Array, sizeOf(shape.slice(1)))]);
		const { losses } = await trainAs(
			{
				...{ batch, steps, rows },
				architecture: familyArchitecture(c),
				loss: 'cross_entropy',
				learningRate: c.learning_rate,
				initial: new Map([...parameters].map(([name, { data }]) => [name, data as Float32Array])),
				inputs: { ...Object.fromEntries(ofModalities), target: rowsIn(oneHot, outputs) },
			},
			steps,
		);
		// float32 against float64: rounding of some 1e-7, as long as every token chooses the same experts
		c.losses.forEach((expected, i) => expect(Math.abs(losses[i]! - expected), `step ${i}`).toBeLessThan(2e-5));
	});
});

describe('a job of mmim-moe', () => {
	let dataset: Awaited<ReturnType<typeof smallDataset>>;
	beforeAll(async () => {
		dataset = await smallDataset('multiclass');
	});
	afterAll(() => dataset.remove());

	const run = async () => {
		const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		const spec = parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { family: 'mmim-moe', width: 8, layers: 1, experts: 5, top_k: 1, expert_hidden: 8, sequence: { hidden: 4 } },
			training: { epochs: 15, batch_size: 16, optimizer: { learning_rate: 0.01 } },
		});
		const outcome = await train({ spec, dataset: dataset.folder, output, earlier: [], emit: () => {}, stopped: () => false });
		if (outcome.status !== 'done') throw new Error('stopped');
		const bytes = await readFile(join(output, 'model.onnx'));
		await rm(output, { recursive: true });
		return { result: outcome.result, bytes };
	};

	it('tells how much each router uses each expert, as the exported graph does', async () => {
		const { result, bytes } = await run();
		expect(Object.keys(result.expert_use ?? {})).toEqual(['0.a', '0.b', '0.c']);
		const session = await createSession(bytes);
		expect(session.outputs.map(({ name }) => name)).toEqual([
			'prediction',
			'probabilities',
			'logits',
			'modality_weights',
			...['a', 'b', 'c'].map((m) => `expert_use.0.${m}`),
		]);
		await session.release();
		for (const shares of Object.values(result.expert_use ?? {})) {
			expect(shares).toHaveLength(5);
			expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1, 6);
			// 40 rows of the test split choose one expert each
			for (const share of shares) expect(40 * share).toBeCloseTo(Math.round(40 * share), 5);
		}
	});

	it('learns, with noise, dropout, masks and a batch that is not full, and gives the same bytes again', async () => {
		const { result, bytes } = await run();
		expect(result.metrics['test']!['accuracy']).toBeGreaterThan(0.7);
		expect((await run()).bytes.equals(bytes)).toBe(true);
	});
});
