import { type Json, parseSweepSearch } from '@steelyard/contracts';
import { counterRandom } from '@steelyard/random';
import { type Decision, nextDecision, type Outcome, type Promotion, type Start, type SweepPlan } from '../src/index.js';

/** A space with one dimension of each type, and two that exist under conditions. */
export const SPACE = {
	'model.kind': { type: 'choice', values: ['small', 'large', null] },
	'model.depth': { type: 'int', low: 1, high: 3, when: { 'model.kind': 'large' } },
	'model.skip': { type: 'choice', values: [[64, 32], { deep: true }], when: { 'model.depth': [2, 3] } },
	'training.rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 },
	'training.width': { type: 'int', low: 8, high: 512, log: true },
	'training.drop': { type: 'uniform', low: 0, high: 0.5 },
};

/** A plan as a client posts it, with `SPACE`, random search and 20 trials unless told otherwise. */
export const planOf = (fields: Record<string, unknown> = {}, maximumEpochs = 27): SweepPlan => ({
	...parseSweepSearch({ space: SPACE, search: { type: 'random' }, budget: { trials: 20 }, ...fields }, maximumEpochs),
	maximumEpochs,
});

export const start = (trial: number, assignment: Record<string, Json>, epochs = 27, seed = 0): Start => ({
	kind: 'start',
	trial,
	assignment,
	seed,
	epochs,
});
export const promote = (trial: number, epochs: number): Promotion => ({ kind: 'promote', trial, epochs });

/** What a trial of these values comes to after so many epochs. */
export type Trained = (assignment: Start['assignment'], epochs: number, seed: number, trial: number) => Outcome;

/** How trials end: `workers` train at once the decisions that wait longest, which of them ends next is drawn from `seed`, and so is whether the next decision is asked for before. */
export type Schedule = { readonly workers: number; readonly seed: number };
export const IN_ORDER: Schedule = { workers: 1, seed: 0 };

/** A sweep that is played to its end. Throws where more than `concurrency` decisions have no outcome. */
export function play(
	plan: SweepPlan,
	trained: Trained,
	{ workers, seed }: Schedule = IN_ORDER,
): { decisions: Decision[]; outcomes: Outcome[] } {
	const random = counterRandom(seed, 'schedule');
	const decisions: Decision[] = [];
	const outcomes: (Outcome | undefined)[] = [];
	const starts: Start[] = [];
	const endOne = (): void => {
		const running = decisions.flatMap((_, i) => (outcomes[i] === undefined ? i : [])).slice(0, workers);
		if (running.length === 0) return;
		const ended = running[random.below(running.length)] as number;
		const { trial, epochs } = decisions[ended] as Decision;
		outcomes[ended] = trained(starts[trial]!.assignment, epochs, starts[trial]!.seed, trial);
	};
	for (;;) {
		const next = nextDecision(plan, decisions, outcomes);
		if (next === 'done') return { decisions, outcomes: outcomes as Outcome[] };
		if (next === 'wait') {
			if (decisions.every((_, i) => outcomes[i] !== undefined)) throw new Error('waits for nothing');
			endOne();
			continue;
		}
		decisions.push(next);
		if (next.kind === 'start') starts.push(next);
		const running = decisions.filter((_, i) => outcomes[i] === undefined).length;
		if (running > plan.concurrency) throw new Error(`${running} decisions run at once`);
		if (random.uniform() < 0.3) endOne();
	}
}

/** A loss that is a function of the values alone, which falls with the epochs; one trial in eight fails. */
export const noisy: Trained = (assignment, epochs, seed, trial) => {
	const random = counterRandom(7, `${JSON.stringify(assignment)}/${seed}/${trial}`);
	return random.uniform() < 1 / 8
		? { failed: true }
		: { value: random.uniform() + 1 / epochs + 0.01 * counterRandom(epochs, trial).uniform() };
};
