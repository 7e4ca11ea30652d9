import { describe, expect, it } from 'vitest';
import { type Assignment, importance, LEAST_FOR_IMPORTANCE } from '../src/index.js';
import { fixture } from './fixture.js';
import { planOf, start } from './plans.js';

const { space, trials, shares } = fixture<{
	space: Record<string, unknown>;
	trials: { assignment: Assignment; value: number }[];
	shares: Record<string, number>;
}>('importance');
const plan = planOf({ space });
const decisions = trials.map(({ assignment }, trial) => start(trial, assignment));
const outcomes = trials.map(({ value }) => ({ value }));

describe('the importance of dimensions', () => {
	it("has the shares of Optuna's PED-ANOVA, with a dimension under a condition", () => {
		const found = importance(plan, decisions, outcomes)!;
		expect(Object.keys(found).sort()).toEqual(Object.keys(shares).sort());
		for (const [name, share] of Object.entries(shares)) expect(Math.abs(found[name]! - share)).toBeLessThan(1e-9);
	});

	it('is the same where greater is better and values change their sign', () => {
		const upwards = planOf({ space, direction: 'maximise' });
		const negated = outcomes.map(({ value }) => ({ value: -value }));
		expect(importance(upwards, decisions, negated)).toEqual(importance(plan, decisions, outcomes));
	});

	it('leaves failed trials out, and is null for fewer than the least number of others', () => {
		const some = outcomes.slice(0, LEAST_FOR_IMPORTANCE);
		const spoiled = [...some, ...outcomes.slice(LEAST_FOR_IMPORTANCE).map(() => ({ failed: true }) as const)];
		expect(importance(plan, decisions, spoiled)).toEqual(importance(plan, decisions.slice(0, LEAST_FOR_IMPORTANCE), some));
		expect(importance(plan, decisions, some.slice(1))).toBeNull();
	});

	it('is null where every trial came to the same', () => {
		expect(
			importance(
				plan,
				decisions,
				outcomes.map(() => ({ value: 1 })),
			),
		).toBeNull();
	});
});
