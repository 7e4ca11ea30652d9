import { type JobResource, parseJobSpec } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { mainMetric, orderOf } from '../src/page/start/order.ts';

const job = (fields: Partial<JobResource>, spec: object = {}): JobResource =>
	({
		id: 'job_1',
		status: 'queued',
		started_at: null,
		finished_at: null,
		result: null,
		spec: parseJobSpec({ dataset: 'ds_1', ...spec }),
		...fields,
	}) as JobResource;

describe('jobs by where they stand', () => {
	it('wait in the order in which they will begin', () => {
		const { queued } = orderOf([
			job({ id: 'job_3' }),
			job({ id: 'job_1' }),
			job({ id: 'job_2' }, { priority: 5 }),
			job({ id: 'job_4' }, { priority: -1 }),
		]);
		expect(queued.map(({ id }) => id)).toEqual(['job_2', 'job_1', 'job_3', 'job_4']);
	});

	it('have ended, the last one first', () => {
		const { ended, running } = orderOf([
			job({ id: 'job_1', status: 'failed', finished_at: 5 }),
			job({ id: 'job_2', status: 'succeeded', finished_at: 9 }),
			job({ id: 'job_3', status: 'running', started_at: 7 }),
		]);
		expect(ended.map(({ id }) => id)).toEqual(['job_2', 'job_1']);
		expect(running.map(({ id }) => id)).toEqual(['job_3']);
	});
});

describe('the main metric of a job', () => {
	const result = (metrics: object) => ({ result: { metrics } }) as Partial<JobResource>;

	it('is that of early stopping, on the test split', () => {
		const stopped = job(result({ validation: { auroc: 0.7 }, test: { accuracy: 0.9, auroc: 0.8 } }), {
			training: { early_stopping: { metric: 'auroc' } },
		});
		expect(mainMetric(stopped)).toEqual({ split: 'test', name: 'auroc', value: 0.8 });
	});

	it('is the accuracy, or the error of a regression, where training was stopped by the loss', () => {
		expect(mainMetric(job(result({ test: { loss: 0.2, accuracy: 0.9 } })))).toEqual({ split: 'test', name: 'accuracy', value: 0.9 });
		expect(mainMetric(job(result({ validation: { loss: 0.2, mae: 3 } })))).toEqual({ split: 'validation', name: 'mae', value: 3 });
	});

	it('is unknown before there is a result, and where it is undefined', () => {
		expect(mainMetric(job({}))).toBeNull();
		expect(mainMetric(job(result({ test: { accuracy: null } })))).toBeNull();
	});
});
