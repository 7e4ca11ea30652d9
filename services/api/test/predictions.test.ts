import { PREDICTION_BYTES, ProblemError } from '@steelyard/contracts';
import type { PredictionOrder, Work } from '@steelyard/queue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobsInEveryState } from './job-states.js';
import { addDataset, answerPredictions, expectProblem, openService, type Service } from './service.js';

let service: Service;
let jobs: Record<string, string>;
let answering: Work;
const orders: PredictionOrder[] = [];
/** What the worker answers to the next order. */
let answer: () => Promise<string>;
beforeAll(async () => {
	service = await openService();
	jobs = await jobsInEveryState(service, await addDataset(service.app), {});
	answering = await answerPredictions(service.queue, async (order) => {
		orders.push(order);
		return answer();
	});
});
afterAll(async () => {
	await answering.close(1000);
	await service.close();
});

const post = (payload: string | Buffer | undefined, type: string | null = 'application/json', state = 'succeeded') =>
	service.app.inject({
		method: 'POST',
		url: `/v1/jobs/${jobs[state]}/predict`,
		...(type === null ? {} : { headers: { 'content-type': type } }),
		...(payload === undefined ? {} : { payload }),
	});

describe('a request for predictions', () => {
	it.each([
		['application/json', '{"rows": [{"age": 7}]}', 'json'],
		['application/json; charset=utf-8', '{"rows": [ not read here', 'json'],
		['text/csv', 'age\n7\n', 'csv'],
		['Text/CSV; header=present', '\uFEFFage\n7\n', 'csv'],
	])('of type %s goes to a worker as it is, and so does its answer', async (type, body, known) => {
		answer = async () => '{"object":"predictions",  "data":[]}';
		const response = await post(body, type);
		expect(response.statusCode).toBe(200);
		expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
		expect(response.body).toBe('{"object":"predictions",  "data":[]}');
		const { attempt } = (await service.queue.jobs.get(jobs['succeeded'] as string)) ?? {};
		expect(orders.at(-1)).toEqual({ job: jobs['succeeded'], attempt, type: known, body: Buffer.from(body) });
	});

	it('is refused as the worker refuses it', async () => {
		answer = async () => {
			throw new ProblemError('invalid_request', 'rows.0.age: expected a number', 'rows.0.age');
		};
		expectProblem(await post('{}'), 400, 'invalid_request', 'rows.0.age');
	});

	it('is refused where it is too large, of another type or without a body', async () => {
		const before = orders.length;
		expectProblem(await post(Buffer.alloc(PREDICTION_BYTES + 1)), 413, 'too_large');
		const { detail } = expectProblem(await post('x', 'text/plain'), 415, 'unsupported_media_type');
		expect(detail).toContain('application/json or text/csv');
		expectProblem(await post(undefined, null), 400, 'invalid_request');
		expect(orders).toHaveLength(before);
	});

	it.each([
		['queued', 409, 'artifact_not_ready'],
		['running', 409, 'artifact_not_ready'],
		['failed', 409, 'artifact_not_ready'],
	])('is refused for a job that is %s', async (state, status, code) => {
		expectProblem(await post('{}', 'application/json', state), status, code);
	});

	it('is refused for a job of nobody, and of another project', async () => {
		const url = `/v1/jobs/${jobs['succeeded']}/predict`;
		const headers = { 'content-type': 'application/json', 'steelyard-project': 'other' };
		expectProblem(await service.app.inject({ method: 'POST', url, headers, payload: '{}' }), 404, 'not_found');
		expectProblem(await service.app.inject({ method: 'POST', url: '/v1/jobs/job_0/predict', payload: {} }), 404, 'not_found');
	});

	it('leaves no line in the audit log, for it changes nothing', async () => {
		answer = async () => '{}';
		await post('{"rows":[{}]}');
		const made = await service.app.inject({ method: 'POST', url: '/v1/keys', payload: { name: 'a key', scope: 'read' } });
		expect(made.statusCode).toBe(201);
		const lines = async () => (await service.app.inject('/v1/audit')).json().data.map(({ operation }: { operation: string }) => operation);
		await expect.poll(lines).toContain('createKey');
		expect(await lines()).not.toContain('predictRows');
	});

	it('is refused while those at hand have too many bytes, and taken when they are answered', async () => {
		let release = () => {};
		const released = new Promise<void>((resolve) => {
			release = resolve;
		});
		answer = async () => {
			await released;
			return '{}';
		};
		const before = orders.length;
		const large = Array.from({ length: 3 }, () => post(Buffer.alloc(PREDICTION_BYTES)));
		await expect.poll(() => orders.length - before, { timeout: 30_000 }).toBe(3);
		expectProblem(await post('{}'), 503, 'unavailable');
		release();
		expect((await Promise.all(large)).map(({ statusCode }) => statusCode)).toEqual(large.map(() => 200));
		expect((await post('{}')).statusCode).toBe(200);
	});

	it('is unavailable where no worker is there', async () => {
		await answering.close(1000);
		expectProblem(await post('{"rows":[{}]}'), 503, 'unavailable');
		answering = await answerPredictions(service.queue, async () => answer());
	});
});
