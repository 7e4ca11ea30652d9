import { DEFAULT_PROJECT } from '@steelyard/contracts';
import { datasetKeys } from '@steelyard/store';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

let service: Service;
beforeAll(async () => {
	service = await openService();
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => service.close());

const remove = (id: string) => service.app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` });
const post = (dataset: string) => service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset } });
const countJobs = async () => (await service.queue.jobs.list({ project: DEFAULT_PROJECT, limit: 100 })).data.length;

// The one and the other come through two processes, whose steps may alternate.
describe('a deletion beside a post', () => {
	it('is refused, and gives the dataset back, where the job was there in time', async () => {
		const dataset = await addDataset(service.app);
		const { move } = service.store;
		vi.spyOn(service.store, 'move').mockImplementationOnce(async (from, to) => {
			await service.queue.jobs.create({ ...(await addJob(service.app, dataset)), id: 'job_00000000000000000000000000' });
			return move(from, to);
		});
		expectProblem(await remove(dataset), 409, 'dataset_in_use', 'id');
		expect((await service.app.inject(`/v1/datasets/${dataset}`)).statusCode).toBe(200);
	});

	it('gives the dataset back where it cannot be seen whether a job uses it', async () => {
		const dataset = await addDataset(service.app);
		const { countUsing } = service.queue.jobs;
		vi.spyOn(service.queue.jobs, 'countUsing').mockImplementationOnce(countUsing).mockRejectedValueOnce(new Error('Connection is closed.'));
		expect((await remove(dataset)).statusCode).toBe(503);
		expect((await service.app.inject(`/v1/datasets/${dataset}`)).statusCode).toBe(200);
	});

	it('leaves no job behind that was accepted on what it has deleted', async () => {
		const dataset = await addDataset(service.app);
		const before = await countJobs();
		const { create } = service.queue.jobs;
		vi.spyOn(service.queue.jobs, 'create').mockImplementationOnce(async (...args) => {
			await service.store.remove(datasetKeys.record(dataset));
			return create(...args);
		});
		expectProblem(await post(dataset), 422, 'dataset_not_found', 'dataset');
		expect(await countJobs()).toBe(before);
		expect(await service.queue.jobs.countUsing(dataset)).toBe(0);
	});

	it('takes posts for one dataset side by side', async () => {
		const dataset = await addDataset(service.app);
		let atOnce = 0;
		let most = 0;
		const { create } = service.queue.jobs;
		vi.spyOn(service.queue.jobs, 'create').mockImplementation(async (...args) => {
			most = Math.max(most, ++atOnce);
			const job = await create(...args);
			atOnce--;
			return job;
		});
		const answers = await Promise.all(Array.from({ length: 8 }, () => post(dataset)));
		expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(202));
		expect(most).toBeGreaterThan(1);
	});
});
