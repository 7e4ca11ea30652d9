import {
	isFinal,
	type JobListChange,
	type JobResource,
	type JobStatus,
	type ModelVerdict,
	PREDICTION_BYTES,
	type Prediction,
	ProblemError,
} from '@steelyard/contracts';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../src/app.js';
import type { App } from '../src/fastify-app.js';
import { datasetArchive } from './archive.js';
import { checkerOf, type Document, eventsOf, operationsOf } from './document.js';
import { curves, jobsInEveryState } from './job-states.js';
import { ready, report } from './report.js';
import { addDataset, addJob, addModel, answerPredictions, judge, openService, type Service, silent, worker } from './service.js';

const STATES = [
	'queued',
	'running',
	'running, asked to stop',
	'running, asked to pause',
	'paused',
	'succeeded',
	'failed',
	'cancelled while queued',
	'cancelled while running',
];
/** The status in which a job of that state is. */
const statusOf = (state: string) => state.split(/[ ,]/, 1)[0] as JobStatus;

/** All that can be said of a row. */
const prediction: Prediction = {
	prediction: ['fracture'],
	probabilities: { fracture: 0.75 },
	quantiles: { '0.5': 1 },
	weights: { labs: 1 },
	divergence: { labs: 0 },
	outputs: { y: [1, [2]] },
};

let service: Service;
let document: Document;
let checker: ReturnType<typeof checkerOf>;
let dataset: string;
let models: Record<'inspecting' | 'ready' | 'refused', string>;
let jobs: Record<string, string>;
/** Every answer that was checked, as `<operation> <status>`. */
const seen = new Set<string>();

/** Asks the service, and expects what it answers to be as the document says. */
async function ask(request: InjectOptions, app: App = service.app) {
	const response = await app.inject(request);
	seen.add(
		checker.check({
			method: request.method ?? 'GET',
			url: String(request.url),
			status: response.statusCode,
			headers: response.headers,
			body: response.body,
		}),
	);
	return response;
}
const get = async (url: string) => (await ask({ url })).json();

beforeAll(async () => {
	service = await openService({ uploadLimit: 10_000, modelLimit: 10_000 });
	document = (await service.app.inject('/openapi.json')).json();
	checker = checkerOf(document);
	dataset = await addDataset(service.app);

	const refused: ModelVerdict = {
		status: 'refused',
		report: { ...report, blockers: [{ code: 'no_gradient', message: 'NonZero has no gradient', where: 'node_3' }] },
		error: { code: 'invalid_model', message: 'NonZero has no gradient', param: 'node_3' },
	};
	const ids = { ready: await addModel(service.app), refused: await addModel(service.app) };
	await judge(service.queue, { [ids.ready]: ready, [ids.refused]: refused });
	models = { ...ids, inspecting: await addModel(service.app) };

	jobs = await jobsInEveryState(service, dataset, {
		model: { family: 'custom', model: ids.ready, inputs: { labs: 'labs', text: 'text' }, output: 'y' },
	});
	await service.queue.workers.announce(worker('one', 'no device'));
});
afterAll(() => service.close());

