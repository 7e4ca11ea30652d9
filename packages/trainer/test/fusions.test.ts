import { readFileSync } from 'node:fs';
import type { MlpFusionConfig } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { sizeOf } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { initialOf, largestError, type RowOf, rowsIn, trainAs } from './training-steps.js';

type Case = { config: MlpFusionConfig; initial: Record<string, number[]>; losses: number[]; final: Record<string, number[]> };
const fixture = JSON.parse(readFileSync(new URL('fixtures/fusions.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	outputs: number;
	learningRate: number;
	modalities: ModalityShape[];
	x: Record<string, number[]>;
	mask: Record<string, number[]>;
	weights: number[];
	y: number[];
	cases: Case[];
};

function trained({ config, initial }: Case) {
	const { batch, steps, rows, outputs, modalities, learningRate, x, mask, weights, y } = fixture;
	const ofModality = ({ name, shape, maskedSteps }: ModalityShape, m: number): Array<[string, RowOf]> => [
		[`x.${name}`, rowsIn(x[name]!, sizeOf(shape))],
		...(maskedSteps ? [[`mask.${name}`, rowsIn(mask[name]!, shape[0]!)] satisfies [string, RowOf]] : []),
		[`w.${name}`, rowsIn(weights, 1, { at: m, of: modalities.length })],
	];
	return trainAs(
		{
			...{ batch, steps, rows, learningRate },
			architecture: familyArchitecture({ config, modalities, outputs }),
			loss: 'cross_entropy',
			initial: initialOf(initial),
			inputs: {
				...Object.fromEntries(modalities.flatMap(ofModality)),
				target: (row) => Array.from({ length: outputs }, (_, i) => (y[row] === i ? 1 : 0)),
			},
		},
		steps,
	);
}

describe('training of mlp-fusion on statistics, with modalities left out, follows PyTorch in float64 for 100 steps', () => {
	for (const c of fixture.cases)
		it(`by ${c.config.fusion}`, async () => {
			const { losses, parameters } = await trained(c);
			expect(losses).toHaveLength(c.losses.length);
			// float32 against float64: rounding of some 1e-7 a step, grown over 100 steps
			expect(largestError(losses, c.losses)).toBeLessThan(5e-4);
			expect([...parameters.keys()].sort()).toEqual(Object.keys(c.final).sort());
			for (const [name, value] of parameters) expect(largestError(value.data as Float32Array, c.final[name]!), name).toBeLessThan(5e-3);
		});
});
