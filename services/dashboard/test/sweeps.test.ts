import { describe, expect, it } from 'vitest';
import { columnsOf, fits } from '../src/page/jobs/job-columns.ts';
import { assignmentsOf } from '../src/page/sweeps/assignments.ts';
import { specWith } from '../src/page/sweeps/best-spec.ts';
import { shortName, valueText } from '../src/page/sweeps/dimension-name.ts';
import { nextStep, plannedTrials } from '../src/page/sweeps/next-step.ts';
import { objectiveOf } from '../src/page/sweeps/objective.ts';
import { whyFailed } from '../src/page/sweeps/why-failed.ts';
import { job } from './job.ts';
import { SWEEP_DATASET, sweep, trial } from './sweep.ts';

describe('the leaderboard of a sweep', () => {
	const seed = (assignment: number, of: number, value: number | null) => trial(2 * assignment + of, value, { seed: of });

	it('has the seeds of an assignment together, with their mean and its interval', () => {
		const [best] = assignmentsOf(sweep({ spec: { seeds: 2 }, trials: [seed(0, 1, 0.2), seed(0, 0, 0.4)] }));
		expect(best).toMatchObject({ completed: 2, state: 'completed' });
		expect(best?.mean).toBeCloseTo(0.3, 12);
		// Student's t of one degree of freedom at 0.975, times the deviation over the root of two.
		expect(best?.half).toBeCloseTo((12.706 * Math.sqrt(0.02)) / Math.SQRT2, 6);
		expect(best?.trials.map((one) => one.seed)).toEqual([0, 1]);
	});

	it('puts what all seeds were trained for before a better mean of fewer seeds', () => {
		const trials = [seed(1, 0, 0.1), seed(0, 0, 0.3), seed(0, 1, 0.3), seed(1, 1, null), seed(2, 0, null)];
		expect(assignmentsOf(sweep({ spec: { seeds: 2 }, trials })).map(({ mean }) => mean)).toEqual([0.3, 0.1, null]);
	});

	it('takes the highest where that is the best, and keeps the order of rungs', () => {
		const trials = [
			trial(0, 0.7),
			trial(1, 0.9),
			trial(2, 0.95, { state: 'pruned', epochs: 3 }),
			trial(3, 0.99, { state: 'pruned', epochs: 1 }),
		];
		const places = assignmentsOf(sweep({ spec: { direction: 'maximise' }, trials })).map(({ trials: [one] }) => one?.trial);
		expect(places).toEqual([1, 0, 2, 3]);
	});
});

describe('the best value over the trials', () => {
	it('follows the trials in the order in which they began, and counts those alone that were trained to their ends', () => {
		const trials = [trial(2, 0.2), trial(0, 0.5), trial(1, 0.1, { state: 'pruned', epochs: 1 }), trial(3, null)];
		expect(objectiveOf(sweep({ trials }))).toEqual([
			{ trial: 0, value: 0.5, isWhole: true, best: 0.5 },
			{ trial: 1, value: 0.1, isWhole: false, best: 0.5 },
			{ trial: 2, value: 0.2, isWhole: true, best: 0.2 },
		]);
	});
});

