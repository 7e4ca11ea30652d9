import { readFileSync } from 'node:fs';
import { encodeModel, float, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import type { Architecture } from '../src/model/architecture.js';
import { ownInitial, rowsIn, trainAs } from './training-steps.js';
import { uploadedArchitecture } from './uploaded-architecture.js';

type Case = {
	kind: 'dense' | 'conv';
	optimizer: 'sgd' | 'adam';
	mode: 'train' | 'frozen';
	x: number[];
	y: number[];
	initial: Record<string, number[]>;
	losses: number[];
	final: Record<string, number[]>;
	predictions: number[];
};
const { rows, batch, steps, momentum, epsilon, channels, length, width, cases } = JSON.parse(
	readFileSync(new URL('fixtures/batch-norm.json', import.meta.url), 'utf8'),
) as Record<'rows' | 'batch' | 'steps' | 'momentum' | 'epsilon' | 'channels' | 'length' | 'width', number> & { cases: Case[] };

const shapeOf = ({ kind }: Case): number[] => (kind === 'dense' ? [channels] : [channels, length]);

/** The oracle's network; in training form as some exporters leave it. */
function network(c: Case, trainingForm: boolean, opset: number): Uint8Array {
	const g = new GraphBuilder();
	const parameter = (name: string, shape: number[]): Value => g.initializer(name, tensor('float32', shape, c.initial[name]!));
	const x = g.input('x', 'float32', ['N', ...shapeOf(c)]);
	const first = parameter('first.weight', c.kind === 'dense' ? [width, channels] : [width, channels, 3]);
	const h =
		c.kind === 'dense'
			? g.gemm(x, first, null, { transB: true })
			: g.op('Conv', [x, first], { kernel_shape: [3] }, { shape: ['N', width, length - 2] });
	const norm = { ...h, name: 'normalised' };
	const perChannel = ['norm.weight', 'norm.bias', 'norm.mean', 'norm.var'].map((name) => parameter(name, [width]));
	const moved = trainingForm ? ['mean', 'var'].map((name): Value => ({ name, dtype: 'float32', shape: [width] })) : [];
	g.node('BatchNormalization', [h, ...perChannel], [norm, ...moved], {
		epsilon: float(epsilon),
		momentum: float(momentum),
		...(trainingForm && opset >= 14 ? { training_mode: 1 } : {}),
	});
	const active = g.op('Relu', [norm]);
	// a mean that every operator set writes alike
	const cells = length - 2;
	const sum = c.kind === 'dense' ? active : g.reduceSum(active, [2], false);
	const pooled = c.kind === 'dense' ? sum : g.scale(1 / cells, sum);
	g.output('y', g.gemm(pooled, parameter('last.weight', [width, 1]), parameter('last.bias', [1])));
	return encodeModel({ graph: g.build('norm'), opset });
}

function architectureOf(c: Case, trainingForm: boolean, opset: number): Promise<Architecture> {
	const modalities = [{ name: 'a', shape: shapeOf(c), maskedSteps: false }];
	const config = { inputs: { a: 'x' }, output: 'y', batch_norm: c.mode };
	return uploadedArchitecture(network(c, trainingForm, opset), config, { type: 'regression', classes: [], outputs: 1 }, modalities);
}

/** Trains as the oracle did, `chunk` steps per run. */
const trained = (c: Case, architecture: Architecture, chunk: number) =>
	trainAs(
		{
			...{ architecture, batch, steps, rows },
			loss: 'mse',
			optimizer: { name: c.optimizer, momentum: 0 },
			learningRate: 0.02,
			initial: ownInitial(architecture),
			inputs: { 'x.a': rowsIn(c.x, sizeOf(shapeOf(c))), target: rowsIn(c.y, 1) },
		},
		chunk,
	);

/** The largest difference, as a share of the number or of `floor`. */
const largestError = (found: ArrayLike<number>, expected: readonly number[], floor: number): number =>
	Math.max(...expected.map((value, i) => Math.abs(found[i]! - value) / Math.max(floor, Math.abs(value))));

describe('batch normalisation', () => {
	for (const c of cases)
		for (const [trainingForm, opset] of [
			[false, OPSET],
			[true, OPSET],
			[true, 13],
		] as const)
			it(`trains as PyTorch does: ${c.kind}, ${c.optimizer}, ${c.mode}, exported in ${trainingForm ? 'training' : 'inference'} form of operator set ${opset}`, async () => {
				const architecture = await architectureOf(c, trainingForm, opset);
				expect(architecture.running.length).toBe(c.mode === 'train' ? 2 : 0);
				for (const chunk of [6, 20]) {
					const { losses, parameters } = await trained(c, architecture, chunk);
					// float32 against float64 over 60 steps
					expect(largestError(losses, c.losses, 0.1)).toBeLessThan(2e-4);
					const byName = new Map([...parameters].map(([name, value]) => [name.replace(/^(\d+|running)\./, ''), value]));
					for (const [name, value] of Object.entries(c.final))
						if (byName.has(name)) expect(largestError(byName.get(name)!.data as Float32Array, value, 0.1), name).toBeLessThan(1e-3);
					expect(byName.size).toBe(c.mode === 'train' ? 7 : 5);
					const session = await createSession(architecture.ownModel!(parameters).bytes);
					const said = await session.run({ x: tensor('float32', [rows, ...shapeOf(c)], c.x) }, ['y']);
					await session.release();
					expect(largestError(said['y']!.data as Float32Array, c.predictions, 0.1)).toBeLessThan(1e-3);
				}
			});
});
