import { readFileSync } from 'node:fs';
import type { MlpFusionConfig } from '@steelyard/contracts';
import { inference, type ModalityShape } from '@steelyard/layers';
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
		return { modality, embedding: g.mul(embedding, weight), weight };
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
				expect(initial, name).toEqual({ uniform: 1 / Math.sqrt(inputs) });
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
