import { describe, expect, it } from 'vitest';
import { mutualInformationArgmax } from '../src/argmax-information.js';
import { type PartialInformation, partialInformation } from '../src/partial-information.js';
import { fixture, hashed } from './fixture.js';

const oracle = fixture<{
	random: Array<{ shape: [number, number, number]; counts: number[]; least: number }>;
	gatesInBits: Record<string, Pick<PartialInformation, 'redundant' | 'unique' | 'synergistic'>>;
}>('partial-information');

const partsOf = ({ redundant, unique, synergistic }: Pick<PartialInformation, 'redundant' | 'unique' | 'synergistic'>) => [
	redundant,
	...unique,
	synergistic,
];

/** Counts of a function of independent values that are equally likely. */
function gate(of: (a: number, b: number) => number, [targets, first, second]: [number, number, number]): PartialInformation {
	const counts = new Float64Array(targets * first * second);
	for (let a = 0; a < first; a++) for (let b = 0; b < second; b++) counts[(of(a, b) * first + a) * second + b]!++;
	return partialInformation(counts, { targets, first, second });
}

const GATES: Record<string, () => PartialInformation> = {
	and: () => gate((a, b) => a & b, [2, 2, 2]),
	xor: () => gate((a, b) => a ^ b, [2, 2, 2]),
	sum: () => gate((a, b) => a + b, [3, 2, 2]),
	copy: () => gate((a, b) => 2 * a + b, [4, 2, 2]),
	unique: () => gate((a) => a, [2, 2, 2]),
};

/** Instances whose sources tell the label now and then, and copy one another now and then. */
function instances(rows: number, classes: number, stream: number, [tellsOne, tellsTwo, copies]: [number, number, number]) {
	const random = hashed(rows * 6, stream);
	const draw = (k: number) => Math.floor(random[k]! * classes);
	const t = Int32Array.from({ length: rows }, (_, i) => draw(6 * i));
	const one = t.map((label, i) => (random[6 * i + 1]! < tellsOne ? label : draw(6 * i + 2)));
	const two = t.map((label, i) => (random[6 * i + 3]! < copies ? one[i]! : random[6 * i + 4]! < tellsTwo ? label : draw(6 * i + 5)));
	const counts = new Float64Array(classes ** 3);
	t.forEach((label, i) => {
		counts[(label * classes + one[i]!) * classes + two[i]!]!++;
	});
	return { t, one, two, counts, shape: { targets: classes, first: classes, second: classes } };
}

