import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	fitMinMax,
	informationFactors,
	instanceWeights,
	modalityWeights,
	normaliseMinMax,
	normaliseRow,
	summariseWeights,
	uniformWeights,
	type WeightFormula,
} from '../src/index.js';
import { fixture, largestError } from './fixture.js';

const float32 = 2 ** -23; // one rounding to float32, relative to max(1, |w|)
const btw: WeightFormula = {
	combine: 'kl+mi',
	direction: 'agreement',
	normalise: 'minmax',
	renormalise: 'mean1',
	informationScale: 'none',
};

/** M modalities of N rows: divergences (with zeros and repeats), presence and mutual information. */
const sample = fc.tuple(fc.constantFrom(1, 2, 3, 6, 12), fc.integer({ min: 1, max: 12 })).chain(([modalities, rows]) => {
	const column = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: rows, maxLength: rows });
	const each = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: modalities, maxLength: modalities });
	const divergence = fc.oneof(
		fc.constant(0),
		fc.constant(1e4),
		fc.double({ min: 0, max: 1e18, noNaN: true }),
		fc.double({ min: 0, max: 5, noNaN: true }),
	);
	return fc.record({
		rows: fc.constant(rows),
		modalities: fc.constant(modalities),
		D: each(column(divergence).map((values) => Float64Array.from(values))),
		present: each(fc.option(column(fc.constantFrom(0, 1, 1, 1)).map((values) => Uint8Array.from(values)))),
		mi: each(fc.double({ min: 1e-5, max: 3, noNaN: true })).map((values) => Float64Array.from(values)),
	});
});
const formula: fc.Arbitrary<WeightFormula> = fc.record({
	combine: fc.constantFrom('none', 'mi', 'kl', 'kl+mi'),
	direction: fc.constantFrom('divergence', 'agreement'),
	normalise: fc.constantFrom('minmax', 'row'),
	renormalise: fc.constantFrom('none', 'sum1', 'mean1'),
	informationScale: fc.constantFrom('none', 'sum'),
});
const has = (present: (Uint8Array | null)[], m: number, i: number) => present[m]?.[i] !== 0;

