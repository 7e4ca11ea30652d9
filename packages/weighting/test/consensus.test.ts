import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConsensusStatistics, consensus, fitConsensus, fusedShare, joinConsensus, type WeightingTask } from '../src/index.js';
import { fixture, hashed, largestError, normals } from './fixture.js';

type ConsensusCase = {
	task: WeightingTask;
	classes: number;
	outOfFold: number[][];
	labels: number[];
	present: number[][];
	statistics: ConsensusStatistics;
	outputs: number[][];
	here: number[][];
	weights: number[];
	late: number[];
};
const { cases } = fixture<{ cases: ConsensusCase[] }>('consensus');
const reals = (columns: number[][]) => columns.map((column) => Float64Array.from(column));
const masks = (columns: number[][]) => columns.map((column) => Uint8Array.from(column));
const float32 = 2 ** -23; // one rounding to float32, relative to max(1, |value|)

describe('consensus', () => {
	for (const { task, classes, statistics, outputs, here, weights, late } of cases) {
		it(`equals the sum over every subset of ${outputs.length} modalities for ${task}, also at logits of ±1e4 and where some are missing`, () => {
			const found = consensus({ task, classes, statistics, outputs: reals(outputs), present: masks(here) });
			expect(largestError(found.weights, weights)).toBeLessThan(float32);
			expect(largestError(found.late, late)).toBeLessThan(float32);
		});
	}

	const binary: ConsensusStatistics = { prior: [0.3], temperature: [1.5, 0.7, 1], gamma: 0.6, epsilon: 0.1 };
	const three = [1, 2, 3].map((stream) => normals(40, stream).map((z) => 3 * z));

	it('of one logit z equals that of the two classes (0, z), and that of one label', () => {
		const one = consensus({ task: 'binary', classes: 2, statistics: binary, outputs: three });
		expect(consensus({ task: 'multilabel', classes: 1, statistics: binary, outputs: three })).toEqual(one);
		const pairs = three.map((z) => Float64Array.from(z).reduce<number[]>((all, v) => [...all, 0, v], []));
		const two = consensus({ task: 'multiclass', classes: 2, statistics: { ...binary, prior: [0.7, 0.3] }, outputs: reals(pairs) });
		expect(largestError(two.weights, one.weights)).toBeLessThan(1e-6);
		expect(
			largestError(
				one.late.map((_, i) => two.late[2 * i + 1]! - two.late[2 * i]!),
				one.late,
			),
		).toBeLessThan(1e-6);
	});

	it('takes an absent modality as one that is not there, and does not look at its outputs', () => {
		const spoilt = three[1]!.slice().fill(NaN);
		const outputs = [three[0]!, spoilt, three[2]!];
		const found = consensus({ task: 'binary', classes: 2, statistics: binary, outputs, present: [null, new Uint8Array(40), null] });
		const without = consensus({
			task: 'binary',
			classes: 2,
			statistics: { ...binary, temperature: [1.5, 1] },
			outputs: [three[0]!, three[2]!],
		});
		expect(found.late).toEqual(without.late);
		expect([0, 1, 2].map((m) => found.weights[m])).toEqual([without.weights[0], 0, without.weights[1]]);
		expect(() => consensus({ task: 'binary', classes: 2, statistics: binary, outputs })).toThrow(/modality 1, row 0/);
	});

	it('gives a row without any modality weights 0 and the prior', () => {
		const present = [new Uint8Array(1), new Uint8Array(1)];
		const outputs = [new Float32Array(3), new Float32Array(3)];
		const statistics = { prior: [0.5, 0.3, 0.2], temperature: [1, 1], gamma: 1, epsilon: 0.1 };
		const { weights, late } = consensus({ task: 'multiclass', classes: 3, statistics, outputs, present });
		expect([...weights]).toEqual([0, 0]);
		expect(largestError(late, [0.5, 0.3, 0.2].map(Math.log))).toBeLessThan(float32);
	});

	it('follows the modalities when they change places', () => {
		const turned = consensus({
			task: 'binary',
			classes: 2,
			statistics: { ...binary, temperature: binary.temperature.toReversed() },
			outputs: three.toReversed(),
		});
		const found = consensus({ task: 'binary', classes: 2, statistics: binary, outputs: three });
		expect(largestError(turned.late, found.late)).toBeLessThan(1e-6);
		const back = found.weights.map((_, at) => turned.weights[3 * Math.floor(at / 3) + 2 - (at % 3)]!);
		expect(largestError(back, found.weights)).toBeLessThan(1e-6);
	});

	it('trusts the one that disagrees with three others least', () => {
		const outputs = [3, 3, 3, -3].map((z) => Float64Array.of(z));
		const statistics = { prior: [0.5], temperature: [1, 1, 1, 1], gamma: 1, epsilon: 0.1 };
		const [a, b, c, d] = consensus({ task: 'binary', classes: 2, statistics, outputs }).weights;
		expect([b, c]).toEqual([a, a]);
		expect(a).toBeGreaterThan(0.9);
		expect(d).toBeLessThan(0.5);
	});

	it('has finite weights in [0, 1] and a finite late prediction for every output, prior, γ and ε', () => {
		const task = fc.constantFrom<WeightingTask>('binary', 'multiclass', 'multilabel', 'regression');
		const outputs = fc.constantFrom(1, 2, 3, 6, 12).chain((modalities) => {
			const logits = fc.array(fc.oneof(fc.constantFrom(-1e4, 0, 1e4), fc.double({ min: -20, max: 20, noNaN: true })), {
				minLength: 6,
				maxLength: 6,
			});
			return fc.array(logits, { minLength: modalities, maxLength: modalities });
		});
		const share = fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true });
		fc.assert(
			fc.property(task, outputs, share, share, fc.double({ min: 0.3, max: 1, noNaN: true }), (kind, values, p, epsilon, gamma) => {
				const modalities = values.length;
				const prior = kind === 'binary' ? [p] : kind === 'multilabel' ? [p, p] : [p, 1 - p];
				const temperature = new Array<number>(kind === 'multilabel' ? 2 * modalities : modalities).fill(0.05);
				const regression = kind === 'regression' ? { grid: { from: -1, to: 1, count: 2 }, sigma: values.map(() => 0.5) } : {};
				const statistics = { prior, temperature, gamma, epsilon, ...regression };
				const { weights, late } = consensus({ task: kind, classes: 2, statistics, outputs: reals(values) });
				expect(weights.every((w) => w >= 0 && w <= 1)).toBe(true);
				expect(late.every(Number.isFinite)).toBe(true);
			}),
		);
	});

	it('refuses statistics of another shape and an ε that is no probability', () => {
		const refused = (statistics: Partial<ConsensusStatistics>, pattern: RegExp) =>
			expect(() => consensus({ task: 'binary', classes: 2, statistics: { ...binary, ...statistics }, outputs: three })).toThrow(pattern);
		refused({ prior: [0.5, 0.5] }, /prior of the consensus: expected 1 values, found 2/);
		refused({ temperature: [1] }, /temperature of the consensus: expected 3 values, found 1/);
		refused({ epsilon: 0 }, /epsilon/);
		expect(() => consensus({ task: 'regression', classes: 1, statistics: binary, outputs: three })).toThrow(/prior|grid/);
	});
});

