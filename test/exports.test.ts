import { readdirSync, readFileSync } from 'node:fs';
import { differentiateModel } from '@steelyard/model-file';
import { decodeModel, parametersOf } from '@steelyard/onnx';
import type { OptimizerOptions } from '@steelyard/optim';
import { createSession, type DType, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { lossCurve, trainingStep } from './training-step.js';

/** Made by test/oracles/exports.py: PyTorch models with their loss in the graph, and what PyTorch says of them. Numbers are base64 of little-endian arrays. */
type Fixture = {
	optimizer: 'sgd' | 'adam';
	learningRate: number;
	/** Size of the symbolic dimension, where an export has one. */
	rows: number;
	batches: Record<string, { dtype: DType; shape: number[]; data: string }>[];
	/** Of the first batch, in float64. */
	loss: number;
	/** Of each of 100 training steps in float32 and in float64. */
	losses: number[];
	exactLosses: number[];
	/** By export: gradients of its true parameters in the layout of the initializer, by autograd in float64. */
	exports: Record<string, Record<string, string>>;
};

const FOLDER = new URL('fixtures/exports/', import.meta.url);
const fixtures = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Fixture);

const bytesOf = (title: string): Uint8Array => readFileSync(new URL(`${title}.onnx`, FOLDER));
const buffer = (data: string): ArrayBuffer => new Uint8Array(Buffer.from(data, 'base64')).buffer;
const feedsOf = (batch: Fixture['batches'][number]): Record<string, Tensor> =>
	Object.fromEntries(
		Object.entries(batch).map(([name, { dtype, shape, data }]) => {
			const raw = buffer(data);
			const type = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }[dtype as 'float32' | 'int64' | 'bool'];
			return [name, tensor(dtype, shape, new type(raw))];
		}),
	);

const freeDims = (bytes: Uint8Array): Set<string> =>
	new Set(decodeModel(bytes).graph.inputs.flatMap(({ shape }) => shape.filter((dim) => typeof dim === 'string')));

/** For every number of rows, where the export is. */
async function differentiated(title: string): Promise<Uint8Array> {
	const bytes = bytesOf(title);
	const made = await differentiateModel(bytes, { loss: 'loss' });
	expect(made.symbolic).toEqual([...freeDims(bytes)]);
	return made.bytes;
}

async function differentiatedAt(title: string, { rows }: Fixture): Promise<Uint8Array> {
	const bytes = bytesOf(title);
	const dims = Object.fromEntries([...freeDims(bytes)].map((name) => [name, rows]));
	return (await differentiateModel(bytes, { loss: 'loss', dims })).bytes;
}

/** The losses of as many steps as PyTorch made, on its batches in turn. */
async function losses(bytes: Uint8Array, names: readonly string[], fixture: Fixture): Promise<number[]> {
	const options: OptimizerOptions = { name: fixture.optimizer, weightDecay: 0, momentum: 0, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
	const batches = fixture.batches.map(feedsOf);
	const steps = fixture.losses.map((_, index) => batches[index % batches.length] as Record<string, Tensor>);
	return lossCurve(trainingStep(bytes, names, options), steps, fixture.learningRate);
}

/** Gradients in float32 against autograd in float64. */
const RELATIVE = 1e-4;
const ABSOLUTE = 1e-6;
/** PyTorch's own distance from float64 up to a step, times this, is what another order of summation may come to; and some roundings of the loss itself. */
const SHARE = 5;
const ROUNDINGS = 2e-6;

describe.each(fixtures.flatMap((fixture) => Object.entries(fixture.exports).map(([title, gradients]) => ({ title, gradients, fixture }))))(
	'$title',
	({ title, gradients, fixture }) => {
		const names = Object.keys(gradients);

		it('has the trainable initializers that PyTorch has as parameters', () => {
			const found = parametersOf(decodeModel(bytesOf(title))).filter(({ trainable }) => trainable);
			expect(found.map(({ name }) => name).sort()).toEqual([...names].sort());
		});

		it('gives the gradients of autograd', async () => {
			const session = await createSession(await differentiated(title));
			const taken = new Set(session.inputs.map((input) => input.name));
			const feeds = Object.entries(feedsOf(fixture.batches[0] as Fixture['batches'][number])).filter(([name]) => taken.has(name));
			const outputs = await session.run(Object.fromEntries(feeds));
			await session.release();
			expect(Math.abs(Number(outputs['loss']?.data[0]) - fixture.loss)).toBeLessThan(1e-6 * (1 + Math.abs(fixture.loss)));
			for (const [name, data] of Object.entries(gradients)) {
				const expected = new Float32Array(buffer(data));
				const found = outputs[`grad/${name}`]?.data as Float32Array;
				expect(found.length, name).toBe(expected.length);
				expected.forEach((d, i) => {
					expect(Math.abs((found[i] as number) - d), `${name}[${i}]`).toBeLessThanOrEqual(RELATIVE * Math.abs(d) + ABSOLUTE);
				});
			}
		});

		it(`loses as PyTorch does over ${fixture.losses.length} steps of ${fixture.optimizer}`, async () => {
			const curve = await losses(await differentiatedAt(title, fixture), names, fixture);
			let rounding = 0;
			fixture.losses.forEach((expected, step) => {
				rounding = Math.max(rounding, Math.abs(expected - (fixture.exactLosses[step] as number)));
				const found = curve[step] as number;
				expect(Math.abs(found - expected), `step ${step}: ${found}, expected ${expected}`).toBeLessThanOrEqual(
					SHARE * rounding + ROUNDINGS * (1 + Math.abs(expected)),
				);
			});
		});
	},
);