describe('instanceWeights', () => {
	type WeightsFixture = {
		rows: number;
		trainingRows: number;
		modalities: number;
		D: number[][];
		present: number[][];
		mi: number[];
		min: number[];
		max: number[];
		cases: { config: Partial<WeightFormula>; expected: number[] }[];
		W: number[];
		summary: { mean: number; p10: number; p90: number }[];
	};
	const numpy = fixture<WeightsFixture>('weights');
	const D = numpy.D.map((column) => Float64Array.from(column));
	const present = numpy.present.map((column) => Uint8Array.from(column));
	const training = <T extends Float64Array | Uint8Array>(columns: T[]) => columns.map((column) => column.slice(0, numpy.trainingRows) as T);
	const range = fitMinMax(training(D), training(present));
	const mi = Float64Array.from(numpy.mi);

	it('takes the same range of the training split as NumPy, masked rows left out', () => {
		expect([...range.min]).toEqual(numpy.min);
		expect([...range.max]).toEqual(numpy.max);
	});

	for (const { config: choices, expected } of numpy.cases) {
		it(`agrees with NumPy for ${Object.values(choices).join(', ')}`, () => {
			const found = instanceWeights({ ...btw, ...choices }, { mi, ...range }, D, present);
			expect(largestError(found, expected)).toBeLessThan(float32);
		});
	}

	it('summarises like NumPy, over the rows that have the modality', () => {
		const found = summariseWeights(Float32Array.from(numpy.W), numpy, present);
		found.forEach((summary, m) => {
			for (const key of ['mean', 'p10', 'p90'] as const) expect(summary[key]).toBeCloseTo(numpy.summary[m]![key], 12);
		});
		expect(summariseWeights(new Float32Array(2), { rows: 2, modalities: 1 }, [new Uint8Array(2)])).toEqual([{ mean: 0, p10: 0, p90: 0 }]);
	});

	it('are finite, not negative, 0 where masked, and of the promised sum over the modalities that a row has', () => {
		fc.assert(
			fc.property(sample, formula, ({ rows, modalities, ...s }, choices) => {
				const W = instanceWeights(choices, { mi: s.mi, ...fitMinMax(s.D, s.present) }, s.D, s.present);
				for (let i = 0; i < rows; i++) {
					let sum = 0;
					let count = 0;
					for (let m = 0; m < modalities; m++) {
						const w = W[i * modalities + m]!;
						expect(Number.isFinite(w) && w >= 0).toBe(true);
						expect(has(s.present, m, i) || w === 0).toBe(true);
						if (has(s.present, m, i)) count++;
						sum += w;
					}
					const promised = choices.combine === 'none' ? count : { none: sum, sum1: Math.min(1, count), mean1: count }[choices.renormalise];
					expect(Math.abs(sum - promised)).toBeLessThan(1e-5);
				}
			}),
		);
	});

	it('follow their modality when the modalities change places', () => {
		fc.assert(
			fc.property(sample, formula, ({ rows, modalities, ...s }, choices) => {
				const weigh = (D: Float64Array[], mi: Float64Array, present: (Uint8Array | null)[]) =>
					instanceWeights(choices, { mi, ...fitMinMax(D, present) }, D, present);
				const W = weigh(s.D, s.mi, s.present);
				const turned = weigh(s.D.toReversed(), s.mi.toReversed(), s.present.toReversed());
				const back = W.map((_, at) => turned[Math.floor(at / modalities) * modalities + (modalities - 1 - (at % modalities))]!);
				expect(W.length).toBe(rows * modalities);
				expect(largestError(back, W)).toBeLessThan(1e-6);
			}),
		);
	});

	it('follow their instance when the instances change places', () => {
		fc.assert(
			fc.property(sample, formula, ({ modalities, ...s }, choices) => {
				const range = { mi: s.mi, ...fitMinMax(s.D, s.present) };
				const W = instanceWeights(choices, range, s.D, s.present);
				const turned = instanceWeights(
					choices,
					range,
					s.D.map((d) => d.toReversed()),
					s.present.map((p) => p?.toReversed() ?? null),
				);
				const rows = W.length / modalities;
				expect(turned).toEqual(W.map((_, at) => W[(rows - 1 - Math.floor(at / modalities)) * modalities + (at % modalities)]!));
			}),
		);
	});

	it('are 1 for pure divergence weights where max = min, or where every divergence of the row is at its minimum', () => {
		for (const direction of ['divergence', 'agreement'] as const) {
			const kl: WeightFormula = { ...btw, combine: 'kl', direction };
			const constant = [Float64Array.of(0.3, 0.3), Float64Array.of(2, 2)];
			expect([...instanceWeights(kl, fitMinMax(constant), constant)]).toEqual([1, 1, 1, 1]);
			const lowest = [Float64Array.of(0, 1), Float64Array.of(2, 5)];
			expect(Array.from(instanceWeights(kl, fitMinMax(lowest), lowest).subarray(0, 2))).toEqual([1, 1]);
			const zero = [new Float64Array(2), new Float64Array(2)];
			expect([...instanceWeights({ ...kl, normalise: 'row' }, {}, zero)]).toEqual([1, 1, 1, 1]);
		}
	});

	it('take a range of mere rounding for max = min', () => {
		const noise = [Float64Array.of(0, 3e-16), Float64Array.of(1e-15, 0)];
		expect([...instanceWeights({ ...btw, combine: 'kl' }, fitMinMax(noise), noise)]).toEqual([1, 1, 1, 1]);
	});

	it('are 0 for a row whose modalities are all masked', () => {
		const none = [Uint8Array.of(0, 1), Uint8Array.of(0, 1)];
		const D = [Float64Array.of(1, 2), Float64Array.of(2, 1)];
		const W = instanceWeights(btw, { mi: Float64Array.of(1, 2), ...fitMinMax(D, none) }, D, none);
		expect(Array.from(W.subarray(0, 2))).toEqual([0, 0]);
		expect(W[2]! + W[3]!).toBeCloseTo(2, 6);
	});

	it('refuse a missing statistic and shapes that do not fit', () => {
		const D = [Float64Array.of(1, 2)];
		const configuration = expect.objectContaining({ code: 'configuration' });
		expect(() => instanceWeights(btw, { mi: Float64Array.of(1) }, D)).toThrow(configuration);
		expect(() => instanceWeights(btw, fitMinMax(D), D)).toThrow(configuration);
		expect(() => instanceWeights(btw, { mi: Float64Array.of(0), ...fitMinMax(D) }, D)).toThrow(configuration);
		const shape = expect.objectContaining({ code: 'shape' });
		expect(() => instanceWeights(btw, { mi: Float64Array.of(1, 1), ...fitMinMax(D) }, D)).toThrow(shape);
		expect(() => instanceWeights(btw, { mi: Float64Array.of(1), ...fitMinMax(D) }, D, [new Uint8Array(1)])).toThrow(shape);
		expect(() => fitMinMax([Float64Array.of(1, NaN)])).toThrow(/modality 0, row 1/);
	});
});

