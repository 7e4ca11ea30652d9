import { describe, expect, it } from 'vitest';
import { ProblemError, parseSweepSearch } from '../src/index.js';

const choice = (...values: unknown[]) => ({ type: 'choice', values });
const uniform = (low = 0, high = 1) => ({ type: 'uniform', low, high });
const int = (low = 1, high = 3, more: object = {}) => ({ type: 'int', low, high, ...more });
const posted = (space: unknown, more: object = {}) => ({ space, budget: { trials: 20 }, ...more });
const when = (dimension: object, condition: object) => ({ ...dimension, when: condition });

const problemOf = (input: unknown, maximumEpochs?: number): ProblemError => {
	try {
		parseSweepSearch(input, maximumEpochs);
	} catch (error) {
		if (error instanceof ProblemError) return error;
		throw error;
	}
	throw new Error('was accepted');
};

describe('the search part of a sweep', () => {
	it('has a default for every field but the space and the trials', () => {
		const space = { 'training.rate': uniform() };
		expect(parseSweepSearch(posted(space))).toEqual({
			space,
			search: { type: 'tpe', startup: 10, candidates: 24 },
			pruning: { type: 'none' },
			direction: 'minimise',
			seeds: 1,
			budget: { trials: 20 },
			concurrency: 4,
			seed: 1,
		});
		expect(parseSweepSearch(posted(space, { search: { type: 'grid' }, pruning: { type: 'asha' } }))).toMatchObject({
			search: { type: 'grid', points: 3 },
			pruning: { type: 'asha', minimum: 1, factor: 3 },
		});
	});

	it('takes values of any kind, and conditions on a value, on any of several, and on a value that is a list', () => {
		const space = {
			a: choice('x', 1, true, null, [64, 32], { name: 'adam' }),
			b: when(int(), { a: 'x' }),
			c: when(uniform(), { a: [null, 1], b: [2, 3] }),
			d: when(uniform(), { a: [[64, 32]] }),
			e: when(uniform(), { a: { name: 'adam' } }),
		};
		expect(parseSweepSearch(posted(space)).space).toEqual(space);
	});

	it.each<[unknown, string | null, string]>([
		[{ budget: { trials: 1 } }, 'space', 'is required'],
		[posted({ a: uniform() }, { budget: {} }), 'budget.trials', 'is required'],
		[posted({}), 'space', 'properties'],
		[posted({ 'a..b': uniform() }), 'space', 'expected names of at most eight names with dots between them'],
		[posted({ __proto: uniform() }), 'space', '"__proto"'],
		[posted({ a: { type: 'normal', low: 0, high: 1 } }), 'space.a.type', 'one of "choice", "int", "uniform", "log-uniform"'],
		[posted({ a: { type: 'int', low: 0.5, high: 3 } }), 'space.a.low', 'found 0.5'],
		[posted({ 'b.c': { type: 'uniform', low: 0 } }), 'space.b.c.high', 'is required'],
		[posted({ a: { ...uniform(), log: true } }), 'space.a.log', 'means nothing to uniform; its choices are low, high, when'],
		[posted({ a: choice() }), 'space.a.values', 'found []'],
		[posted({ a: { type: 'log-uniform', low: 0, high: 1 } }), 'space.a.low', 'found 0'],
		[posted({ a: uniform(2, 2) }), 'space.a.high', 'must be above low (2), found 2'],
		[posted({ a: int(0, 8, { log: true }) }), 'space.a.low', 'must be at least 1 for a logarithmic int, found 0'],
		[posted({ a: choice({ x: 1, y: 2 }, 3, { y: 2, x: 1 }) }), 'space.a.values.2', 'names {"y":2,"x":1} twice'],
		[posted({ a: choice('x'.repeat(5000)) }), 'space.a.values.0', 'at most 4096 characters as JSON, found 5002'],
		[posted({ a: when(uniform(), { b: 1 }), c: int() }), 'space.a.when.b', 'names no dimension of the space, which has a, c'],
		[posted({ a: when(uniform(), { b: 1 }), b: uniform() }), 'space.a.when.b', 'must name a choice or an int, found uniform'],
		[posted({ a: when(uniform(), { b: [] }), b: int() }), 'space.a.when.b', 'at least one value'],
		[posted({ a: when(uniform(), { b: [1, 4] }), b: int() }), 'space.a.when.b', 'has the value 4, which b never takes'],
		[posted({ a: when(uniform(), { b: 'z' }), b: choice('x') }), 'space.a.when.b', 'has the value "z", which b never takes'],
		[posted({ a: when(choice(1), { a: 1 }) }), 'space.a.when', 'a → a'],
		[posted({ a: when(int(), { b: 1 }), b: when(int(), { c: 1 }), c: when(int(), { a: 1 }) }), 'space.a.when', 'a → b → c → a'],
		[posted({ 'a.b': uniform(), a: choice(1) }), 'space.a.b', 'lies inside a, which is a dimension itself'],
		[posted({ a: uniform() }, { search: { type: 'grid', startup: 3 } }), 'search.startup', 'means nothing to grid'],
		[posted({ a: uniform() }, { search: { type: 'bayes' } }), 'search.type', 'one of "tpe", "random", "grid"'],
		[posted({ a: uniform() }, { pruning: { type: 'asha', factor: 1 } }), 'pruning.factor', 'found 1'],
		[posted({ a: uniform() }, { seeds: 21 }), 'budget.trials', 'must be at least seeds (21)'],
		[posted({ a: uniform() }, { seeds: 2, pruning: { type: 'asha' } }), 'seeds', 'must be 1 with asha'],
		[posted({ 'training.epochs': int() }, { pruning: { type: 'asha' } }), 'space.training.epochs', 'whose rungs set the epochs'],
		[posted({ a: uniform() }, { concurrency: 65 }), 'concurrency', 'found 65'],
		[posted({ a: uniform() }, { budget: { trials: 10_001 } }), 'budget.trials', 'found 10001'],
		['x', null, 'found "x"'],
	])('is refused with the field to blame: %j', (input, param, detail) => {
		const { code, param: found, message } = problemOf(input);
		expect([code, found, message]).toEqual(['invalid_request', param, expect.stringContaining(detail)]);
	});

	it('is refused where the first rung is no less than the whole training', () => {
		const asha = posted({ a: uniform() }, { pruning: { type: 'asha', minimum: 9 } });
		expect(parseSweepSearch(asha, 10).pruning).toMatchObject({ minimum: 9 });
		expect(problemOf(asha, 9)).toMatchObject({
			param: 'pruning.minimum',
			message: expect.stringContaining('less than the epochs of a whole trial (9)'),
		});
	});

	it('may have names that are close to each other without lying inside each other', () => {
		expect(Object.keys(parseSweepSearch(posted({ 'a.b': uniform(), 'a.bc': uniform(), ab: uniform() })).space)).toHaveLength(3);
	});
});
