import type { JobEvent, JobEventBody, JobResource } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../src/server.js';
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

const stage = (name: 'preparing' | 'unimodal' | 'fusion'): JobEventBody => ({ type: 'stage', stage: name });
const succeeded: JobEventBody = { type: 'status', status: 'succeeded', attempt: 1, error: null };

/** A running job: no worker takes part, so that the test says what happens in it. */
async function runningJob(): Promise<JobResource> {
	const { id } = await addJob(service.app, dataset);
	return (await service.queue.jobs.transition(id, ['queued'], 'running', { attempt: 1 })) ?? expect.unreachable('the job is queued');
}
/** Also tells of it in an event, as every change of status does. */
const finish = (id: string) => service.queue.jobs.transition(id, ['running'], 'succeeded', {});

async function tell(id: string, body: JobEventBody): Promise<JobEvent> {
	return (await service.queue.events.append(id, body)) ?? expect.unreachable('the job has not ended');
}

/** An open stream of the events of a job, read one at a time. */
async function openStream(path: string, headers: Record<string, string> = {}, port = portOf(service.app)) {
	const frames = await openFrames(port, path, headers);
	return {
		...frames,
		/** The next event, with the id and the name of its frame, or null at the end of the stream. */
		async next() {
			const frame = await frames.next();
			if (frame === null) return null;
			const event: JobEvent = JSON.parse(frame[2]?.slice('data: '.length) ?? '');
			expect(frame.slice(0, 2)).toEqual([`id: ${event.id}`, `event: ${event.type}`]);
			return event;
		},
	};
}

describe('the events of a job', () => {
	it('are a page of JSON, oldest first, that goes on after the last one seen', async () => {
		const { id } = await runningJob();
		for (const name of ['preparing', 'unimodal', 'fusion'] as const) await tell(id, stage(name));
		const all: JobEvent[] = (await service.app.inject(`/v1/jobs/${id}/events?limit=1000`)).json().data;
		expect(all.filter(({ type }) => type === 'stage')).toMatchObject([stage('preparing'), stage('unimodal'), stage('fusion')]);
		const last = all.slice(-3);
		const page = (await service.app.inject(`/v1/jobs/${id}/events?limit=1&after=${last[0]?.id}`)).json();
		expect(page).toEqual({ object: 'list', data: [last[1]], has_more: true });
		expect((await service.app.inject(`/v1/jobs/${id}/events?after=${last[1]?.id}`)).json()).toEqual({
			object: 'list',
			data: [last[2]],
			has_more: false,
		});
	});

	it('are an empty page after the last one, and none after one that never was', async () => {
		const { id } = await runningJob();
		const events: JobEvent[] = (await service.app.inject(`/v1/jobs/${id}/events?limit=1000`)).json().data;
		const last = events.at(-1)?.id ?? expect.unreachable('there is no event');
		const after = (place: string) => service.app.inject(`/v1/jobs/${id}/events?limit=1000&after=${place}`);
		expect((await after(last)).json()).toEqual({ object: 'list', data: [], has_more: false });
		expect((await after('0')).json().data).toEqual(events);
		const [at, number] = last.split('-').map(Number) as [number, number];
		for (const later of [`${at}-${number + 1}`, `${at + 1}-0`, '9'.repeat(19), `${'9'.repeat(19)}-${'9'.repeat(19)}`])
			expect(expectProblem(await after(later), 400, 'invalid_request', 'after').detail).toContain(later);
		const headers = { 'last-event-id': '99999999999999-0' };
		expectProblem(await service.app.inject({ url: `/v1/jobs/${id}/events`, headers }), 400, 'invalid_request', 'last-event-id');
	});

	it.each([
		['after=yesterday', {}, 'after'],
		['limit=0', {}, 'limit'],
		['limit=1001', {}, 'limit'],
		['since=1', {}, 'since'],
		['', { 'last-event-id': '$' }, 'last-event-id'],
	])('are not given for %s %j', async (query, headers, param) => {
		const { id } = await runningJob();
		for (const accept of ['application/json', 'text/event-stream']) {
			expectProblem(
				await service.app.inject({ url: `/v1/jobs/${id}/events?${query}`, headers: { ...headers, accept } }),
				400,
				'invalid_request',
				param,
			);
		}
	});

	it('are streamed as they happen and the stream ends after the final status', async () => {
		const { id } = await runningJob();
		await tell(id, stage('preparing'));
		const stream = await openStream(`/v1/jobs/${id}/events`);
		expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
		expect(stream.response.headers['cache-control']).toBe('no-store');
		let event = await stream.next();
		while (event?.type === 'status') event = await stream.next();
		expect(event).toMatchObject(stage('preparing'));
		await tell(id, stage('fusion'));
		expect(await stream.next()).toMatchObject(stage('fusion'));
		await finish(id);
		expect(await stream.next()).toMatchObject(succeeded);
		expect(await stream.next()).toBeNull();
	});

	it('are resumed after the last event seen, and answered by 204 when none can come', async () => {
		const { id } = await runningJob();
		const first = await tell(id, stage('preparing'));
		await tell(id, stage('fusion'));
		await finish(id);
		const stream = await openStream(`/v1/jobs/${id}/events`, { 'last-event-id': first.id });
		expect(await stream.next()).toMatchObject(stage('fusion'));
		const last = await stream.next();
		expect(last).toMatchObject(succeeded);
		expect(await stream.next()).toBeNull();
		const nothing = await service.app.inject({
			url: `/v1/jobs/${id}/events`,
			headers: { accept: 'text/event-stream', 'last-event-id': last?.id ?? '' },
		});
		expect([nothing.statusCode, nothing.body]).toEqual([204, '']);
	});

	it('of many watchers each arrive at all, and one that leaves takes nothing from the others', async () => {
		const { id } = await runningJob();
		const streams = await Promise.all(Array.from({ length: 12 }, () => openStream(`/v1/jobs/${id}/events`)));
		for (const { request } of streams.splice(0, 4)) request.destroy();
		await tell(id, stage('fusion'));
		await finish(id);
		for (const stream of streams) {
			const events: (JobEvent | null)[] = [];
			do events.push(await stream.next());
			while (events.at(-1) !== null);
			expect(events.slice(-3)).toMatchObject([stage('fusion'), succeeded, null]);
		}
	});

	it('do not hold the service up when it closes', async () => {
		const { queue, store } = service;
		const server: Server = await startServer({
			config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 },
			port: 0,
			queue,
			store,
			log: silent,
		});
		const { id } = await runningJob();
		const stream = await openStream(`/v1/jobs/${id}/events`, {}, Number(new URL(server.address).port));
		await tell(id, stage('fusion'));
		while ((await stream.next())?.type !== 'stage');
		const ended = stream.next();
		await server.close();
		expect(await ended).toBeNull();
	});
});

describe('the curves of a job', () => {
	it('are made from its events until it has written them', async () => {
		const { id } = await runningJob();
		const epoch = {
			stage: 'fusion',
			model: 'fusion',
			epoch: 0,
			train_loss: 0.5,
			validation: { loss: 0.4 },
			learning_rate: 0.1,
			best: true,
		} as const;
		const weights = { epoch: 0, modality_weights: { labs: 0.7 }, mutual_information: null, smoothing: 1, seconds: 0.1 };
		await tell(id, { type: 'epoch', ...epoch });
		await tell(id, stage('fusion'));
		await tell(id, { type: 'weights', ...weights });
		const curves = (await service.app.inject(`/v1/jobs/${id}/metrics`)).json();
		expect(curves).toEqual({ object: 'metrics', epochs: [epoch], weights: [weights] });
	});
});
