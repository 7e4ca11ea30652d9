import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../src/observations.js';
import { randomAssignment } from '../src/random-search.js';
import { split, tpeAssignment } from '../src/tpe.js';
import { fixture } from './fixture.js';
import { branin, hartmann } from './objectives.js';
import { planOf, play, SPACE } from './plans.js';

type Figures = { values: number[]; quartiles: [number, number, number] };
type Problem = Record<'tpe' | 'univariate' | 'random', Figures>;
const { checks, trials, ...problems } = fixture<{
	trials: number;
	checks: Record<'branin' | 'hartmann', number[][]>;
	branin: Problem;
	hartmann: Problem;
}>('convergence');

const unit = { type: 'uniform', low: 0, high: 1 };
const PROBLEMS = {
	branin: {
		space: { x: { type: 'uniform', low: -5, high: 10 }, y: { type: 'uniform', low: 0, high: 15 } },
		value: (point: number[]) => branin(point[0]!, point[1]!),
	},
	hartmann: { space: Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [name, unit])), value: hartmann },
};

const kept = new Map<string, number[]>();
/** The best values of 20 sweeps one trial after another, sorted; kept, since several tests look at them. */
function bestValues(name: keyof typeof PROBLEMS, type: 'tpe' | 'random'): number[] {
	const known = kept.get(name + type);
	if (known !== undefined) return known;
	const { space, value } = PROBLEMS[name];
	const best = Array.from({ length: 20 }, (_, seed) => {
		const plan = planOf({ space, search: { type }, budget: { trials }, concurrency: 1, seed });
		const { outcomes } = play(plan, (assignment) => ({ value: value(Object.values(assignment) as number[]) }));
		return Math.min(...outcomes.map((outcome) => ('value' in outcome ? outcome.value : Infinity)));
	});
	best.sort((a, b) => a - b);
	kept.set(name + type, best);
	return best;
}
const medianOf = (sorted: readonly number[]): number => (sorted[9]! + sorted[10]!) / 2;

const observation = (loss: number, state: Observation['state'] = 'finished', epochs = 9): Observation => ({
	assignment: { loss },
	state,
	epochs,
	loss: state === 'finished' ? loss : Infinity,
});

describe('the tree-structured Parzen estimator', () => {
	it('is compared on the functions that the fixture was made with', () => {
		for (const point of checks.branin) expect(branin(point[0]!, point[1]!)).toBeCloseTo(point[2]!, 10);
		for (const point of checks.hartmann) expect(hartmann(point.slice(0, 6))).toBeCloseTo(point[6]!, 12);
	});

	it.each(['branin', 'hartmann'] as const)(
		"finds on %s what Optuna's TPESampler finds: its median is at most the upper quartile there",
		(name) => {
			expect(medianOf(bestValues(name, 'tpe'))).toBeLessThanOrEqual(problems[name].tpe.quartiles[2]);
		},
	);

	it('is better than random search: three in four of its sweeps on Hartmann beat three in four at random, and so Optuna says', () => {
		const [tpe, random] = [bestValues('hartmann', 'tpe'), bestValues('hartmann', 'random')];
		expect(tpe[14]!).toBeLessThan(random[5]!);
		expect(tpe[14]!).toBeLessThan(problems.hartmann.random.quartiles[0]);
	});

	it('proposes as random search does until so many assignments have ended', () => {
		const { space } = planOf();
		const method = { startup: 3, candidates: 4 };
		const drawn = randomAssignment(space, counterRandom(1, 'a'));
		const known = (state: Observation['state']): Observation => ({ ...observation(1, state), assignment: drawn });
		const propose = (states: Observation['state'][]) => tpeAssignment(space, method, states.map(known), counterRandom(1, 'a'));
		expect(propose(['finished', 'failed', 'running'])).toEqual(drawn);
		expect(propose(['finished', 'failed', 'failed'])).not.toEqual(drawn);
	});

	it('takes the best tenth as good, oldest first, and never what failed or runs', () => {
		const losses = Array.from({ length: 18 }, (_, i) => (i * 7) % 18);
		const observations = [...losses.map((loss) => observation(loss)), observation(-1, 'failed'), observation(-2, 'running')];
		const { good, other } = split(observations);
		// 19 have ended, so 2 are good: those of loss 0 and 1, which come first and at place 13.
		expect(good).toEqual([{ loss: 0 }, { loss: 1 }]);
		expect(other).toHaveLength(18);
		expect(other.slice(-2)).toEqual([{ loss: -1 }, { loss: -2 }]);
		expect(split([observation(1, 'failed')])).toEqual({ good: [], other: [{ loss: 1 }] });
		expect(split(Array.from({ length: 400 }, (_, i) => observation(i))).good).toHaveLength(25);
	});

	it('takes what was worth more epochs as better, whatever its loss', () => {
		expect(split([observation(1, 'finished', 3), observation(2, 'finished', 9)]).good).toEqual([{ loss: 2 }]);
	});

	it('proposes dimensions under a condition where it holds, and learns about them from trials that had them', () => {
		const plan = planOf({ search: { type: 'tpe' }, budget: { trials: 90 }, direction: 'maximise' });
		const { decisions } = play(plan, ({ 'model.kind': kind, 'model.depth': depth, 'model.skip': skip }) => ({
			value: (kind === 'large' ? 1 : 0) + (depth === 3 ? 1 : 0) + (Array.isArray(skip) ? 1 : 0),
		}));
		const assignments = decisions.flatMap((decision) => (decision.kind === 'start' ? [decision.assignment] : []));
		for (const assignment of assignments) {
			expect(Object.hasOwn(assignment, 'model.depth')).toBe(assignment['model.kind'] === 'large');
			expect(Object.hasOwn(assignment, 'model.skip')).toBe([2, 3].includes(assignment['model.depth'] as number));
			expect(assignment['training.width']).toBe(Math.round(assignment['training.width'] as number));
		}
		// At random one in 18 has both.
		const best = assignments.slice(60).filter((one) => one['model.depth'] === 3 && Array.isArray(one['model.skip']));
		expect(best.length).toBeGreaterThan(20);
		expect(Object.keys(assignments[0]!).every((name) => Object.hasOwn(SPACE, name))).toBe(true);
	});
});
