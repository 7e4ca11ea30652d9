import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, nextDecision, type Outcome, rungsOf, type SweepPlan } from '../src/index.js';
import { IN_ORDER, noisy, planOf, play, promote, start } from './plans.js';

const METHODS: Record<string, Record<string, unknown>> = {
	'grid search': { search: { type: 'grid' }, budget: { trials: 25 } },
	'random search': { search: { type: 'random' }, budget: { trials: 25 } },
	tpe: { search: { type: 'tpe', startup: 5 }, budget: { trials: 25 } },
	'tpe with three seeds': { search: { type: 'tpe', startup: 3 }, seeds: 3, budget: { trials: 26 } },
	'tpe with asha': { search: { type: 'tpe', startup: 5 }, pruning: { type: 'asha' }, budget: { trials: 25 } },
	'random search with asha': {
		search: { type: 'random' },
		pruning: { type: 'asha', factor: 2 },
		budget: { trials: 25 },
		direction: 'maximise',
	},
};
const planFor = (method: string, fields: Record<string, unknown> = {}): SweepPlan => planOf({ ...METHODS[method], ...fields });
const concurrencies = fc.integer({ min: 1, max: 7 });

describe.each(Object.keys(METHODS))('a sweep by %s', (method) => {
	it('makes the same decisions on any number of machines, in whatever order trials end', () => {
		fc.assert(
			fc.property(concurrencies, fc.integer({ min: 1, max: 4 }), fc.nat(1e6), (concurrency, workers, seed) => {
				const plan = planFor(method, { concurrency });
				expect(play(plan, noisy, { workers, seed })).toEqual(play(plan, noisy, IN_ORDER));
			}),
			{ seed: 1, numRuns: 8 },
		);
	});

	it('looks at no outcome of the last concurrency − 1 decisions while trials are left to start', () => {
		fc.assert(
			fc.property(concurrencies, (concurrency) => {
				const plan = planFor(method, { concurrency });
				const { decisions, outcomes } = play(plan, noisy);
				const lastStart = decisions.findLastIndex(({ kind }) => kind === 'start');
				for (let n = 0; n <= lastStart; n++) {
					const before = decisions.slice(0, n);
					const seen = outcomes.slice(0, Math.max(0, n - concurrency + 1));
					expect(nextDecision(plan, before, seen)).toEqual(decisions[n]);
					const others = Array.from({ length: n - seen.length }, (): Outcome => ({ value: -1e9 }));
					expect(nextDecision(plan, before, [...seen, ...others])).toEqual(decisions[n]);
					if (seen.length > 0) expect(nextDecision(plan, before, seen.with(-1, undefined as never))).toBe('wait');
				}
			}),
			{ seed: 1, numRuns: 3 },
		);
	});

	it('depends on the seed where it draws, and ends', () => {
		const plan = planFor(method);
		const { decisions } = play(plan, noisy);
		const other = play(planFor(method, { seed: 2 }), noisy).decisions;
		if (method === 'grid search') expect(other).toEqual(decisions);
		else expect(other).not.toEqual(decisions);
		const started = decisions.filter(({ kind }) => kind === 'start');
		expect(started).toHaveLength(Math.floor(plan.budget.trials / plan.seeds) * plan.seeds);
		expect(started.every(({ epochs }) => epochs === rungsOf(plan)[0])).toBe(true);
	});
});

describe('the next decision', () => {
	const values = (...all: number[]): Outcome[] => all.map((value) => ({ value }));

	it('starts as many trials as may run at once, then waits for the first of them, and not for another', () => {
		const plan = planOf({ concurrency: 3 });
		const decisions: Decision[] = [];
		for (let i = 0; i < 3; i++) decisions.push(nextDecision(plan, decisions, []) as Decision);
		expect(decisions.map(({ trial }) => trial)).toEqual([0, 1, 2]);
		expect(nextDecision(plan, decisions, [])).toBe('wait');
		expect(nextDecision(plan, decisions, [undefined, ...values(1, 2)])).toBe('wait');
		expect(nextDecision(plan, decisions, values(5))).toMatchObject({ kind: 'start', trial: 3 });
	});

	it('is `done` when every decision has an outcome, and `wait` before', () => {
		const plan = planOf({ budget: { trials: 2 } });
		const { decisions } = play(plan, noisy);
		expect(nextDecision(plan, decisions, values(1))).toBe('wait');
		expect(nextDecision(plan, decisions, [undefined, ...values(1)])).toBe('wait');
		expect(nextDecision(plan, decisions, values(1, 2))).toBe('done');
	});

	it('trains each assignment with all seeds, one after another, and none in part', () => {
		const { decisions } = play(planOf({ seeds: 3, budget: { trials: 8 } }), noisy);
		expect(decisions.map((decision) => decision.kind === 'start' && decision.seed)).toEqual([0, 1, 2, 0, 1, 2]);
		const assignments = decisions.map((decision) => decision.kind === 'start' && JSON.stringify(decision.assignment));
		expect(new Set(assignments.slice(0, 3)).size).toBe(1);
		expect(assignments[3]).not.toBe(assignments[0]);
	});

	it('ends with the grid where that is smaller than the budget', () => {
		const space = { a: { type: 'choice', values: [1, 2, 3] } };
		const { decisions } = play(planOf({ space, search: { type: 'grid' }, budget: { trials: 100 } }), noisy);
		expect(decisions).toEqual([1, 2, 3].map((a, i) => start(i, { a })));
	});

	it('waits, when all trials are started, for an outcome that may promote one, and then promotes by the order of decisions alone', () => {
		const plan = planOf({ pruning: { type: 'asha' }, budget: { trials: 3 }, concurrency: 3 }, 3);
		const decisions = [0, 1, 2].map((trial) => start(trial, {}, 1));
		expect(nextDecision(plan, decisions, values(3, 1))).toBe('wait');
		expect(nextDecision(plan, decisions, [{ value: 3 }, undefined, { value: 1 }])).toBe('wait');
		expect(nextDecision(plan, decisions, values(3, 1, 2))).toEqual(promote(1, 3));
		expect(nextDecision(plan, [...decisions, promote(1, 3)], values(3, 1, 2))).toBe('wait');
		expect(nextDecision(plan, [...decisions, promote(1, 3)], values(3, 1, 2, 1))).toBe('done');
	});

	it('goes on where every trial fails', () => {
		for (const method of Object.keys(METHODS)) {
			const { decisions } = play(planFor(method), () => ({ value: Number.NaN }));
			expect(decisions.every(({ kind }) => kind === 'start')).toBe(true);
			expect(decisions.length).toBeGreaterThanOrEqual(24);
		}
	});
});
