import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import type { Loss } from '../src/step/loss.js';
import { initialOf, largestError, type Repetition, rowsIn, trainAs } from './training-steps.js';

type Case = {
	task: string;
	optimizer: 'sgd' | 'momentum' | 'adam' | 'adamw';
	clip_norm: number | null;
	learning_rate: number;
	weight_decay: number;
	class_weights?: number[];
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
const losses: Record<string, Loss> = {
	multiclass: 'cross_entropy',
	binary: 'binary_cross_entropy',
	multilabel: 'binary_cross_entropy',
	regression: 'mse',
	mae: 'mae',
	quantile: { name: 'quantile', quantiles: [0.1, 0.5, 0.9] },
};
const widths: Record<string, number> = { multiclass: 3, multilabel: 4, quantile: 3 };

/** Trains as the oracle did, `chunk` steps per run. */
function trained(c: Case, chunk: number, by: Repetition) {
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
	const target = c.task === 'multiclass' ? c.y.flatMap((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0))) : c.y;
	return trainAs(
		{
			...{ architecture, batch, steps, rows },
			loss: losses[c.task]!,
			classWeights: c.class_weights ?? null,
			optimizer: { name: c.optimizer, weightDecay: c.weight_decay },
			clipNorm: c.clip_norm,
			learningRate: c.learning_rate,
			initial: initialOf(c.initial),
			inputs: {
				'x.a': rowsIn(c.a, 5),
				'x.b': rowsIn(c.b, 12),
				'mask.b': rowsIn(c.mask, 4),
				'w.a': rowsIn(c.weights, 1, { at: 0, of: 2 }),
				'w.b': rowsIn(c.weights, 1, { at: 1, of: 2 }),
				target: rowsIn(target, target.length / rows),
			},
		},
		chunk,
		by,
	);
}

describe('training in the Scan, and in place', () => {
	for (const c of fixture.cases)
		it(`follows PyTorch in float64 for 100 steps: ${c.task}, ${c.optimizer}, clip ${c.clip_norm}, decay ${c.weight_decay}${c.class_weights === undefined ? '' : `, classes weighed ${c.class_weights}`}`, async () => {
			for (const [chunk, by] of [
				[25, 'scan'],
				[100, 'scan'],
				[25, 'in place'],
			] as const) {
				const { losses: curve, norms, parameters } = await trained(c, chunk, by);
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
