import type { JobResource } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { byColumn, columnsOf, firstColumns, fits } from '../src/page/jobs/job-columns.js';
import { queuePlaces, reasonOfWaiting } from '../src/page/jobs/queue-note.js';
import { visibleRows } from '../src/page/jobs/visible-rows.js';
import { job } from './job.js';

const idsOf = (jobs: readonly JobResource[]): string[] => jobs.map(({ id }) => id);

describe('the list of jobs', () => {
	const good = job('job_a', { status: 'succeeded', metrics: { test: { accuracy: 0.9 } }, name: 'Ward 3', metadata: { study: 'winter' } });
	const better = job('job_b', { status: 'succeeded', metrics: { test: { accuracy: 0.95 } } });
	const waiting = job('job_c', { status: 'queued' });
	const all = [good, better, waiting];

	it('has a column for each metric of each split, and for each entry of the metadata', () => {
		const columns = columnsOf(all).map(({ id }) => id);
		expect(columns).toEqual(expect.arrayContaining(['status', 'test.accuracy', 'metadata.study']));
		expect(firstColumns(columnsOf(all))).toContain('test.accuracy');
		expect(firstColumns(columnsOf([waiting]))).not.toContain('test.accuracy');
	});

	it('has jobs without a value last in both orders', () => {
		const accuracy = columnsOf(all).find(({ id }) => id === 'test.accuracy');
		if (accuracy === undefined) throw new Error('there is no such column');
		expect(idsOf([...all].sort(byColumn(accuracy, true)))).toEqual(['job_b', 'job_a', 'job_c']);
		expect(idsOf([...all].sort(byColumn(accuracy, false)))).toEqual(['job_a', 'job_b', 'job_c']);
	});

	it.each([
		[{ text: 'ward', statuses: [], dataset: null }, ['job_a']],
		[{ text: 'study=winter', statuses: [], dataset: null }, ['job_a']],
		[{ text: 'study=summer', statuses: [], dataset: null }, []],
		[{ text: '', statuses: ['queued', 'running'], dataset: null }, ['job_c']],
		[{ text: 'MLP uniform', statuses: [], dataset: 'ds_x' }, ['job_a', 'job_b', 'job_c']],
		[{ text: '', statuses: [], dataset: 'ds_other' }, []],
	])('narrowed to %j has %j', (filter, ids) => {
		expect(idsOf(all.filter((one) => fits(one, filter)))).toEqual(ids);
	});
});

describe('the queue', () => {
	it('takes jobs of a higher priority first, then what was posted first', () => {
		const queued = [job('job_1'), job('job_2', { priority: 5 }), job('job_3'), job('job_0', { status: 'running' })];
		expect([...queuePlaces(queued)]).toEqual([
			['job_2', 1],
			['job_1', 2],
			['job_3', 3],
		]);
	});

	it('says why a job waits', () => {
		expect(reasonOfWaiting(job('job_1'), 3, [])).toBe('2 before it, no worker is alive');
		expect(reasonOfWaiting(job('job_1'), 1, [{ jobs: ['job_0'] }])).toBe('next, worker busy');
		expect(reasonOfWaiting(job('job_1', { status: 'running' }), undefined, [])).toBeNull();
		const full = { ...job('job_1', { status: 'running' }), waiting: { code: 'disk_full', message: 'The disk is full', param: null } };
		expect(reasonOfWaiting(full, undefined, [])).toBe('The disk is full');
	});
});

describe('a long list', () => {
	it('draws what is seen, and a little beyond', () => {
		expect(visibleRows(2000, 37, 0, 600)).toEqual({ first: 0, end: 25 });
		expect(visibleRows(2000, 37, 37_000, 600)).toEqual({ first: 992, end: 1025 });
		expect(visibleRows(3, 37, 0, 600)).toEqual({ first: 0, end: 3 });
		expect(visibleRows(0, 37, 500, 600)).toEqual({ first: 0, end: 0 });
	});
});
