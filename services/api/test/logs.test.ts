import type { JobLogLine, List } from '@steelyard/contracts';
import { jobKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

let service: Service;
let id: string;
beforeAll(async () => {
	service = await openService();
	id = (await addJob(service.app, await addDataset(service.app))).id;
	const line = (message: string) => JSON.stringify({ at: 7, level: 'info', source: 'worker', message });
	const lines = (attempt: number, count: number) => Array.from({ length: count }, (_, i) => `${line(`${attempt}-${i + 1}`)}\n`).join('');
	await service.store.put(jobKeys.log(id, 1), lines(1, 3));
	await service.store.put(jobKeys.log(id, 2), `${lines(2, 1)}{"at":7,"lev\n${line('2-3')}\n`);
	await service.store.put(jobKeys.log(id, 10), `${lines(10, 2)}{"at":7,"level":"in`);
});
afterAll(() => service.close());

const page = async (query = '', job = id): Promise<List<JobLogLine>> => (await service.app.inject(`/v1/jobs/${job}/logs${query}`)).json();
const idsOf = ({ data }: List<JobLogLine>) => data.map((line) => line.id);

describe('the log of a job', () => {
	it('has the lines of all attempts in order, without what was written in part', async () => {
		const all = await page();
		expect(idsOf(all)).toEqual(['1-1', '1-2', '1-3', '2-1', '2-3', '10-1', '10-2']);
		expect(all.has_more).toBe(false);
		expect(all.data[4]).toEqual({ id: '2-3', at: 7, attempt: 2, level: 'info', source: 'worker', message: '2-3' });
	});

	it('begins with its last lines, and goes on after any of them', async () => {
		expect(idsOf(await page('?limit=3'))).toEqual(['2-3', '10-1', '10-2']);
		expect(await page('?after=1-2&limit=2')).toMatchObject({ data: [{ id: '1-3' }, { id: '2-1' }], has_more: true });
		expect(idsOf(await page('?after=2-1'))).toEqual(['2-3', '10-1', '10-2']);
		expect(await page('?after=10-2')).toEqual({ object: 'list', data: [], has_more: false });
		await service.store.put(jobKeys.log(id, 11), '{"at":8,"level":"warn","source":"stderr","message":"new"}\n');
		expect(await page('?after=10-2')).toMatchObject({ data: [{ id: '11-1', level: 'warn', source: 'stderr' }] });
	});

	it('gives every line once to a client that takes page after page', async () => {
		const seen = ['1-1'];
		for (let more = true; more; ) {
			const { data, has_more } = await page(`?after=${seen.at(-1)}&limit=1`);
			seen.push(...data.map((line) => line.id));
			more = has_more;
		}
		expect(seen).toEqual(idsOf(await page()));
	});

	it('refuses what is no line of it, and a job that is not there', async () => {
		for (const after of ['1-4', '3-1', '12-1'])
			expectProblem(await service.app.inject(`/v1/jobs/${id}/logs?after=${after}`), 400, 'invalid_request', 'after');
		for (const query of ['after=x', 'after=0-0', 'limit=0', 'limit=1001', 'tail=3'])
			expectProblem(await service.app.inject(`/v1/jobs/${id}/logs?${query}`), 400, 'invalid_request');
		expectProblem(await service.app.inject('/v1/jobs/job_1/logs'), 404, 'not_found', 'id');
	});

	it('is empty before the first attempt, and goes with the job', async () => {
		const fresh = (await addJob(service.app, await addDataset(service.app))).id;
		expect(await page('', fresh)).toEqual({ object: 'list', data: [], has_more: false });
		await service.store.put(jobKeys.log(fresh, 1), '{"at":7,"level":"info","source":"worker","message":"m"}\n');
		await service.queue.jobs.requestCancel(fresh);
		expect((await service.app.inject({ method: 'DELETE', url: `/v1/jobs/${fresh}` })).statusCode).toBe(204);
		expect(await service.store.list(jobKeys.folder(fresh))).toEqual([]);
	});
});
