import { readFileSync } from 'node:fs';
import type { MmimMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, inference, type ModalityShape } from '@steelyard/family';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { linearCongruential } from '../../../test/oracles/linear-congruential.js';
import { mmimMoe } from '../src/index.js';

type Case = {
	title: string;
	seed: number;
	config: MmimMoeConfig;
	outputs: number;
	rows: number;
	modalities: ModalityShape[];
	embeddings: number[][];
	logits: number[];
	auxiliary: number;
	use: Record<string, number[]>;
};
const { cases } = JSON.parse(readFileSync(new URL('fixtures/forward.json', import.meta.url), 'utf8')) as { cases: Case[] };
const named = (title: string): Case => cases.find((c) => c.title === title)!;

/** The numbers that the oracle drew: parameters in their order, then by modality x, mask and weight. */
function drawn({ seed, config, modalities, outputs, rows }: Case): { parameters: Map<string, Tensor>; inputs: Record<string, Tensor> } {
	const next = linearCongruential(seed);
	const one = (): number => (next() >>> 16) / 2 ** 15 - 1;
	const numbers = (shape: readonly number[]): Tensor =>
		tensor(
			'float32',
			shape,
			Array.from({ length: sizeOf(shape) }, () => one()),
		);
	const specs = mmimMoe.parameters(config, modalities, outputs);
	const parameters = new Map(specs.map(({ name, shape }) => [name, numbers(shape)] as const));
	const inputs: Record<string, Tensor> = {};
	for (const { name, shape, maskedSteps } of modalities) {
		inputs[`x.${name}`] = numbers([rows, ...shape]);
		if (maskedSteps) {
			const mask = (numbers([rows, shape[0]!]).data as Float32Array).map((value) => (value > -0.2 ? 1 : 0));
			mask.fill(0, 0, shape[0]!);
			mask.fill(1, shape[0]!, 2 * shape[0]!);
			mask.set(
				Array.from({ length: shape[0]! }, (_, t) => (t === 1 ? 1 : 0)),
				2 * shape[0]!,
			);
			inputs[`mask.${name}`] = tensor('float32', [rows, shape[0]!], mask);
		}
		const weights = (numbers([rows, 1]).data as Float32Array).map((value) => value + 1);
		weights[1] = 0;
		inputs[`w.${name}`] = tensor('float32', [rows, 1], weights);
	}
	return { parameters, inputs };
}

type Setting = {
	batch?: number | string;
	inputs?: Record<string, Tensor>;
	context?: (g: GraphBuilder, context: ForwardContext) => ForwardContext;
};

/** Runs the family's graph; `batch` is the first dimension as the graph knows it. */
async function forward(c: Case, { batch = c.rows, inputs = drawn(c).inputs, context = (_, same) => same }: Setting = {}) {
	const { config, modalities, outputs } = c;
	const g = new GraphBuilder();
	for (const [name, value] of drawn(c).parameters) g.initializer(name, value);
	const own = context(
		g,
		inference(g, (name) => g.value(name)),
	);
	const input = (name: string): Value => g.input(name, 'float32', [batch, ...inputs[name]!.shape.slice(1)]);
	const weighted = modalities.map((modality) => {
		const mask = modality.maskedSteps ? input(`mask.${modality.name}`) : null;
		const embedding = mmimMoe.encode(own, config, modality, { x: input(`x.${modality.name}`), mask });
		expect(embedding.shape).toEqual([batch, ...mmimMoe.embeddingShape(config, modality)]);
		g.output(`embedding.${modality.name}`, embedding);
		const weight = input(`w.${modality.name}`);
		// a weight of 0 stands for a missing modality in the oracle
		const present = g.cast(g.op('Greater', [weight, g.scalar(0)], {}, { dtype: 'bool' }), 'float32');
		return { modality, embedding: g.mul(embedding, weight), weight, present };
	});
	const { logits, auxiliaryLoss, expertUse } = mmimMoe.fuse(own, config, weighted);
	expect(logits.shape).toEqual([batch, outputs]);
	g.output('logits', logits);
	if (auxiliaryLoss !== null) g.output('auxiliary', auxiliaryLoss);
	const uses = [...expertUse].map(([router, use]): [string, Value] => [`expert_use.${router}`, use]);
	for (const [name, value] of uses) {
		expect(value.shape).toEqual([batch, config.experts]);
		g.output(name, value);
	}
	const session = await createSession(encodeModel({ graph: g.build('forward'), opset: OPSET }));
	const found = await session.run(inputs);
	await session.release();
	return { found, uses: uses.map(([name]) => name) };
}

/** float32 against float64: sums of some ten products of numbers of about 1, some twenty layers deep. */
const expectNear = (found: Tensor, expected: readonly number[], tolerance = 2e-5): void => {
	expect(found.data).toHaveLength(expected.length);
	expected.forEach((value, i) =>
		expect(Math.abs((found.data[i] as number) - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value))),
	);
};

