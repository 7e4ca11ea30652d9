import { type Artifact, type JobResource, TRAINING_STATE } from '@steelyard/contracts';
import { jobKeys } from '@steelyard/store';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { retain } from '../src/housekeeping/retention.js';
import { result } from './job-states.js';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

let service: Service;
let dataset: string;
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => service.close());

/** A job that has succeeded, and kept its training unless told otherwise. */
async function succeeded(spec: object = {}, keeps = true): Promise<string> {
	const { id } = await addJob(service.app, dataset, spec);
	await service.queue.claim(id);
	const artifacts: Artifact[] = [];
	if (keeps) {
		const { sha256 } = await service.store.put(jobKeys.artifact(id, 1, TRAINING_STATE), 'x');
		artifacts.push({ name: TRAINING_STATE, bytes: 1, sha256, content_type: 'application/octet-stream' });
	}
	await service.queue.commit(id, 1, { result, artifacts });
	return id;
}
const post = (initialise_from: unknown, { training = {}, ...spec }: { training?: object; [field: string]: unknown } = {}) =>
	service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset, ...spec, training: { ...training, initialise_from } } });
const accepted = async (...of: Parameters<typeof post>): Promise<JobResource> => {
	const response = await post(...of);
	expect(response.statusCode, response.body).toBe(202);
	return response.json();
};
const remove = (id: string) => service.app.inject({ method: 'DELETE', url: `/v1/jobs/${id}` });
const FROM = 'training.initialise_from';

describe('a job that begins with another one', () => {
	it('names it by its id or by an object, and is kept as it was posted', async () => {
		const job = await succeeded();
		expect((await accepted(job)).spec.training.initialise_from).toBe(job);
		const whole = { job, parameters: 'last', optimizer: true } as const;
		expect((await accepted(whole)).spec.training.initialise_from).toEqual(whole);
	});

	it('is refused where there is no such job, or it has nothing that could be taken', async () => {
		const job = await succeeded();
		const waiting = await addJob(service.app, dataset);
		expectProblem(await post(`job_${'0'.repeat(26)}`), 422, 'job_not_found', FROM);
		expectProblem(await post('ds_1'), 400, 'invalid_request', FROM);
		expectProblem(await post({ job, parameters: 'first' }), 400, 'invalid_request', `${FROM}.parameters`);
		expect(expectProblem(await post(waiting.id), 422, 'job_not_usable', FROM).detail).toContain(`${waiting.id} is queued`);
		expectProblem(await post(await succeeded({}, false)), 422, 'job_not_usable', FROM);
		expectProblem(await post(job, { model: { family: 'fuse-moe' } }), 422, 'job_not_usable', 'model.family');
	});

	it('takes the optimizer only with the last parameters, where it was kept, and with its constants', async () => {
		const job = await succeeded();
		const optimizer = (of: string, training: object = {}) => post({ job: of, parameters: 'last', optimizer: true }, { training });
		expectProblem(await post({ job, optimizer: true }), 400, 'invalid_request', `${FROM}.parameters`);
		expectProblem(await optimizer(await succeeded({ training: { keep_state: 'parameters' } })), 422, 'job_not_usable', `${FROM}.optimizer`);
		for (const [field, value] of Object.entries({ name: 'adam', beta1: 0.8, beta2: 0.99, momentum: 0.5 }))
			expectProblem(await optimizer(job, { optimizer: { [field]: value } }), 422, 'job_not_usable', `training.optimizer.${field}`);
		await accepted({ job, parameters: 'last', optimizer: true }, { training: { optimizer: { learning_rate: 0.1 } } });
	});

	it('validates by no row that the other job trained on', async () => {
		const job = await succeeded();
		for (const [field, value] of Object.entries({ seed: 2, validation_fraction: 0.3 }))
			expectProblem(await post(job, { training: { [field]: value } }), 400, 'invalid_request', `training.${field}`);
		await accepted(job, { dataset: await addDataset(service.app), training: { seed: 2 } });
	});

	it('keeps that job from being deleted until it has ended, also by retention', async () => {
		const job = await succeeded();
		const { id } = await accepted(job);
		expectProblem(await remove(job), 409, 'job_in_use', 'id');
		const limits = { days: null, count: 0, bytes: null };
		const gone = (await retain({ ...service, limits })).jobs.first.map((one) => one.id);
		expect(gone).not.toContain(job);
		expect((await service.app.inject(`/v1/jobs/${job}`)).statusCode).toBe(200);
		await service.queue.jobs.requestCancel(id);
		expect((await remove(job)).statusCode).toBe(204);
		// what it would go on from is gone
		expectProblem(await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/resume` }), 422, 'job_not_found', FROM);
	});

	it('is not left behind where the other one was deleted meanwhile', async () => {
		const job = await succeeded();
		const { create } = service.queue.jobs;
		let made = '';
		vi.spyOn(service.queue.jobs, 'create').mockImplementationOnce(async (record, ...rest) => {
			made = record.id;
			await service.queue.jobs.remove(job);
			return create(record, ...rest);
		});
		expectProblem(await post(job), 422, 'job_not_found', FROM);
		expect(await service.queue.jobs.get(made)).toBeNull();
	});
});