describe('partial information', () => {
	for (const [name, expected] of Object.entries(oracle.gatesInBits))
		it(`decomposes the gate ${name} as dit does`, () => {
			const found = partsOf(GATES[name]!()).map((part) => part / Math.LN2);
			// its certificate is 1e-6 nats; dit stops at some 1e-8
			partsOf(expected).forEach((part, k) => expect(Math.abs(found[k]! - part)).toBeLessThan(2e-6));
		});

	it('decomposes what two sources share, and what they share beside an exclusive or, as published', () => {
		// Griffith & Koch 2014: two equal copies of a bit are 1 bit redundant; with an exclusive or beside it 1 bit each
		const redundant = partialInformation([1, 0, 0, 0, 0, 0, 0, 1], { targets: 2, first: 2, second: 2 });
		expect(partsOf(redundant).map((part) => part / Math.LN2)).toEqual([expect.closeTo(1, 9), 0, 0, expect.closeTo(0, 9)]);
		const counts = new Float64Array(64); // sources (shared bit, own bit); the target has the shared bit and the parity of the others
		for (let shared = 0; shared < 2; shared++)
			for (let a = 0; a < 2; a++) for (let b = 0; b < 2; b++) counts[((2 * shared + (a ^ b)) * 4 + 2 * shared + a) * 4 + 2 * shared + b]!++;
		const both = partialInformation(counts, { targets: 4, first: 4, second: 4 });
		partsOf(both).forEach((part, k) => expect(part / Math.LN2).toBeCloseTo([1, 0, 0, 1][k]!, 5));
	});

	it('finds the least information that an interior-point solver finds', () => {
		for (const { shape, counts, least } of oracle.random) {
			const [targets, first, second] = shape;
			const found = partialInformation(counts, { targets, first, second });
			// ours is 1e-6 or its gap from the truth, the solver, which stops early, some 2e-7
			expect(found.gap).toBeLessThan(5e-6);
			expect(Math.abs(found.redundant + found.unique[0] + found.unique[1] - least)).toBeLessThan(found.gap + 5e-7);
		}
	});

	it('gives parts of at least 0 that add up to the information of one source, of the other and of both', () => {
		for (let stream = 1; stream <= 40; stream++) {
			const tells = [stream / 40, ((7 * stream) % 40) / 40, ((3 * stream) % 11) / 11] as [number, number, number];
			const classes = 2 + (stream % 5);
			const { t, one, two, counts, shape } = instances(60 * (1 + (stream % 4)), classes, stream, tells);
			const { redundant, unique, synergistic, total, gap } = partialInformation(counts, shape);
			expect(Math.min(redundant, ...unique, synergistic, gap)).toBeGreaterThanOrEqual(0);
			const pairs = one.map((a, i) => a * classes + two[i]!);
			expect(redundant + unique[0]).toBeCloseTo(mutualInformationArgmax(t, one, classes), 12);
			expect(redundant + unique[1]).toBeCloseTo(mutualInformationArgmax(t, two, classes), 12);
			expect(total).toBeCloseTo(mutualInformationArgmax(t, pairs, classes ** 2), 12);
			expect(redundant + unique[0] + unique[1] + synergistic).toBeCloseTo(total, 12);
		}
	});

	it('changes places with its sources', () => {
		const { one, two, t, counts, shape } = instances(300, 4, 5, [0.7, 0.5, 0.3]);
		const swapped = new Float64Array(64);
		t.forEach((label, i) => {
			swapped[(label * 4 + two[i]!) * 4 + one[i]!]!++;
		});
		const [here, there] = [partialInformation(counts, shape), partialInformation(swapped, shape)];
		expect(Math.abs(here.redundant - there.redundant)).toBeLessThan(2e-6); // each within its certificate
		expect(Math.abs(here.unique[0] - there.unique[1])).toBeLessThan(2e-6);
	});

	it('comes within 1e-6 of the least for twenty classes', () => {
		for (const rows of [100, 2000]) {
			const { counts, shape } = instances(rows, 20, 9, [0.8, 0.6, 0.2]);
			expect(partialInformation(counts, shape).gap).toBeLessThanOrEqual(1e-6);
		}
	});

	it('ends the search where it is told to, and tells how far from the least', () => {
		const { counts, shape } = instances(2000, 10, 9, [0.8, 0.6, 0.2]);
		const [rough, fine] = [partialInformation(counts, shape, 1e-3), partialInformation(counts, shape)];
		expect(rough.gap).toBeLessThanOrEqual(1e-3);
		expect(rough.gap).toBeGreaterThan(1e-6);
		expect(Math.abs(rough.redundant - fine.redundant)).toBeLessThanOrEqual(rough.gap + fine.gap);
	});

	it('takes a target or sources of one value, values that do not occur, and a single instance', () => {
		const zeros = { redundant: 0, unique: [0, 0], synergistic: 0, total: 0, gap: 0 };
		expect(partialInformation([3, 1, 2, 2], { targets: 1, first: 2, second: 2 })).toEqual(zeros);
		expect(partialInformation([3, 5], { targets: 2, first: 1, second: 1 })).toEqual(zeros);
		expect(partialInformation([0, 0, 0, 1, 0, 0, 0, 0], { targets: 2, first: 2, second: 2 })).toEqual(zeros);
		const sparse = partialInformation([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], { targets: 2, first: 3, second: 3 });
		expect(sparse.redundant).toBeCloseTo(Math.LN2, 12);
	});

	it('refuses counts that do not fit, are no counts, or count nothing', () => {
		const shape = { targets: 2, first: 2, second: 2 };
		expect(() => partialInformation([1, 2], shape)).toThrow('counts: expected 8 values, found 2');
		expect(() => partialInformation([1, 2, 3, -1, 0, 0, 0, 0], shape)).toThrow('count 3: expected a finite number of at least 0, found -1');
		expect(() => partialInformation(new Float64Array(8), shape)).toThrow('at least one instance');
	});
});
