import { describe, expect, it } from 'vitest';
import { bestAmong } from '../src/page/compare/metric-order.js';
import { meanOf, seedGroups } from '../src/page/compare/seed-groups.js';
import { differencesOf } from '../src/page/compare/spec-differences.js';
import { job } from './job.js';

describe('the difference of specs', () => {
	it('is only what differs, by the path of the field', () => {
		const jobs = [
			job('job_1', { name: 'one', training: { epochs: 3 } }),
			job('job_2', { training: { epochs: 5, optimizer: { name: 'sgd', learning_rate: 0.1 } } }),
		];
		expect(differencesOf(jobs)).toEqual([
			{ field: 'training.epochs', values: [3, 5] },
			{ field: 'training.optimizer.name', values: ['adamw', 'sgd'] },
			{ field: 'training.optimizer.learning_rate', values: [0.001, 0.1] },
		]);
		expect(differencesOf([jobs[0] as (typeof jobs)[0], jobs[0] as (typeof jobs)[0]])).toEqual([]);
	});

	it('names a field that one spec lacks', () => {
		const jobs = [job('job_1', { training: { early_stopping: null } }), job('job_2')];
		expect(differencesOf(jobs).find(({ field }) => field === 'training.early_stopping.patience')).toEqual({
			field: 'training.early_stopping.patience',
			values: [undefined, 10],
		});
	});
});

describe('jobs that differ by their seeds', () => {
	it('are one group, whatever they are called', () => {
		const jobs = [
			job('job_1', { training: { seed: 1 } }),
			job('job_2', { training: { seed: 2, epochs: 3 } }),
			job('job_3', { name: 'three', metadata: { a: 'b' }, training: { seed: 3 } }),
		];
		expect(seedGroups(jobs).map(({ jobs: of }) => of.map(({ id }) => id))).toEqual([['job_1', 'job_3'], ['job_2']]);
	});

	// scipy.stats.t.interval(0.95, 2, loc=mean, scale=sem) of [0.9, 0.92, 0.97]
	it('have the interval of their mean that SciPy gives', () => {
		const found = meanOf([0.9, 0.92, 0.97]);
		expect(found?.mean).toBeCloseTo(0.93, 12);
		expect(found?.half).toBeCloseTo(0.0895659, 4);
		expect(meanOf([0.5])).toEqual({ mean: 0.5, half: null });
		expect(meanOf([])).toBeNull();
	});
});

describe('the best of a metric', () => {
	it.each([
		['accuracy', [0.8, 0.9, null], [1]],
		['loss', [0.8, 0.9, null], [0]],
		['rmse', [2, 1, 1], [1, 2]],
		['accuracy', [0.9], []],
		['accuracy', [0.9, 0.9], []],
	])('%s of %j is at %j', (metric, values, places) => {
		expect([...bestAmong(metric, values)]).toEqual(places);
	});
});
