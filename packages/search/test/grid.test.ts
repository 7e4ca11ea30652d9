import { counterRandom } from '@steelyard/random';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridAssignment, gridOf } from '../src/grid.js';
import { gridSize } from '../src/index.js';
import { randomAssignment } from '../src/random-search.js';
import { groupsOf, orderedDimensions } from '../src/space.js';
import { planOf, SPACE } from './plans.js';

const spaceOf = (space: Record<string, unknown>) => planOf({ space }).space;
const gridAt = (space: Record<string, unknown>, points = 3) => [...gridOf(spaceOf(space), points)];

/** Spaces of a few dimensions, of which each but the first may stand under a condition on the one before, if that is a choice. */
const spaces = fc
	.array(
		fc.record({
			values: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 4, null), { minLength: 1, maxLength: 4 }),
			isConditional: fc.boolean(),
		}),
		{ minLength: 1, maxLength: 5 },
	)
	.map((dimensions) =>
		Object.fromEntries(
			dimensions.map(({ values, isConditional }, i) => [
				`d${i}`,
				{ type: 'choice', values, ...(isConditional && i > 0 && { when: { [`d${i - 1}`]: [dimensions[i - 1]!.values[0]!] } }) },
			]),
		),
	);

describe('a grid', () => {
	it('has every assignment in order: the last dimension changes first', () => {
		expect(gridAt({ a: { type: 'choice', values: ['x', 'y'] }, b: { type: 'int', low: 1, high: 3 } })).toEqual([
			{ a: 'x', b: 1 },
			{ a: 'x', b: 2 },
			{ a: 'x', b: 3 },
			{ a: 'y', b: 1 },
			{ a: 'y', b: 2 },
			{ a: 'y', b: 3 },
		]);
	});

	it('leaves a dimension out where it does not exist, also where its condition comes later in the space', () => {
		const space = { b: { type: 'int', low: 1, high: 2, when: { a: 'x' } }, a: { type: 'choice', values: ['x', 'y'] } };
		expect(gridAt(space)).toEqual([{ a: 'x', b: 1 }, { a: 'x', b: 2 }, { a: 'y' }]);
	});

	it('spreads points evenly, with both ends exact: logarithmically where the dimension is so, and each integer once', () => {
		const valuesOf = (dimension: unknown, points: number) => gridAt({ a: dimension }, points).map(({ a }) => a);
		expect(valuesOf({ type: 'uniform', low: 0.1, high: 0.7 }, 3)).toEqual([0.1, expect.closeTo(0.4, 12), 0.7]);
		expect(valuesOf({ type: 'log-uniform', low: 1e-5, high: 0.1 }, 5).map((value) => Math.log10(value as number))).toEqual(
			[-5, -4, -3, -2, -1].map((power) => expect.closeTo(power, 12)),
		);
		expect(valuesOf({ type: 'log-uniform', low: 3e-7, high: 0.7 }, 4).at(-1)).toBe(0.7);
		expect(valuesOf({ type: 'int', low: 16, high: 1024, log: true }, 4)).toEqual([16, 64, 256, 1024]);
		expect(valuesOf({ type: 'int', low: 1, high: 3, log: true }, 9)).toEqual([1, 2, 3]);
		expect(valuesOf({ type: 'int', low: -2, high: 2 }, 3)).toEqual([-2, -1, 0, 1, 2]);
	});

	it('has as many assignments as the conditions say', () => {
		// small and null: nothing else; large: depth 1, or depth 2 or 3 with two values of skip. Each with 3 · 3 · 3 points.
		expect(gridSize(planOf().space, 3, 10_000)).toBe((2 + 1 + 2 * 2) * 27);
		expect(gridSize(planOf().space, 3, 50)).toBe(50);
	});

	it('is counted no further than asked, however large', () => {
		expect(gridSize(spaceOf({ a: { type: 'int', low: 0, high: 1e15 }, b: { type: 'int', low: 0, high: 1e15 } }), 3, 1000)).toBe(1000);
	});

	it('has no assignment twice, and every one that can be drawn', () => {
		fc.assert(
			fc.property(spaces, fc.nat(), (given, seed) => {
				const space = spaceOf(given);
				const grid = [...gridOf(space, 3)].map((one) => JSON.stringify(one));
				expect(new Set(grid).size).toBe(grid.length);
				const random = counterRandom(seed, 'draw');
				for (let i = 0; i < 5; i++) expect(grid).toContain(JSON.stringify(randomAssignment(space, random)));
				grid.forEach((one, i) => expect(JSON.stringify(gridAssignment(space, 3, i))).toBe(one));
				expect(gridAssignment(space, 3, grid.length)).toBeNull();
			}),
			{ seed: 1, numRuns: 60 },
		);
	});
});

describe('the dimensions of a space', () => {
	it('come behind those of their conditions, and those of equal condition together', () => {
		const { 'training.rate': rate, ...others } = SPACE;
		const reversed = spaceOf(Object.fromEntries(Object.entries({ 'training.rate': rate, ...others }).reverse()));
		expect(orderedDimensions(reversed).map(({ name }) => name)).toEqual([
			'training.drop',
			'training.width',
			'model.kind',
			'model.depth',
			'model.skip',
			'training.rate',
		]);
		expect(groupsOf(reversed).map((group) => group.map(({ name }) => name))).toEqual([
			['training.drop', 'training.width', 'model.kind', 'training.rate'],
			['model.depth'],
			['model.skip'],
		]);
	});
});

describe('random search', () => {
	it('draws every value of a choice and of an int alike, and a logarithmic range evenly over its logarithm', () => {
		const space = spaceOf({
			kind: { type: 'choice', values: ['a', 'b', 'c'] },
			depth: { type: 'int', low: 1, high: 4 },
			rate: { type: 'log-uniform', low: 1e-4, high: 1 },
			width: { type: 'int', low: 1, high: 1023, log: true },
		});
		const count = 6000;
		const random = counterRandom(3, 'draw');
		const drawn = Array.from({ length: count }, () => randomAssignment(space, random));
		const share = (holds: (one: (typeof drawn)[number]) => boolean) => drawn.filter(holds).length / count;
		// Five standard deviations of a share of 6,000 draws are at most 0.033.
		for (const kind of ['a', 'b', 'c']) expect(Math.abs(share((one) => one['kind'] === kind) - 1 / 3)).toBeLessThan(0.033);
		for (const depth of [1, 2, 3, 4]) expect(Math.abs(share((one) => one['depth'] === depth) - 1 / 4)).toBeLessThan(0.033);
		expect(Math.abs(share((one) => (one['rate'] as number) < 1e-2) - 1 / 2)).toBeLessThan(0.033);
		expect(Math.abs(share((one) => (one['width'] as number) <= 22) - Math.log(22.5 / 0.5) / Math.log(1023.5 / 0.5))).toBeLessThan(0.033);
		expect(share((one) => (one['width'] as number) >= 1 && (one['width'] as number) <= 1023)).toBe(1);
	});
});