describe('fitConsensus', () => {
	for (const { task, classes, outOfFold, labels, present, statistics } of cases) {
		it(`finds the prior, temperatures and γ that SciPy finds for ${task} of ${outOfFold.length} modalities`, () => {
			const input = { task, classes, outOfFold: reals(outOfFold), labels, present: masks(present), epsilon: statistics.epsilon };
			const found = fitConsensus(input);
			expect(found.gamma).toBe(statistics.gamma);
			expect(found.epsilon).toBe(statistics.epsilon);
			expect(largestError(found.prior, statistics.prior)).toBeLessThan(1e-12);
			// A minimum is known to about the square root of the precision of the loss; both searches end there.
			expect(largestError(found.temperature, statistics.temperature)).toBeLessThan(1e-6);
			expect(largestError(found.sigma ?? [], statistics.sigma ?? [])).toBeLessThan(1e-12);
			// the late predictions that the line is fitted to are rounded to float32
			if (statistics.line)
				expect(largestError([found.line!.offset, found.line!.slope], [statistics.line.offset, statistics.line.slope])).toBeLessThan(1e-5);
			if (!statistics.grid) return expect(found.grid).toBeUndefined();
			expect(found.grid!.count).toBe(statistics.grid.count);
			expect(largestError([found.grid!.from, found.grid!.to], [statistics.grid.from, statistics.grid.to])).toBeLessThan(1e-12);
			return undefined;
		});
	}

	it('returns plain data', () => {
		const found = fitConsensus({ task: 'regression', classes: 1, outOfFold: [normals(20, 1)], labels: normals(20, 2) });
		expect(JSON.parse(JSON.stringify(found))).toEqual(found);
	});

	it('prefers a small γ where the modalities repeat each other, and a larger one where they are independent', () => {
		const rows = 2000;
		const labels = hashed(rows, 1).map((u) => (u < 0.5 ? 1 : 0));
		const witness = (stream: number) => normals(rows, stream).map((e, i) => 2 * (2 * labels[i]! - 1) + 2 * e);
		const one = witness(1);
		const gammaOf = (outOfFold: Float64Array[]) => fitConsensus({ task: 'binary', classes: 2, outOfFold, labels }).gamma;
		expect(gammaOf([one, one, one])).toBe(0.3);
		expect(gammaOf([one, witness(2), witness(3)])).toBeGreaterThan(0.8);
	});

	it('has an answer for one class only, constant outputs, extreme logits, one row, no row, and a modality that no row has', () => {
		const flat = new Float64Array(6);
		const fit = (outputs: Float64Array, labels: number[], extra = {}) =>
			fitConsensus({ task: 'binary', classes: 2, outOfFold: [outputs], labels, ...extra });
		expect(fit(flat, [1, 1, 1, 1, 1, 1])).toMatchObject({ prior: [7 / 8], temperature: [1] });
		expect(fit(flat, [0, 1, 1, 1, 1, 1], { present: [new Uint8Array(6)] }).temperature).toEqual([1]);
		const extreme = Float64Array.of(1e4, -1e4, 1e4, -1e4, 1e4, -1e4);
		expect(fit(extreme, [1, 0, 1, 0, 1, 1]).temperature[0]).toBeCloseTo(20, 4);
		expect(fit(extreme, [1, 0, 1, 0, 1, 0]).temperature[0]).toBe(1); // the loss is 0 at 1 already
		expect(fit(flat.slice(0, 1), [1]).temperature).toEqual([1]);
		expect(fit(flat.slice(0, 0), [])).toMatchObject({ prior: [0.5], temperature: [1] });
		for (const labels of [[], [3], [1e6, 1e6, 1e6]]) {
			const outOfFold = [Float64Array.from(labels)];
			const statistics = fitConsensus({ task: 'regression', classes: 1, outOfFold, labels });
			const { weights, late } = consensus({ task: 'regression', classes: 1, statistics, outputs: outOfFold });
			expect(weights.every((w) => w > 0.5 && w <= 1)).toBe(true);
			expect(largestError(late, labels)).toBeLessThan(1e-3);
		}
	});

	it('finds a Gaussian that is sharper than the grid without losing its mean', () => {
		const labels = normals(300, 4);
		const outOfFold = [labels.map((y) => y + 1e-4), labels];
		const statistics = fitConsensus({ task: 'regression', classes: 1, outOfFold, labels });
		const { late } = consensus({ task: 'regression', classes: 1, statistics, outputs: outOfFold });
		// γ and the prior pull by a part of (σ / spread of the labels)², 0.003 at the spacing of the grid
		expect(largestError(late, labels)).toBeLessThan(0.01);
	});

	it('refuses labels that are not possible, and shapes that do not fit', () => {
		const outOfFold = [Float64Array.of(1, 2)];
		expect(() => fitConsensus({ task: 'binary', classes: 2, outOfFold, labels: [0, 2] })).toThrow(
			/label of row 1: expected 0 to 1, found 2/,
		);
		expect(() => fitConsensus({ task: 'regression', classes: 1, outOfFold, labels: [0, NaN] })).toThrow(/label of row 1/);
		expect(() => fitConsensus({ task: 'binary', classes: 2, outOfFold, labels: [0] })).toThrow(expect.objectContaining({ code: 'shape' }));
		expect(() => fitConsensus({ task: 'binary', classes: 2, outOfFold: [...outOfFold, new Float64Array(3)], labels: [0, 1] })).toThrow(
			/modality 1/,
		);
	});
});