describe('mmim-moe gives what PyTorch gives in float64', () => {
	for (const c of cases)
		for (const batch of [c.rows, 'batch'])
			it(`${c.title}, batch ${typeof batch === 'number' ? 'of a size' : 'without a size'}`, async () => {
				const { found, uses } = await forward(c, { batch });
				c.modalities.forEach(({ name }, m) => void expectNear(found[`embedding.${name}`]!, c.embeddings[m]!));
				expectNear(found['logits']!, c.logits);
				if (c.config.balance > 0) expectNear(found['auxiliary']!, [c.auxiliary]);
				else expect(found['auxiliary']).toBeUndefined();
				expect(uses).toEqual(Object.keys(c.use));
				for (const [name, use] of Object.entries(c.use)) expectNear(found[name]!, use);
			});
});

describe('mmim-moe', () => {
	const sequences = named('sequences by both directions of a lstm');

	it('does not look at the steps that the mask leaves out', async () => {
		const { inputs } = drawn(sequences);
		const mask = inputs['mask.text']!.data;
		const x = (inputs['x.text']!.data as Float32Array).map((value, i) => (mask[Math.floor(i / 3)] === 0 ? 50 - value : value));
		const { found } = await forward(sequences, { inputs: { ...inputs, 'x.text': tensor('float32', inputs['x.text']!.shape, x) } });
		expectNear(found['logits']!, sequences.logits);
	});

	it('predicts for a modality of weight 0 what it predicts without its values', async () => {
		const c = named('permod, laplace, attention');
		const { inputs } = drawn(c);
		const silent = { ...inputs, 'w.a': tensor('float32', [c.rows, 1], new Float32Array(c.rows)) };
		const other = tensor(
			'float32',
			inputs['x.a']!.shape,
			(inputs['x.a']!.data as Float32Array).map((value) => 3 - value),
		);
		const one = await forward(c, { inputs: silent });
		expect((await forward(c, { inputs: { ...silent, 'x.a': other } })).found['logits']).toEqual(one.found['logits']);
		expect(one.found['logits']).not.toEqual((await forward(c)).found['logits']);
	});

	it('adds noise to the scores in training only, of the size that it has learned', async () => {
		const c = { ...named('joint, softmax, attention') };
		const noisy = { ...c, config: { ...c.config, noisy: true } };
		const asked: number[][] = [];
		const training = (g: GraphBuilder, context: ForwardContext): ForwardContext => ({
			...context,
			noise: (shape) => {
				asked.push([...shape]);
				return g.constant(
					'float32',
					shape,
					Float32Array.from({ length: sizeOf(shape) }, (_, i) => 20 * Math.cos(i)),
				);
			},
		});
		const { found: trained } = await forward(noisy, { context: training });
		expect(asked).toEqual([[c.rows * c.modalities.length, c.config.experts]]);
		expect(trained['expert_use.0.joint']).not.toEqual((await forward(noisy)).found['expert_use.0.joint']);
		asked.length = 0;
		const { found: calm } = await forward(c, { context: training });
		expect(asked).toEqual([]);
		expectNear(calm['logits']!, c.logits);
	});

	it('drops out in training where its config says, and nowhere else', async () => {
		const c = named('permod, gaussian, conv');
		const rates: number[] = [];
		const training = (_: GraphBuilder, context: ForwardContext): ForwardContext => ({
			...context,
			dropout: (x, rate) => {
				rates.push(rate);
				return x;
			},
		});
		await forward({ ...c, config: { ...c.config, dropout: 0.25 } }, { context: training });
		// of each layer the block, the experts, inside and behind the feed-forward network; of the head both hidden layers
		expect(rates).toEqual(new Array(4 * c.config.layers + 2).fill(0.25));
	});

	it('begins as PyTorch does: linear layers in 1/√inputs, recurrent ones in 1/√hidden, norms at one and zero, noise at softplus(0)', () => {
		const config = { ...sequences.config, noisy: true };
		for (const { name, shape, initial } of mmimMoe.parameters(config, sequences.modalities, 2)) {
			const bound = (inputs: number) => ({ uniform: 1 / Math.sqrt(inputs) });
			const weight = mmimMoe.parameters(config, sequences.modalities, 2).find((one) => one.name === name.replace(/bias$/, 'weight'))!;
			const expected = /ward\.(input|recurrent|bias)/.test(name)
				? bound(config.sequence.hidden)
				: name.includes('norm')
					? { constant: name.endsWith('weight') ? 1 : 0 }
					: name.endsWith('noise')
						? { constant: 0 }
						: bound(weight.shape[0]!);
			expect(initial, `${name} [${shape}]`).toEqual(expected);
		}
	});

	it('calls parameters that one modality alone has to be encoded by its name, and no name twice', () => {
		for (const { config, modalities, outputs } of cases) {
			const names = mmimMoe.parameters(config, modalities, outputs).map(({ name }) => name);
			expect(new Set(names).size).toBe(names.length);
			for (const name of names) expect(name).toMatch(/^(encoder\.(a|b|c|text|audio|static)|layer\.\d|head)\./);
		}
	});
});
