import { readFileSync } from 'node:fs';
import { optimizer as optimizerOf } from '@steelyard/optim';
import { loadProgram, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { parametersFrom } from '../src/model/parameter-layout.js';
import type { LossName } from '../src/step/loss.js';
import { compileTrainProgram } from '../src/step/train-program.js';

type Case = {
	task: string;
	optimizer: 'sgd' | 'momentum' | 'adam' | 'adamw';
	clip_norm: number | null;
	learning_rate: number;
	weight_decay: number;
	a: number[];
	b: number[];
	mask: number[];
	weights: number[];
	y: number[];
	initial: Record<string, number[]>;
	losses: number[];
	grad_norms: number[];
	final: Record<string, number[]>;
};
const fixture = JSON.parse(readFileSync(new URL('fixtures/training.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	hidden: number;
	cases: Case[];
};
const losses: Record<string, LossName> = {
	multiclass: 'cross_entropy',
	binary: 'binary_cross_entropy',
	multilabel: 'binary_cross_entropy',
	regression: 'mse',
	mae: 'mae',
};
const widths: Record<string, number> = { multiclass: 3, multilabel: 4 };

/** Trains as the oracle did, `chunk` steps a run. */
async function trained(c: Case, chunk: number) {
	const { rows, batch, steps, hidden } = fixture;
	const outputs = widths[c.task] ?? 1;
	const architecture = familyArchitecture({
		config: { family: 'mlp-fusion' as const, hidden, encoder_layers: 2, head_layers: 2 },
		modalities: [
			{ name: 'a', shape: [5], maskedSteps: false },
			{ name: 'b', shape: [4, 3], maskedSteps: true },
		],
		outputs,
	});
	const optimizer = optimizerOf({ name: c.optimizer, weightDecay: c.weight_decay, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
	const program = await compileTrainProgram({
		architecture,
		batch,
		loss: losses[c.task]!,
		optimizer,
		clipNorm: c.clip_norm,
		standardisation: new Map(),
	});
	const state: Record<string, Tensor> = {};
	for (const { name, size, members } of program.layout) {
		state[`state/${name}`] = tensor(
			'float32',
			[1, size],
			members.flatMap((member) => c.initial[member.name]!),
		);
		for (const slot of optimizer.slots) state[`state/${name}/${slot}`] = tensor('float32', [1, size], new Float32Array(size));
	}
	const loaded = await loadProgram(program.model, state);
	const curve: number[] = [];
	const norms: number[] = [];
	for (let first = 0; first < steps; first += chunk) {
		const chosen = Array.from({ length: chunk * batch }, (_, i) => (first * batch + i) % rows);
		const gathered = (
			name: string,
			values: number[],
			shape: number[],
			width = sizeOf(shape),
			offset = 0,
			stride = width,
		): [string, Tensor] => [
			`chunk/${name}`,
			tensor(
				'float32',
				[chunk, batch, ...shape],
				chosen.flatMap((row) => values.slice(row * stride + offset, row * stride + offset + width)),
			),
		];
		const target = c.task === 'multiclass' ? c.y.flatMap((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0))) : c.y;
		const inputs = Object.fromEntries([
			gathered('x.a', c.a, [5]),
			gathered('x.b', c.b, [4, 3]),
			gathered('mask.b', c.mask, [4]),
			gathered('w.a', c.weights, [1], 1, 0, 2),
			gathered('w.b', c.weights, [1], 1, 1, 2),
			gathered('target', target, [outputs]),
			['chunk/sample_weight', tensor('float32', [chunk, batch, 1], new Float32Array(chunk * batch).fill(1 / batch))],
		]);
		const places = Array.from({ length: chunk }, (_, j) =>
			optimizer.scalarsAt({ step: first + j + 1, inChunk: j + 1, learningRate: c.learning_rate }),
		);
		for (const name of program.scalars)
			inputs[`chunk/${name}`] = tensor(
				'float32',
				name === 'lossScale' ? [chunk] : [chunk, 1, 1],
				places.map((place) => place[name]!),
			);
		for (const [slot, factor] of Object.entries(optimizer.afterChunk(chunk))) inputs[`after/${slot}`] = tensor('float32', [1, 1], [factor]);
		const outputsOfRun = await loaded.run(inputs);
		curve.push(...(outputsOfRun['loss']!.data as Float32Array));
		if (c.clip_norm !== null) norms.push(...(outputsOfRun['grad_norm']!.data as Float32Array));
	}
	const parameters = parametersFrom(program.layout, (group) => loaded.state()[`state/${group}`]!.data as Float32Array);
	await loaded.dispose();
	return { curve, norms, parameters };
}

const largestError = (ours: ArrayLike<number>, theirs: number[], floor: number): number =>
	theirs.reduce((worst, value, i) => Math.max(worst, Math.abs(ours[i]! - value) / (Math.abs(value) + floor)), 0);

describe('training in the Scan', () => {
	for (const c of fixture.cases)
		it(`follows PyTorch in float64 for 100 steps: ${c.task}, ${c.optimizer}, clip ${c.clip_norm}, decay ${c.weight_decay}`, async () => {
			for (const chunk of [25, 100]) {
				const { curve, norms, parameters } = await trained(c, chunk);
				// float32 against float64: rounding of some 1e-7 a step, grown over 100 steps
				expect(curve).toHaveLength(100);
				expect(largestError(curve, c.losses, 0.1)).toBeLessThan(2e-4);
				expect(norms).toHaveLength(c.grad_norms.length);
				expect(largestError(norms, c.grad_norms, 0.1)).toBeLessThan(2e-3);
				for (const [name, value] of parameters)
					expect(largestError(value.data as Float32Array, c.final[name]!, 0.1), name).toBeLessThan(2e-3);
			}
		});
});
