import { readFileSync } from 'node:fs';
import type { MlpFusionConfig } from '@steelyard/contracts';
import { inference, type ModalityShape } from '@steelyard/family';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { mlpFusion } from '../src/index.js';

type Case = {
	title: string;
	config: MlpFusionConfig;
	outputs: number;
	rows: number;
	modalities: ModalityShape[];
	parameters: Array<{ name: string; shape: number[]; values: number[] }>;
	inputs: Record<string, { shape: number[]; values: number[] }>;
	embeddings: Record<string, number[]>;
	logits: number[];
};
const { cases } = JSON.parse(readFileSync(new URL('fixtures/forward.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** Runs the family's graph; `batch` is the first dimension as the graph knows it. */
async function forward({ config, modalities, parameters, inputs, outputs }: Case, batch: number | string): Promise<Record<string, Tensor>> {
	const g = new GraphBuilder();
	const feeds: Record<string, Tensor> = {};
	const input = (name: string): Value => {
		const { shape, values } = inputs[name]!;
		feeds[name] = tensor('float32', shape, values);
		return g.input(name, 'float32', [batch, ...shape.slice(1)]);
	};
	for (const { name, shape, values } of parameters) g.initializer(name, tensor('float32', shape, values));
	const context = inference(g, (name) => g.value(name));
	const weighted = modalities.map((modality) => {
		const mask = modality.maskedSteps ? input(`mask.${modality.name}`) : null;
		const embedding = mlpFusion.encode(context, config, modality, { x: input(`x.${modality.name}`), mask });
		expect(embedding.shape).toEqual([batch, config.hidden]);
		g.output(`embedding.${modality.name}`, embedding);
		const weight = input(`w.${modality.name}`);
		// a weight of 0 stands for a missing modality in the oracle
		const present = g.cast(g.op('Greater', [weight, g.scalar(0)], {}, { dtype: 'bool' }), 'float32');
		return { modality, embedding: g.mul(embedding, weight), weight, present };
	});
	const { logits } = mlpFusion.fuse(context, config, weighted);
	expect(logits.shape).toEqual([batch, outputs]);
	g.output('logits', logits);
	const session = await createSession(encodeModel({ graph: g.build('forward'), opset: OPSET }));
	const found = await session.run(feeds);
	await session.release();
	return found;
}

/** float32 against float64: sums of some ten products of numbers of about 1, a few layers deep. */
const expectNear = (found: Tensor, expected: number[]): void => {
	expect(found.data).toHaveLength(expected.length);
	expected.forEach((value, i) =>
		expect(Math.abs((found.data[i] as number) - value)).toBeLessThanOrEqual(5e-6 * Math.max(1, Math.abs(value))),
	);
};

describe('mlp-fusion gives the embeddings and logits of PyTorch in float64', () => {
	for (const c of cases)
		for (const batch of [c.rows, 'batch'])
			it(`${c.title}, batch ${typeof batch === 'number' ? 'of a size' : 'without a size'}`, async () => {
				const found = await forward(c, batch);
				for (const { name } of c.modalities) expectNear(found[`embedding.${name}`]!, c.embeddings[name]!);
				expectNear(found['logits']!, c.logits);
			});
});

describe('mlp-fusion', () => {
	const masked = cases[1]!;

	it('gives a row without any step an embedding of zeros, whatever its values, and a finite prediction', async () => {
		const { shape, values } = masked.inputs['x.audio']!;
		const wild = {
			...masked,
			inputs: { ...masked.inputs, 'x.audio': { shape, values: values.map((value, i) => (i < 12 ? 1e6 : value)) } },
		};
		const found = await forward(wild, masked.rows);
		expect([...(found['embedding.audio']!.data as Float32Array).subarray(0, 3)].map(Math.abs)).toEqual([0, 0, 0]);
		expectNear(found['logits']!, masked.logits);
	});

	it('does not look at the steps that the mask leaves out', async () => {
		const mask = masked.inputs['mask.audio']!.values;
		const { shape, values } = masked.inputs['x.audio']!;
		const changed = values.map((value, i) => (mask[Math.floor(i / 3)] === 0 ? 50 - value : value));
		const found = await forward({ ...masked, inputs: { ...masked.inputs, 'x.audio': { shape, values: changed } } }, masked.rows);
		expectNear(found['logits']!, masked.logits);
	});

	it('predicts for a modality of weight 0 what it predicts without its values', async () => {
		const zero = { shape: [masked.rows, 1], values: new Array(masked.rows).fill(0) };
		const { shape, values } = masked.inputs['x.text']!;
		const one = await forward({ ...masked, inputs: { ...masked.inputs, 'w.text': zero } }, masked.rows);
		const other = await forward(
			{ ...masked, inputs: { ...masked.inputs, 'w.text': zero, 'x.text': { shape, values: values.map((value) => 3 - value) } } },
			masked.rows,
		);
		expect(other['logits']).toEqual(one['logits']);
	});

	for (const c of cases.filter(({ config, modalities }) => config.fusion !== undefined && modalities.length > 1))
		it(`gives a modality of weight 0 no say, and a row without any a finite prediction: ${c.title}`, async () => {
			const first = c.modalities[0]!.name;
			const [w, x] = [c.inputs[`w.${first}`]!, c.inputs[`x.${first}`]!];
			const [row, width] = [w.values.findIndex((value, i) => value === 0 && i > 1), x.values.length / c.rows];
			const changed = x.values.map((value, i) => (Math.floor(i / width) === row ? 7 - 3 * value : value));
			const found = await forward({ ...c, inputs: { ...c.inputs, [`x.${first}`]: { ...x, values: changed } } }, c.rows);
			expect(found[`embedding.${first}`]!.data).not.toEqual(Float32Array.from(c.embeddings[first]!));
			expectNear(found['logits']!, c.logits);
			for (const { name } of c.modalities) expect(c.inputs[`w.${name}`]!.values[1]).toBe(0);
			expect([...(found['logits']!.data as Float32Array)].every(Number.isFinite)).toBe(true);
		});

	it('averages the logits of late heads evenly under even weights, whatever these are', async () => {
		const late = cases.find(({ config, modalities }) => config.fusion === 'late-average' && modalities.length > 1)!;
		const under = (weight: number) => {
			const even = Object.fromEntries(
				late.modalities.map(({ name }) => [`w.${name}`, { shape: [late.rows, 1], values: new Array(late.rows).fill(weight) }]),
			);
			return forward({ ...late, inputs: { ...late.inputs, ...even } }, late.rows);
		};
		expectNear((await under(0.3))['logits']!, [...((await under(1))['logits']!.data as Float32Array)]);
	});

	it('takes no statistics of steps that are not there, however large', async () => {
		const c = cases.find(({ config }) => config.pooling === 'statistics')!;
		const mask = c.inputs['mask.audio']!.values;
		const { shape, values } = c.inputs['x.audio']!;
		const wild = values.map((value, i) => (mask[Math.floor(i / 3)] === 0 ? (i % 2 === 0 ? 1e12 : -1e12) : value));
		const found = await forward({ ...c, inputs: { ...c.inputs, 'x.audio': { shape, values: wild } } }, c.rows);
		expectNear(found['logits']!, c.logits);
		expect([...(found['embedding.audio']!.data as Float32Array).subarray(0, 3)].map(Math.abs)).toEqual([0, 0, 0]);
	});

	const tensorOf = (count: number, tensor_width?: number) =>
		mlpFusion.parameters(
			{
				family: 'mlp-fusion',
				hidden: 8,
				encoder_layers: 1,
				head_layers: 1,
				fusion: 'tensor',
				...(tensor_width === undefined ? {} : { tensor_width }),
			},
			Array.from({ length: count }, (_, m) => ({ name: `m${m}`, shape: [3], maskedSteps: false })),
			2,
		);

	it('takes the widest tensor of at most 20,000 numbers where no width is named', () => {
		for (const [count, width] of [
			[1, 16],
			[3, 16],
			[4, 10],
			[6, 4],
			[14, 1],
		] as const)
			expect(tensorOf(count).find(({ name }) => name === 'head.0.weight')!.shape).toEqual([(width + 1) ** count, 2]);
	});

	it('takes a tensor of the width that is named', () => {
		expect(tensorOf(2, 140).find(({ name }) => name === 'head.0.weight')!.shape).toEqual([141 ** 2, 2]);
	});

	for (const { title, config, modalities, outputs, parameters } of cases)
		it(`has the parameters that its forward pass reads, in order: ${title}`, () => {
			const specs = mlpFusion.parameters(config, modalities, outputs);
			expect(specs.map(({ name, shape }) => ({ name, shape }))).toEqual(parameters.map(({ name, shape }) => ({ name, shape })));
			expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length);
		});

	it('draws parameters within the bound of torch.nn.Linear: one over the root of the inputs', () => {
		for (const { config, modalities, outputs } of cases) {
			const specs = mlpFusion.parameters(config, modalities, outputs);
			for (const { name, shape, initial } of specs) {
				const inputs = name.endsWith('.bias')
					? specs.find((other) => other.name === name.replace(/bias$/, 'weight'))!.shape[0]!
					: shape[0]!;
				// the bias of a low-rank factor is what an absent modality multiplies by
				const expected = name.endsWith('.factor.bias')
					? { constant: 1 }
					: name === 'rank.bias'
						? { constant: 0 }
						: { uniform: 1 / Math.sqrt(inputs) };
				expect(initial, name).toEqual(expected);
			}
		}
	});

	it('has the size that its config says', () => {
		const config: MlpFusionConfig = { family: 'mlp-fusion', hidden: 128, encoder_layers: 2, head_layers: 2 };
		const modalities = [
			{ name: 'a', shape: [300], maskedSteps: false },
			{ name: 'b', shape: [50, 74], maskedSteps: true },
		];
		const count = mlpFusion.parameters(config, modalities, 7).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
		expect(count).toBe(301 * 128 + 129 * 128 + (75 * 128 + 129 * 128 + 128) + (257 * 128 + 129 * 7));
	});
});