describe('the answers about a job', () => {
	it('are tried in every state that a job can be in', () => {
		expect(Object.keys(jobs)).toEqual(STATES);
	});

	it.each(STATES)('that is %s are as the document says', async (state) => {
		const path = `/v1/jobs/${jobs[state]}`;
		const wasRun = !['queued', 'cancelled while queued'].includes(state);
		const job: JobResource = await get(path);
		expect(job.status).toBe(statusOf(state));
		expect(job.metrics === null).toBe(!wasRun);

		const { epochs, weights } = await get(`${path}/metrics`);
		expect([epochs, weights]).toEqual(wasRun ? [curves.epochs, curves.weights] : [[], []]);

		const { data: events } = await get(`${path}/events?limit=1000`);
		expect(new Set(events.map(({ type }: { type: string }) => type))).toEqual(
			new Set(wasRun ? ['status', 'stage', 'device', 'progress', 'epoch', 'weights', 'waiting', 'warning'] : ['status']),
		);
		expect((await get(`${path}/events?limit=1`)).has_more).toBe(events.length > 1);

		expect((await get(`${path}/logs`)).data).toHaveLength(wasRun ? 1 : 0);

		const { data: artifacts } = await get(`${path}/artifacts`);
		expect(artifacts).toHaveLength(state === 'succeeded' ? 3 : 0);
		for (const url of [`${path}/model`, `${path}/artifacts/metrics.json`, `${path}/artifacts/report.md`, `${path}/artifacts/nothing.txt`]) {
			const { statusCode, headers } = await ask({ url });
			if (statusCode !== 200) continue;
			expect(state).toBe('succeeded');
			const presign = vi.spyOn(service.store, 'presign').mockResolvedValue('https://bucket.example.org/signed');
			await ask({ url: `${url}?redirect=true` }).finally(() => presign.mockRestore());
			await ask({ url, headers: { range: 'bytes=1-3' } });
			await ask({ url, headers: { range: 'bytes=99999-' } });
			await ask({ url, headers: { 'if-none-match': String(headers.etag) } });
		}
	});

	it.each(STATES)('that is %s are the same events as a stream as they are as a page', async (state) => {
		const url = `/v1/jobs/${jobs[state]}/events`;
		const { data: events } = await get(url);
		expect(events.length).toBeGreaterThan(0);
		// The stream of a job that has not ended stays open: it is left after as many events as the page has.
		const response = await service.app.inject({ url, headers: { accept: 'text/event-stream' }, payloadAsStream: true });
		let body = '';
		for await (const chunk of response.stream().setEncoding('utf8')) {
			body += chunk;
			if (eventsOf(body).length >= events.length) break;
		}
		seen.add(checker.check({ method: 'GET', url, status: response.statusCode, headers: response.headers, body }));
		expect(eventsOf(body)).toEqual(events);
		if (isFinal(statusOf(state))) await ask({ url, headers: { accept: 'text/event-stream', 'last-event-id': events.at(-1).id } });
	});

	it('are the same in the changes of the list as in the list', async () => {
		/** The first `count` changes of a stream. */
		const changes = async (query: string, count: number) => {
			const url = `/v1/job-changes${query}`;
			const response = await service.app.inject({ url, payloadAsStream: true });
			let body = '';
			for await (const chunk of response.stream().setEncoding('utf8')) {
				body += chunk;
				if (eventsOf(body).length >= count) break;
			}
			seen.add(checker.check({ method: 'GET', url, status: response.statusCode, headers: response.headers, body }));
			return { body, changes: eventsOf(body) as JobListChange[] };
		};
		const { body, changes: first } = await changes('', 1);
		expect(first).toEqual([{ type: 'reset' }]);
		const [epoch] = /^id: (\S+)$/m.exec(body)?.[1]?.split('-') ?? [];
		const { data }: { data: JobResource[] } = await get('/v1/jobs?limit=100');
		const listed = new Map(
			data.map((job) => {
				const { bytes: _, ...rest } = job;
				return [job.id, rest];
			}),
		);
		const changed = (await changes(`?after=${epoch}-0`, listed.size)).changes;
		expect(new Map(changed.map((change) => (change.type === 'changed' ? [change.job.id, change.job] : [change.type, null])))).toEqual(
			listed,
		);
	});
});
describe('the answers about a sweep', () => {
	const post = (job: object, fields: object = {}) =>
		ask({
			method: 'POST',
			url: '/v1/sweeps',
			payload: {
				job: { dataset, ...job },
				space: { 'training.optimizer.learning_rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 } },
				budget: { trials: 3 },
				concurrency: 1,
				...fields,
			},
		});
	const act = async (id: string, verb: string) => (await ask({ method: 'POST', url: `/v1/sweeps/${id}/${verb}` })).statusCode;
	const remove = async (id: string) => (await ask({ method: 'DELETE', url: `/v1/sweeps/${id}` })).statusCode;

	it('are as the document says from its post to its deletion', async () => {
		const { id } = (await post({})).json();
		expect((await get(`/v1/sweeps/${id}`)).trials).toHaveLength(1);
		expect((await get('/v1/sweeps')).data).toHaveLength(1);
		expect(await remove(id)).toBe(409);
		for (const verb of ['pause', 'resume', 'cancel']) expect(await act(id, verb)).toBe(200);
		for (const verb of ['pause', 'resume', 'cancel']) expect(await act(id, verb)).toBe(409);
		expect(await remove(id)).toBe(204);
		for (const verb of ['pause', 'resume', 'cancel']) expect(await act(id, verb)).toBe(404);
		expect(await remove(id)).toBe(404);
		expect((await ask({ url: `/v1/sweeps/${id}` })).statusCode).toBe(404);
	});

	it('are as the document says where its jobs would be refused', async () => {
		expect((await post({ dataset: 'ds_0' })).statusCode).toBe(422);
		expect((await post({ training: { epochs: 0 } })).statusCode).toBe(400);
		const model = { family: 'custom', model: models.inspecting, inputs: { labs: 'labs', text: 'text' }, output: 'y' };
		expect((await post({ model })).statusCode).toBe(409);
	});
});

describe('the answers about everything else', () => {
	it('are as the document says when all goes well', async () => {
		for (const url of ['/v1/jobs', '/v1/datasets', '/v1/models']) {
			expect((await get(`${url}?limit=1`)).data).toHaveLength(1);
			const [{ id }] = (await get(`${url}?limit=100`)).data;
			await ask({ method: 'PATCH', url: `${url}/${id}`, payload: { name: 'Ward 3', metadata: { a: '1' } } });
			expect((await get(`${url}?name=ward&metadata[a]=1`)).data).toHaveLength(1);
			expect((await get(`${url}/${id}`)).id).toBe(id);
		}
		await get(`/v1/datasets/${dataset}`);
		const one: JobResource = await get(`/v1/jobs/${jobs['succeeded']}`);
		const listed = (await get('/v1/jobs?limit=100')).data.find(({ id }: JobResource) => id === one.id);
		const { unimodal: _, expert_use: __, robustness: ___, ...lean } = one.result ?? expect.unreachable();
		expect(listed).toEqual({ ...one, bytes: expect.any(Number), result: { ...lean, unimodal: {} } });
		for (const [status, id] of Object.entries(models)) expect(await get(`/v1/models/${id}`)).toMatchObject({ status });
		expect((await get('/readyz')).workers).toHaveLength(1);
		await get('/healthz');
		await get('/v1/usage');
		await get('/v1/caller');
		await ask({ method: 'PUT', url: '/v1/webhook', payload: { url: 'https://example.com/hook', on: ['failed'] } });
		await get('/v1/webhook');
		await ask({ method: 'DELETE', url: '/v1/webhook' });
		const key = await ask({ method: 'POST', url: '/v1/keys', payload: { name: 'a key', scope: 'read', expires_in_days: 0.5 } });
		expect((await get('/v1/keys')).data).toHaveLength(1);
		await ask({ method: 'DELETE', url: `/v1/keys/${key.json().id}` });
		await vi.waitFor(async () => expect((await get('/v1/audit?limit=1')).has_more).toBe(true));
		await ask({ method: 'POST', url: '/v1/retention?dry_run=true' });
		const posted = await ask({ method: 'POST', url: '/v1/jobs', payload: { dataset } });
		for (const what of ['pause', 'resume', 'cancel', 'resume', 'cancel'])
			expect((await ask({ method: 'POST', url: `/v1/jobs/${posted.json().id}/${what}` })).statusCode).toBe(200);
		await ask({ method: 'DELETE', url: `/v1/jobs/${posted.json().id}` });
		const answering = await answerPredictions(service.queue, async ({ job }) =>
			JSON.stringify({ object: 'predictions', job, data: [prediction] }),
		);
		const predict = { method: 'POST' as const, url: `/v1/jobs/${jobs['succeeded']}/predict` };
		expect((await ask({ ...predict, payload: { rows: [{ age: 7, note: null, labs: [[1, 2]] }] } })).statusCode).toBe(200);
		expect((await ask({ ...predict, headers: { 'content-type': 'text/csv' }, payload: 'age,note\n7,\n' })).statusCode).toBe(200);
		await answering.close(1000);
		for (const task of ['binary', 'multiclass', 'multilabel', 'regression'] as const) {
			const payload = await datasetArchive(task);
			const added = await ask({ method: 'POST', url: '/v1/datasets', headers: { 'content-type': 'application/zip' }, payload });
			await get(`/v1/datasets/${added.json().id}`);
			expect((await get(`/v1/datasets/${added.json().id}/rows?limit=3`)).data).toHaveLength(3);
			await ask({ method: 'DELETE', url: `/v1/datasets/${added.json().id}` });
		}
		const table = { method: 'POST' as const, headers: { 'content-type': 'text/csv' }, payload: 'x,y\n1,a\n3,b\n2,a\n5,b\n' };
		expect((await ask({ ...table, url: '/v1/table-previews' })).statusCode).toBe(200);
		const added = await ask({ ...table, url: '/v1/datasets' });
		expect(added.statusCode).toBe(201);
		expect((await get(`/v1/datasets/${added.json().id}/rows?split=test`)).data).toHaveLength(1);
		await ask({ method: 'DELETE', url: `/v1/datasets/${added.json().id}` });
		const bytes = { 'content-type': 'application/octet-stream' };
		const model = await ask({ method: 'POST', url: '/v1/models', headers: bytes, payload: 'a model' });
		await ask({ method: 'DELETE', url: `/v1/models/${model.json().id}` });
	});

	it('are as the document says when a request is refused', async () => {
		for (const url of ['/v1/jobs', '/v1/datasets', '/v1/models']) {
			await ask({ url: `${url}?limit=0` });
			await ask({ url: `${url}/nothing` });
			await ask({ method: 'DELETE', url: `${url}/nothing` });
			await ask({ method: 'PATCH', url: `${url}/nothing`, payload: { name: 'x' } });
			await ask({ url: '/v1/datasets/nothing/rows' });
			await ask({ url: `/v1/datasets/${dataset}/rows?split=nothing` });
			await ask({ url: `/v1/datasets/${dataset}/rows?limit=101` });
			await ask({ method: 'POST', url, headers: { 'content-type': 'text/plain' }, payload: 'x' });
		}
		const zip = { 'content-type': 'application/zip' };
		const bytes = { 'content-type': 'application/octet-stream' };
		for (const url of ['/v1/datasets', '/v1/table-previews']) {
			await ask({ method: 'POST', url, headers: zip, payload: 'this is no zip file' });
			await ask({ method: 'POST', url, headers: zip, payload: Buffer.alloc(10_001) });
			await ask({ method: 'POST', url, headers: zip, payload: '' });
			await ask({ method: 'POST', url, headers: { 'content-type': 'text/plain' }, payload: 'x' });
		}
		await ask({ method: 'POST', url: '/v1/models', headers: bytes, payload: Buffer.alloc(10_001) });
		await ask({ method: 'POST', url: '/v1/models', headers: bytes, payload: '' });
		await ask({ method: 'DELETE', url: `/v1/datasets/${dataset}` });
		await ask({ method: 'DELETE', url: `/v1/models/${models.ready}` });
		await ask({ method: 'DELETE', url: `/v1/jobs/${jobs['queued']}` });
		const post = (payload: object, headers = {}) => ask({ method: 'POST', url: '/v1/jobs', payload, headers });
		await post({});
		await ask({ method: 'POST', url: '/v1/retention?dry_run=maybe' });
		await ask({ method: 'POST', url: '/v1/keys', payload: { name: 'a key', scope: 'root' } });
		await ask({ method: 'DELETE', url: '/v1/keys/nothing' });
		for (const method of ['GET', 'DELETE'] as const) await ask({ method, url: '/v1/webhook' });
		await ask({ url: '/v1/audit?after=2026-11-000001-99999' });
		await post({ dataset: 'ds_0' });
		await post({ dataset }, { 'idempotency-key': 'one' });
		await post({ dataset, device: 'cpu' }, { 'idempotency-key': 'one' });
		for (const path of ['', '/metrics', '/events', '/logs', '/artifacts', '/artifacts/x', '/model'])
			await ask({ url: `/v1/jobs/job_0${path}` });
		await ask({ url: `/v1/jobs/${jobs['queued']}/events?limit=0` });
		const answering = await answerPredictions(service.queue, async () => {
			throw new ProblemError('prediction_too_large', 'send fewer rows');
		});
		for (const state of ['queued', 'failed', 'succeeded'])
			await ask({ method: 'POST', url: `/v1/jobs/${jobs[state]}/predict`, payload: { rows: [{ age: 7 }] } });
		const predict = { method: 'POST' as const, url: `/v1/jobs/${jobs['succeeded']}/predict` };
		await ask({ ...predict, headers: { 'content-type': 'text/plain' }, payload: 'x' });
		await ask({ ...predict, headers: { 'content-type': 'text/csv' }, payload: Buffer.alloc(PREDICTION_BYTES + 1) });
		await ask({ method: 'POST', url: '/v1/jobs/job_0/predict', payload: { rows: [{}] } });
		await answering.close(1000);
		await ask({ method: 'POST', url: '/v1/jobs/job_0/cancel' });
		await ask({ method: 'POST', url: `/v1/jobs/${jobs['succeeded']}/cancel` });
		for (const what of ['pause', 'resume']) {
			await ask({ method: 'POST', url: `/v1/jobs/job_0/${what}` });
			await ask({ method: 'POST', url: `/v1/jobs/${jobs['succeeded']}/${what}` });
		}
		const gone = await addDataset(service.app, 'regression');
		const { id } = await addJob(service.app, gone);
		await ask({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
		await ask({ method: 'DELETE', url: `/v1/datasets/${gone}` });
		await ask({ method: 'POST', url: `/v1/jobs/${id}/resume` });

		const full = await service.build({ projectQueued: 1 });
		const sweep = { job: { dataset }, space: { 'training.seed': { type: 'int', low: 1, high: 9 } }, budget: { trials: 2 } };
		expect((await ask({ method: 'POST', url: '/v1/sweeps', payload: sweep }, full)).statusCode).toBe(403);
		await ask({ method: 'POST', url: '/v1/jobs', payload: { dataset } }, full);
		await ask({ method: 'POST', url: `/v1/jobs/${jobs['cancelled while queued']}/resume` }, full);

		const tight = await service.build({ projectBytes: 1 });
		for (const url of ['/v1/datasets', '/v1/table-previews']) await ask({ method: 'POST', url, headers: zip, payload: 'x' }, tight);
		await ask({ method: 'POST', url: '/v1/models', headers: bytes, payload: 'x' }, tight);

		const away = { ok: false, version: null, eviction_policy: null, kind: 'url', note: 'no answer' };
		const queue = Object.assign(Object.create(service.queue), { health: async () => away });
		const config = { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 };
		const app = await buildApp({ config, queue, store: service.store, log: silent });
		await ask({ url: '/readyz' }, app);
		await app.close();
	});

	it('are as the document says when a request has an unknown field, or a body that cannot be read', async () => {
		for (const { method, path, operation } of operationsOf(document)) {
			if (!path.startsWith('/v1/')) continue;
			const url = path.replace('{id}', jobs['queued'] as string).replace('{name}', 'x');
			await ask({ method: method.toUpperCase() as 'GET', url: `${url}?colour=red` });
			if (!['post', 'patch', 'put'].includes(method) || operation.requestBody?.content['multipart/form-data'] !== undefined) continue;
			const post = (type: string, payload: string) =>
				ask({ method: method.toUpperCase() as 'POST', url, headers: { 'content-type': type }, payload });
			await post('text/plain', 'x');
			await post('application/json', '{"a":');
			await post('application/json', `"${'a'.repeat(300_000)}"`);
		}
	});

	it('name their request by a header that the document has for every one of them', () => {
		for (const { operation } of operationsOf(document))
			for (const [status, { headers }] of Object.entries(operation.responses))
				expect(Object.keys(headers ?? {}), `${operation.operationId} ${status}`).toContain('x-request-id');
	});

	it('leave no answer of the document untried but those of a full disk, of a Redis that is away and of a fault of ours', () => {
		const documented = operationsOf(document).flatMap(({ operation }) =>
			Object.keys(operation.responses)
				.filter((status) => !['default', '500', '503', '507'].includes(status) || operation.operationId === 'getReadiness')
				.filter((status) => status !== 'default')
				.map((status) => `${operation.operationId} ${status}`),
		);
		const untried = [
			'createDataset 507',
			'createJob 507',
			'createKey 507',
			'createModel 503',
			'createModel 507',
			'createSweep 507',
			'setWebhook 507',
		];
		expect([...seen].sort()).toEqual(documented.filter((answer) => !untried.includes(answer)).sort());
	});
});
