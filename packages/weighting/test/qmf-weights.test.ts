import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qmfWeights, type WeightingTask } from '../src/index.js';
import { fixture, largestError, normals } from './fixture.js';

type QmfCase = {
	task: WeightingTask;
	classes: number;
	outputs: number[][];
	present: number[][];
	sigma?: number[];
	expected: number[];
};
const reals = (columns: number[][]) => columns.map((column) => Float64Array.from(column));
const float32 = 2 ** -23; // one rounding to float32, relative to max(1, |w|)

describe('qmfWeights', () => {
	for (const { outputs, present, expected, ...rest } of fixture<{ cases: QmfCase[] }>('qmf').cases) {
		it(`agrees with SciPy for ${rest.task} of ${rest.classes} and ${outputs.length} modalities, also at ±1e4`, () => {
			const found = qmfWeights({ ...rest, outputs: reals(outputs), present: present.map((mask) => Uint8Array.from(mask)) });
			expect(largestError(found, expected)).toBeLessThan(2 * float32);
		});
	}

	it('is the same for one logit z, for −z, and for the two classes (0, z)', () => {
		const outputs = [1, 2].map((stream) => normals(30, stream).map((z) => 5 * z));
		const one = qmfWeights({ task: 'binary', classes: 2, outputs });
		expect(qmfWeights({ task: 'binary', classes: 2, outputs: outputs.map((z) => z.map((v) => -v)) })).toEqual(one);
		const pairs = outputs.map((z) => Float64Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 0 : z[i >> 1]!)));
		expect(largestError(qmfWeights({ task: 'multiclass', classes: 2, outputs: pairs }), one)).toBeLessThan(1e-6);
	});

	it('does not see a constant added to all logits of a model', () => {
		const outputs = [1, 2].map((stream) => normals(30, stream));
		const shifted = [outputs[0]!.map((v) => v + 100), outputs[1]!];
		const found = qmfWeights({ task: 'multiclass', classes: 3, outputs: shifted });
		expect(largestError(found, qmfWeights({ task: 'multiclass', classes: 3, outputs }))).toBeLessThan(1e-6);
	});

	it('is even where no model is confident of anything, with one class, and with one modality', () => {
		const flat = [new Float64Array(4), new Float64Array(4)];
		expect([...qmfWeights({ task: 'binary', classes: 2, outputs: flat })]).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
		expect([...qmfWeights({ task: 'multiclass', classes: 1, outputs: [Float64Array.of(5), Float64Array.of(-9)] })]).toEqual([1, 1]);
		expect([...qmfWeights({ task: 'binary', classes: 2, outputs: [Float64Array.of(-3, 1e4)] })]).toEqual([1, 1]);
	});

	it('is finite, not negative, 0 where masked, and of mean 1 over the modalities that a row has', () => {
		const value = fc.oneof(fc.constantFrom(-1e4, 0, 1e4), fc.double({ min: -50, max: 50, noNaN: true }));
		const sample = fc.constantFrom(1, 2, 3, 6, 12).chain((modalities) => {
			const each = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { minLength: modalities, maxLength: modalities });
			return fc.record({
				modalities: fc.constant(modalities),
				outputs: each(fc.array(value, { minLength: 6, maxLength: 6 })),
				masks: each(fc.array(fc.constantFrom(0, 1, 1), { minLength: 6, maxLength: 6 })),
				sigma: each(fc.double({ min: 0, max: 1e4, noNaN: true })),
			});
		});
		const task = fc.constantFrom<WeightingTask>('binary', 'multiclass', 'multilabel', 'regression');
		fc.assert(
			fc.property(sample, task, ({ modalities, outputs, masks, sigma }, kind) => {
				const rows = kind === 'binary' || kind === 'regression' ? 6 : 2;
				const present = masks.map((mask) => Uint8Array.from(mask.slice(0, rows)));
				const W = qmfWeights({ task: kind, classes: 3, outputs: reals(outputs), present, sigma });
				for (let i = 0; i < rows; i++) {
					const row = W.subarray(i * modalities, (i + 1) * modalities);
					expect(row.every((w, m) => w >= 0 && Number.isFinite(w) && (present[m]![i] === 1 || w === 0))).toBe(true);
					expect(Math.abs(row.reduce((sum, w) => sum + w, 0) - present.reduce((count, mask) => count + mask[i]!, 0))).toBeLessThan(1e-5);
				}
			}),
		);
	});

	it('refuses a regression without sigma, shapes that do not fit, and a logit that is not finite', () => {
		const outputs = [Float64Array.of(1, 2), Float64Array.of(3, NaN)];
		const configuration = expect.objectContaining({ code: 'configuration' });
		expect(() => qmfWeights({ task: 'regression', classes: 1, outputs })).toThrow(configuration);
		expect(() => qmfWeights({ task: 'regression', classes: 1, outputs, sigma: [1] })).toThrow(/sigma: expected 2/);
		expect(() => qmfWeights({ task: 'binary', classes: 2, outputs })).toThrow(/modality 1, row 1/);
		expect(qmfWeights({ task: 'binary', classes: 2, outputs, present: [null, Uint8Array.of(1, 0)] })[3]).toBe(0);
		expect(() => qmfWeights({ task: 'binary', classes: 2, outputs: [...outputs, new Float64Array(3)] })).toThrow(/modality 2/);
	});
});