describe('modalityWeights', () => {
	const shape = { rows: 2, modalities: 3 };
	const present = [null, Uint8Array.of(1, 0), null];

	it('are the renormalised mutual information, over the modalities that a row has', () => {
		const W = modalityWeights(btw, Float64Array.of(1, 2, 3), shape, present);
		expect(largestError(W, [0.5, 1, 1.5, 0.5, 0, 1.5])).toBeLessThan(float32);
	});

	it('are 1 where mutual information is off, and 0 where masked', () => {
		for (const combine of ['none', 'kl'] as const)
			expect([...modalityWeights({ ...btw, combine }, null, shape, present)]).toEqual([1, 1, 1, 1, 0, 1]);
	});

	it('are what the instance weights become when every divergence is 0', () => {
		const zero = [1, 2, 3].map(() => new Float64Array(2));
		fc.assert(
			fc.property(formula, (choices) => {
				const mi = Float64Array.of(0.2, 0.5, 0.1);
				const W = instanceWeights(choices, { mi, ...fitMinMax(zero) }, zero, present);
				expect(W).toEqual(modalityWeights(choices, mi, shape, present));
			}),
		);
	});
});

describe('uniformWeights', () => {
	it('are 1, and 0 where masked, as the weights that combine nothing', () => {
		const present = [null, Uint8Array.of(1, 0), null];
		const W = uniformWeights(2, present);
		expect([...W]).toEqual([1, 1, 1, 1, 0, 1]);
		expect(W).toEqual(modalityWeights({ ...btw, combine: 'none' }, null, { rows: 2, modalities: 3 }, present));
		expect(() => uniformWeights(3, present)).toThrow(expect.objectContaining({ code: 'shape' }));
	});
});

describe('informationFactors', () => {
	it('are 1, the mutual information, or its shares', () => {
		const mi = Float64Array.of(1, 3);
		expect([...informationFactors({ ...btw, combine: 'none' }, null, 2)]).toEqual([1, 1]);
		expect([...informationFactors(btw, mi, 2)]).toEqual([1, 3]);
		expect([...informationFactors({ ...btw, informationScale: 'sum' }, mi, 2)]).toEqual([0.25, 0.75]);
	});
});

describe('normalise', () => {
	it('clips what lies outside the range of the training split', () => {
		expect([...normaliseMinMax(Float64Array.of(-1, 1, 2, 3, 9), 1, 3)]).toEqual([0, 0, 0.5, 1, 1]);
		expect([...normaliseMinMax(Float64Array.of(1, 2), 2, 2)]).toEqual([0, 0]);
	});

	it('by row sums to 1 over the modalities that are present', () => {
		const [a, b] = normaliseRow([Float64Array.of(1, 5, 0), Float64Array.of(3, 7, 0)], [null, Uint8Array.of(1, 0, 1)]);
		expect([...a!]).toEqual([0.25, 1, 0]);
		expect([...b!]).toEqual([0.75, 0, 0]);
	});
});
