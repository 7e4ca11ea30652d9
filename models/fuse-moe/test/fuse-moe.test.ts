import { readFileSync } from 'node:fs';
import type { FuseMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, inference, type ModalityShape } from '@steelyard/family';
import { encodeModel, GraphBuilder, OPSET, type Shape, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { fuseMoe } from '../src/index.js';

type Numbers = { shape: number[]; values: number[] };
type Case = {
	title: string;
	config: FuseMoeConfig;
	outputs: number;
	rows: number;
	modalities: ModalityShape[];
	parameters: Array<Numbers & { name: string }>;
	inputs: Record<string, Numbers>;
	embeddings: Record<string, number[]>;
	logits: number[];
	auxiliary: number;
	statistics: Record<string, number[]>;
};
const { cases } = JSON.parse(readFileSync(new URL('fixtures/forward.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Adds the family's whole pass to a graph; outputs `embedding.<modality>`, `logits`, `auxiliary` and `expert_use.<layer>.<router>`. */
function addForward(
	g: GraphBuilder,
	context: ForwardContext,
	{ config, modalities }: Case,
	input: (name: string) => Value,
): ReadonlyMap<string, Value> {
	const weighted = modalities.map((modality) => {
		const mask = modality.maskedSteps ? input(`mask.${modality.name}`) : null;
		const embedding = fuseMoe.encode(context, config, modality, { x: input(`x.${modality.name}`), mask });
		expect(embedding.shape.slice(1)).toEqual(fuseMoe.embeddingShape(config, modality));
		g.output(`embedding.${modality.name}`, embedding);
		const weight = input(`w.${modality.name}`);
		// a weight of 0 stands for a missing modality in the oracle
		const present = g.cast(g.op('Greater', [weight, g.scalar(0)], {}, { dtype: 'bool' }), 'float32');
		return { modality, embedding: g.mul(embedding, g.reshape(weight, [weight.shape[0]!, 1, 1])), weight, present };
	});
	const { logits, auxiliaryLoss, expertUse } = fuseMoe.fuse(context, config, weighted);
	expect(auxiliaryLoss!.shape).toEqual([]);
	const uses = [...expertUse].map(([router, use]): [string, Value] => [`expert_use.${router}`, use]);
	const found = new Map([['logits', logits], ['auxiliary', auxiliaryLoss!], ...uses]);
	for (const [name, value] of found) g.output(name, value);
	return found;
}

/** Runs the family's graph; `batch` is the first dimension as the graph knows it. */
async function forward(c: Case, batch: number | string): Promise<Record<string, Tensor>> {
	const g = new GraphBuilder();
	const feeds: Record<string, Tensor> = {};
	for (const { name, shape, values } of c.parameters) g.initializer(name, tensor('float32', shape, values));
	const added = addForward(
		g,
		inference(g, (name) => g.value(name)),
		c,
		(name) => {
			const { shape, values } = c.inputs[name]!;
			feeds[name] = tensor('float32', shape, values);
			return g.input(name, 'float32', [batch, ...shape.slice(1)]);
		},
	);
	expect(added.get('logits')!.shape).toEqual([batch, c.outputs]);
	const session = await createSession(encodeModel({ graph: g.build('forward'), opset: OPSET }));
	const found = await session.run(feeds);
	await session.release();
	return found;
}

/** float32 against float64: two layers of attention and experts over normalised numbers of about 1. */
const expectNear = (found: Tensor, expected: readonly number[]): void => {
	expect(found.data).toHaveLength(expected.length);
	expected.forEach((value, i) =>
		expect(Math.abs((found.data[i] as number) - value)).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(value))),
	);
};
const withInput = (c: Case, name: string, change: (value: number, i: number) => number): Case => {
	const { shape, values } = c.inputs[name]!;
	return { ...c, inputs: { ...c.inputs, [name]: { shape, values: values.map(change) } } };
};

describe('fuse-moe gives the embeddings, logits, load balance and use of the experts of PyTorch in float64', () => {
	for (const c of cases)
		for (const batch of [c.rows, 'batch'])
			it(`${c.title}, batch ${typeof batch === 'number' ? 'of a size' : 'without a size'}`, async () => {
				const found = await forward(c, batch);
				for (const { name } of c.modalities) expectNear(found[`embedding.${name}`]!, c.embeddings[name]!);
				expectNear(found['logits']!, c.logits);
				expectNear(found['auxiliary']!, [c.auxiliary]);
				const told = Object.keys(found).filter((name) => name.startsWith('expert_use'));
				expect(told.toSorted()).toEqual(Object.keys(c.statistics).toSorted());
				for (const [name, values] of Object.entries(c.statistics)) expectNear(found[name]!, values);
			});
});

describe('fuse-moe', () => {
	const clinic = cases[0]!;

	it('does not look at steps that the mask leaves out, nor at their times', async () => {
		const timed = cases[1]!;
		const mask = timed.inputs['mask.a']!.values;
		const found = await forward(
			withInput(timed, 'x.a', (value, i) => (mask[Math.floor(i / 3)] === 0 ? 50 - value : value)),
			'batch',
		);
		expectNear(found['logits']!, timed.logits);
	});

	it('predicts for a modality of weight 0 what it predicts whatever its values', async () => {
		const gone = withInput(clinic, 'w.notes', () => 0);
		const [one, other] = [
			await forward(gone, 'batch'),
			await forward(
				withInput(gone, 'x.notes', (value) => 3 - value),
				'batch',
			),
		];
		expect(other['logits']).toEqual(one['logits']);
		expect(
			(
				await forward(
					withInput(clinic, 'x.notes', (value) => 3 - value),
					'batch',
				)
			)['logits'],
		).not.toEqual((await forward(clinic, 'batch'))['logits']);
	});

	it('hears a weight in the prediction, although the layers normalise the tokens', async () => {
		const half = withInput(clinic, 'w.vitals', (value) => value / 2);
		const found = (await forward(half, 'batch'))['logits']!.data as Float32Array;
		const changes = clinic.logits.map((value, i) => Math.abs(value - found[i]!));
		// row 1 has the vitals alone
		expect(Math.max(changes[2]!, changes[3]!)).toBeGreaterThan(0.01);
	});

	it('drops from tokens, attention, each branch and the head, and has noise on the scores where it is asked for', () => {
		const sites = (config: FuseMoeConfig) => {
			const asked: { dropped: Array<readonly [Shape, number]>; noise: number[][] } = { dropped: [], noise: [] };
			const g = new GraphBuilder();
			const c = { ...clinic, config };
			const specs = fuseMoe.parameters(config, c.modalities, c.outputs);
			const parameters = new Map(specs.map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
			const context: ForwardContext = {
				g,
				parameter: (name) => parameters.get(name)!,
				dropout: (x, rate) => {
					if (rate > 0) asked.dropped.push([x.shape, rate]);
					return x;
				},
				noise: (shape) => {
					asked.noise.push([...shape]);
					return g.input(`noise.${asked.noise.length}`, 'float32', shape);
				},
			};
			addForward(g, context, c, (name) => g.input(name, 'float32', c.inputs[name]!.shape));
			return asked;
		};
		const { dropped, noise } = sites({ ...clinic.config, layers: 1, dropout: 0.3 });
		// three modalities: tokens; self attention, cross attention, each with its branch; experts; one head
		expect(dropped).toHaveLength(3 + 3 * 2 + 3 * 2 + 3 + 1);
		expect(new Set(dropped.map(([, rate]) => rate))).toEqual(new Set([0.3]));
		expect(noise).toEqual([
			[10, 3],
			[5, 3],
			[10, 3],
		]);
		expect(sites({ ...clinic.config, dropout: 0, noisy: false })).toEqual({ dropped: [], noise: [] });
	});

	it('counts as work what tokens, steps and rows meet, and of the experts those that a token goes to', () => {
		const config: FuseMoeConfig = { ...clinic.config, layers: 1, tokens: 2, experts: 4, top_k: 2, router: 'joint', noisy: false };
		const vector = { name: 'v', shape: [3], maskedSteps: false };
		const [width, hidden] = [4, 3];
		const linear = (inputs: number, outputs: number) => (inputs + 1) * outputs;
		// one token: encoder, position, a self attention, two norms and the last one, the router, half of four experts, the head
		const alone =
			linear(3, width) +
			linear(width, width) +
			width +
			4 * linear(width, width) +
			3 * 2 * width +
			width * 4 +
			2 * (linear(width, hidden) + linear(hidden, width)) +
			linear(width, width) +
			linear(width, 2);
		expect(fuseMoe.work!(config, [vector], 2, 10)).toBe(10 * alone);
		const more = (change: Partial<FuseMoeConfig>) => fuseMoe.work!({ ...config, ...change }, clinic.modalities, 2, 10);
		// five tokens of three modalities: another four experts cost their columns of the router
		expect(more({ experts: 8 }) - more({})).toBeCloseTo(10 * (5 / 3) * 4 * width, 5);
		const own = 5 / 3;
		const attentions = 3 * 4 * linear(width, width) * own + 3 * 2 * linear(width, width) * (own + 2 * own);
		const rest = 9 * 2 * width * own + width * 4 * own + 2 * (linear(width, hidden) + linear(hidden, width)) * 5;
		expect(more({ layers: 2 }) - more({})).toBeCloseTo(10 * (attentions + rest), 5);
		expect(more({ router: 'disjoint' })).toBeCloseTo(more({ router: 'permod' }), 5);
		expect(more({ tokens: 8 })).toBeGreaterThan(2 * more({ tokens: 2 }));
	});

	for (const { title, config, modalities, outputs, parameters } of cases)
		it(`has the parameters that its forward pass reads, in order: ${title}`, () => {
			const specs = fuseMoe.parameters(config, modalities, outputs);
			expect(specs.map(({ name, shape }) => ({ name, shape }))).toEqual(parameters.map(({ name, shape }) => ({ name, shape })));
			expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
		});
});
