import { type JobListChange, type JobResource, ProblemError } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../src/app.js';
import { startServer } from '../src/server.js';
import { openFrames, portOf } from './event-stream.js';
import { addDataset, addJob, expectProblem, openService, type Service, silent } from './service.js';

let service: Service;
let dataset: string;
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
	await service.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => service.close());

/** An open stream of changes, read one at a time. */
async function openChanges({ headers = {}, query = '', port = portOf(service.app) } = {}) {
	const frames = await openFrames(port, `/v1/job-changes${query}`, headers);
	return {
		...frames,
		/** The next change, with the id of its frame, or null at the end of the stream. */
		async next(): Promise<{ id: string; change: JobListChange } | null> {
			const frame = await frames.next();
			if (frame === null) return null;
			const [id = '', data = '', ...rest] = frame;
			expect([id.slice(0, 4), data.slice(0, 6), rest]).toEqual(['id: ', 'data: ', []]);
			return { id: id.slice(4), change: JSON.parse(data.slice(6)) };
		},
	};
}

/** The change that tells of a job which was not trained yet. */
const changed = (job: JobResource) => ({ type: 'changed', job });

describe('the changes of the jobs of a project', () => {
	it('begin with a list that is to be loaded, and come as they happen', async () => {
		const stream = await openChanges();
		expect(stream.response.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
		expect((await stream.next())?.change).toEqual({ type: 'reset' });
		const job = await addJob(service.app, dataset);
		expect((await stream.next())?.change).toEqual(changed(job));
		const named = await service.app.inject({ method: 'PATCH', url: `/v1/jobs/${job.id}`, payload: { name: 'Ward 3' } });
		expect((await stream.next())?.change).toEqual(changed(named.json()));
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
		expect((await stream.next())?.change).toMatchObject({ type: 'changed', job: { status: 'cancelled' } });
		await service.app.inject({ method: 'DELETE', url: `/v1/jobs/${job.id}` });
		expect((await stream.next())?.change).toEqual({ type: 'deleted', id: job.id });
		stream.request.destroy();
	});

	it.each([
		['last-event-id', (id: string) => ({ headers: { 'last-event-id': id } })],
		['after', (id: string) => ({ query: `?after=${id}` })],
	])('go on after the one that %s names', async (_, from) => {
		const stream = await openChanges();
		const first = await stream.next();
		stream.request.destroy();
		const [one, two] = [await addJob(service.app, dataset), await addJob(service.app, dataset)];
		const again = await openChanges(from(first?.id ?? ''));
		expect([(await again.next())?.change, (await again.next())?.change]).toEqual([changed(one), changed(two)]);
		again.request.destroy();
		const lost = await openChanges(from(`${'0'.repeat(16)}-1`));
		expect((await lost.next())?.change).toEqual({ type: 'reset' });
		lost.request.destroy();
	});

	it('are a stream whatever is accepted, and from now on where an event source has seen nothing', async () => {
		const stream = await openChanges({ headers: { accept: 'application/json', 'last-event-id': '' } });
		expect((await stream.next())?.change).toEqual({ type: 'reset' });
		stream.request.destroy();
	});

	it('are those of the project that is worked in', async () => {
		const stream = await openChanges({ headers: { 'steelyard-project': 'ward-4' } });
		await stream.next();
		await addJob(service.app, dataset);
		const job = await addJob(service.app, dataset);
		const own = { ...job, id: job.id.replace(/..$/, 'ZZ'), project: 'ward-4' };
		await service.queue.jobs.create(own);
		expect((await stream.next())?.change).toEqual(changed(own));
		stream.request.destroy();
	});

	it.each([
		['after=yesterday', {}, 'after'],
		['since=1', {}, 'since'],
		['', { 'last-event-id': '12' }, 'last-event-id'],
	])('are not given for %s %j', async (query, headers, param) => {
		expectProblem(await service.app.inject({ url: `/v1/job-changes?${query}`, headers }), 400, 'invalid_request', param);
	});

	it('are refused, and no stream that breaks off, where Redis is away', async () => {
		const follow = async () => {
			throw new ProblemError('unavailable', 'Redis is away');
		};
		const queue = Object.assign(Object.create(service.queue), { changes: { follow } });
		const config = { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 };
		const app = await buildApp({ config, queue, store: service.store, log: silent });
		expectProblem(await app.inject('/v1/job-changes'), 503, 'unavailable');
		await app.close();
	});

	it('do not hold the service up when it closes', async () => {
		const { queue, store } = service;
		const server = await startServer({
			config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 },
			port: 0,
			queue,
			store,
			log: silent,
		});
		const stream = await openChanges({ port: Number(new URL(server.address).port) });
		await stream.next();
		const ended = stream.next();
		await server.close();
		expect(await ended).toBeNull();
	});
});