describe('what a sweep does next', () => {
	const running = (number: number) => trial(number, null, { state: 'running' });

	it.each([
		[
			'draws at random first',
			sweep({ trials: [running(0)] }),
			'Trial 1 comes next, with values that are drawn at random, as the first 10 are.',
		],
		[
			'then looks where good trials lie',
			sweep({ spec: { search: { type: 'tpe', startup: 1 } }, trials: [running(0)] }),
			'where good trials lie most densely',
		],
		['goes through a grid', sweep({ spec: { search: { type: 'grid' } } }), 'the next values of the grid'],
		[
			'repeats an assignment with its other seeds',
			sweep({ spec: { seeds: 2 }, trials: [running(0)] }),
			'the same values with the next seed',
		],
		[
			'trains the best of a rung further',
			sweep({ spec: { pruning: { type: 'asha' }, space: { 'training.batch_size': { type: 'int', low: 1, high: 9 } } } }),
			'the best one in 3 is trained further',
		],
		[
			'waits for the last ones',
			sweep({ spec: { budget: { trials: 1 } }, trials: [running(0)] }),
			'All trials have begun; 1 of them still runs.',
		],
		[
			'starts none while it is paused',
			sweep({ status: 'paused', trials: [running(0)] }),
			'1 trial that waits or runs goes on to the end, and no other starts',
		],
		['says that it waits to be resumed', sweep({ status: 'paused' }), 'no trial starts before you resume it'],
		[
			'has ended',
			sweep({ status: 'succeeded', finished_at: 5, spec: { budget: { trials: 1 } }, trials: [trial(0, 1)] }),
			'All trials were made. 1 trial ran to the end.',
		],
		[
			'had no more time',
			sweep({ status: 'succeeded', finished_at: 50, spec: { budget: { trials: 9, seconds: 40 } }, trials: [trial(0, 1)] }),
			'Its time was over.',
		],
		['had a small space', sweep({ status: 'succeeded', finished_at: 50, trials: [trial(0, 1)] }), 'Everything in the space was tried.'],
		[
			'found nothing',
			sweep({ status: 'failed', finished_at: 5, spec: { budget: { trials: 1 } }, trials: [trial(0, null)] }),
			'None of them has a value',
		],
		['was cancelled', sweep({ status: 'cancelled', finished_at: 5 }), 'It was cancelled.'],
	])('%s', (_, of, said) => {
		expect(nextStep(of, false)).toContain(said);
	});

	it('says that it is being cancelled until its jobs have stopped', () => {
		expect(nextStep(sweep({ trials: [running(0), running(1)] }), true)).toContain('ends once its 2 jobs stopped');
	});

	it('trains all seeds of an assignment or none', () => {
		expect(plannedTrials(sweep({ spec: { budget: { trials: 10 }, seeds: 3 } }))).toBe(9);
	});
});

describe('what is shown of a sweep', () => {
	it('names a dimension by its last part, unless another one ends so', () => {
		const paths = ['training.optimizer.name', 'training.schedule.name', 'training.batch_size'];
		expect(paths.map((path) => shortName(path, paths))).toEqual(['training.optimizer.name', 'training.schedule.name', 'batch_size']);
		expect([undefined, 0.00314159, 'btw', null, [1, 2]].map(valueText)).toEqual(['–', '0.003142', 'btw', 'null', '[1,2]']);
	});

	it('gives the job with the best values as one posts it', () => {
		const { spec } = sweep({ spec: { job: { dataset: SWEEP_DATASET, weighting: { preset: 'uniform' }, training: { epochs: 3 } } } });
		const found = specWith(spec, { 'weighting.refresh_epochs': 2, weighting: { preset: 'btw' }, 'training.optimizer.learning_rate': 0.1 });
		expect(found).toEqual({
			dataset: SWEEP_DATASET,
			weighting: { preset: 'btw', refresh_epochs: 2 },
			training: { epochs: 3, optimizer: { learning_rate: 0.1 } },
		});
		expect(spec.job.training).toEqual({ epochs: 3 });
	});

	it('says why a trial has no value', () => {
		const failed = { ...job('job_a', { status: 'failed' }), error: { code: 'diverged', message: 'The loss is not finite', param: null } };
		expect(whyFailed(failed as Parameters<typeof whyFailed>[0], { metric: 'auroc' })).toBe('The loss is not finite');
		const without = { ...job('job_b', { status: 'succeeded' }), error: null };
		expect(whyFailed(without, { metric: 'auroc' })).toContain('no finite auroc on validation');
		expect(whyFailed({ ...without, status: 'cancelled' }, { metric: 'auroc' })).toContain('cancelled');
		expect(whyFailed(null, { metric: 'auroc' })).toContain('no such job');
	});
});

describe('the jobs of a sweep', () => {
	it('say so in the list, where they are found by the id of the sweep', () => {
		const trialJob = { ...job('job_a'), sweep: { id: 'swp_01h2345', trial: 4 } };
		const column = columnsOf([trialJob]).find(({ id }) => id === 'sweep');
		expect([column?.text(trialJob), column?.text(job('job_b'))]).toEqual(['swp_…h2345, trial 4', '–']);
		const filter = { text: 'swp_01h2345', statuses: [], dataset: null };
		expect([fits(trialJob, filter), fits(job('job_b'), filter)]).toEqual([true, false]);
	});
});