describe('joinConsensus', () => {
	it('gives the fused prediction its share and the late one the rest, in log space for classes', () => {
		expect([...joinConsensus('binary', 2, Float32Array.of(2, -1), Float32Array.of(4, 0), 0.5)]).toEqual([3, -0.5]);
		expect([...joinConsensus('multilabel', 2, Float32Array.of(2, -1), Float32Array.of(4, 0), 0.5)]).toEqual([3, -0.5]);
		expect([...joinConsensus('regression', 1, Float32Array.of(2, 2), Float32Array.of(4, 4), Float32Array.of(0.25, 1))]).toEqual([3.5, 2]);
		const late = [0.2, 0.8].map(Math.log);
		const joined = joinConsensus('multiclass', 2, Float64Array.of(1e4 + Math.log(3), 1e4), Float64Array.from(late), 0.5);
		expect(largestError(joined, [(Math.log(0.75) + late[0]!) / 2, (Math.log(0.25) + late[1]!) / 2])).toBeLessThan(1e-6);
	});

	it('refuses predictions of different size', () => {
		expect(() => joinConsensus('binary', 2, new Float32Array(2), new Float32Array(3), 0.5)).toThrow(
			expect.objectContaining({ code: 'shape' }),
		);
	});
});

describe('fusedShare', () => {
	it('is 0.7 where nothing speaks against a modality, and falls with the trust lost and with what is missing', () => {
		const weights = Float32Array.of(0.9, 0.95, 0.45, 0.9, 0.45, 0);
		const share = fusedShare(weights, 2, 0.1, [null, Uint8Array.of(1, 1, 0)]);
		expect(largestError(share, [0.7, 0.35, 0.175])).toBeLessThan(1e-6);
	});

	it('is at most 0.7, and 0 for a modality that is certainly wrong', () => {
		expect([...fusedShare(Float32Array.of(0, 1), 2, 0.1)]).toEqual([0]);
	});
});
