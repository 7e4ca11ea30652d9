import type { JobResource, NewKey } from '@steelyard/contracts';
import { datasetKeys, modelKeys } from '@steelyard/store';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { datasetArchive } from './archive.js';
import type { Document } from './document.js';
import { injectOnce } from './event-stream.js';
import { jobsInEveryState } from './job-states.js';
import { ready } from './report.js';
import { requestsOf } from './requests.js';
import { addDataset, addModel, expectProblem, judge, openService, type Service } from './service.js';

const FIRST = 'the-first-admin-key';

let service: Service;
let app: App;
let document: Document;
/** The ids of what the project `default` has, by their kinds. */
let theirs: Record<string, string[]>;
/** Tokens of keys of another project, by their scopes. */
let ours: Record<'read' | 'train', string>;

const ask = (token: string, request: InjectOptions) =>
	app.inject({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
async function keyOf(project: string, scope = 'train'): Promise<NewKey> {
	return (await ask(FIRST, { method: 'POST', url: '/v1/keys', payload: { name: `${scope} ${project}`, scope, project } })).json();
}
const post = (token: string, spec: object, headers = {}) => ask(token, { method: 'POST', url: '/v1/jobs', payload: spec, headers });
async function created(token: string, kind: string): Promise<string> {
	const headers = { 'content-type': 'application/octet-stream' };
	const dataset = async () => ({
		...{ method: 'POST' as const, url: '/v1/datasets?filename=a.zip', headers, payload: await datasetArchive('binary') },
	});
	const request: Record<string, () => Promise<InjectOptions>> = {
		ds: dataset,
		mdl: async () => ({ method: 'POST', url: '/v1/models', headers, payload: 'a model' }),
		job: async () => ({ method: 'POST', url: '/v1/jobs', payload: { dataset: await created(token, 'ds') } }),
		swp: async () => {
			const space = { 'training.seed': { type: 'int', low: 1, high: 9 } };
			const job = { dataset: await created(token, 'ds') };
			return { method: 'POST', url: '/v1/sweeps', payload: { job, space, budget: { trials: 2 }, concurrency: 1 } };
		},
	};
	const response = await ask(token, await (request[kind] ?? expect.unreachable(`the tests make no ${kind}`))());
	expect(response.statusCode, response.body).toBeLessThan(300);
	return response.json().id;
}

beforeAll(async () => {
	service = await openService();
	app = await service.build({ apiKey: FIRST, limits: { refusals: 100_000 } });
	document = (await ask(FIRST, { url: '/openapi.json' })).json();
	// Everything is made twice over: by who needs no key, and with keys.
	const dataset = await addDataset(service.app);
	const model = await addModel(service.app);
	await judge(service.queue, { [model]: ready });
	const jobs = await jobsInEveryState(service, dataset, {
		model: { family: 'custom', model, inputs: { labs: 'labs', text: 'text' }, output: 'y' },
	});
	const key = await keyOf('default');
	theirs = { ds: [dataset], mdl: [model], job: Object.values(jobs), key: [key.id], swp: [] };
	for (const kind of ['ds', 'mdl', 'job', 'swp']) theirs[kind]?.push(await created(key.token, kind));
	ours = { read: (await keyOf('ward-3', 'read')).token, train: (await keyOf('ward-3')).token };
});
afterAll(() => service.close());

/** An answer without what is of its moment and its request, and without the id that was asked for. */
function essence({ statusCode, headers, body }: Awaited<ReturnType<typeof ask>>, id: string) {
	const { date: _date, 'x-request-id': _id, 'content-length': _length, ...rest } = headers;
	return { statusCode, headers: rest, body: body.replaceAll(id, 'the id') };
}
/** An id of a kind that nothing has. */
const unknown = (kind: string): string => `${kind}_${'0'.repeat(26)}`;

/** What the project `default` has, as an admin sees it. */
async function state(): Promise<unknown> {
	const urls = requestsOf(document).filter(({ method, kind }) => method === 'GET' && kind !== null && kind !== 'key');
	const answers = urls.flatMap(({ url, kind }) => (theirs[kind ?? ''] ?? []).map(async (id) => (await ask(FIRST, { url: url(id) })).body));
	return Promise.all(answers);
}

describe('a resource of another project', () => {
	it('is one that does not exist, for every operation and in every state', async () => {
		const before = await state();
		let tried = 0;
		for (const { name, method, url, kind, operation } of requestsOf(document)) {
			if (kind === null) continue;
			for (const token of Object.values(ours)) {
				const accepts = operation.responses['200']?.content?.['text/event-stream'] === undefined ? ['*/*'] : ['*/*', 'text/event-stream'];
				for (const accept of accepts) {
					// Changes need a body, and say so whatever they are about.
					const how = { method, headers: { accept }, ...(method === 'PATCH' ? { payload: {} } : {}) };
					const none = essence(await ask(token, { ...how, url: url(unknown(kind)) }), unknown(kind));
					expect([403, 404, ...(method === 'HEAD' ? [405] : [])], name).toContain(none.statusCode);
					for (const id of theirs[kind] ?? expect.unreachable(`the tests make no ${kind}`)) {
						expect(essence(await ask(token, { ...how, url: url(id) }), id), `${name} of ${id}`).toEqual(none);
						tried++;
					}
				}
			}
		}
		expect(tried).toBeGreaterThan(300);
		expect(await state()).toEqual(before);
	});

	it('of the own project exists, for every operation', async () => {
		for (const { name, method, url, kind } of requestsOf(document)) {
			if (kind === null || kind === 'key') continue;
			const id = await created(ours.train, kind);
			const response = await ask(ours.train, { method, url: url(id) });
			expect([401, 403, 404], `${name}: ${response.body}`).not.toContain(response.statusCode);
		}
	});

	it('is in no list, and follows after no cursor', async () => {
		const ids = Object.values(theirs).flat();
		let cursors = 0;
		for (const { name, method, path, kind, operation } of requestsOf(document)) {
			if (kind !== null || method !== 'GET') continue;
			const { body } = await injectOnce(app, { url: path, headers: { authorization: `Bearer ${ours.train}` } });
			expect(
				ids.filter((id) => body.includes(id)),
				name,
			).toEqual([]);
			const after = operation.parameters?.find((one) => one.name === 'after')?.schema['pattern'];
			const cursor = /^\^(\w+?)_\[/.exec(String(after))?.[1];
			if (cursor === undefined) continue;
			cursors++;
			const none = essence(await ask(ours.train, { url: `${path}?after=${unknown(cursor)}` }), unknown(cursor));
			for (const id of theirs[cursor] ?? expect.unreachable(`the tests make no ${cursor}`))
				expect(essence(await ask(ours.train, { url: `${path}?after=${id}` }), id), `${name} after ${id}`).toEqual(none);
		}
		expect(cursors).toBe(5);
	});

	it('is nothing that a job can name', async () => {
		const dataset = await created(ours.train, 'ds');
		const custom = (model: string) => ({ family: 'custom', model, inputs: { labs: 'labs', text: 'text' }, output: 'y' });
		const [theirDataset = '', theirModel = ''] = [theirs['ds']?.[0], theirs['mdl']?.[0]];
		expectProblem(await post(ours.train, { dataset: theirDataset }), 422, 'dataset_not_found', 'dataset');
		expectProblem(await post(ours.train, { dataset, model: custom(theirModel) }), 422, 'model_not_found', 'model.model');
		expect(essence(await post(ours.train, { dataset: theirDataset }), theirDataset)).toEqual(
			essence(await post(ours.train, { dataset: unknown('ds') }), unknown('ds')),
		);
		expect(essence(await post(ours.train, { dataset, model: custom(theirModel) }), theirModel)).toEqual(
			essence(await post(ours.train, { dataset, model: custom(unknown('mdl')) }), unknown('mdl')),
		);
		const [theirJob = ''] = theirs['job'] ?? [];
		const beginning = (job: string) => post(ours.train, { dataset, training: { initialise_from: job } });
		expectProblem(await beginning(theirJob), 422, 'job_not_found', 'training.initialise_from');
		expect(essence(await beginning(theirJob), theirJob)).toEqual(essence(await beginning(unknown('job')), unknown('job')));
		// Who has both cannot bring them together either.
		const inOurs = { 'steelyard-project': 'ward-3' };
		expectProblem(await post(FIRST, { dataset }), 422, 'dataset_not_found');
		expectProblem(await post(FIRST, { dataset: theirDataset }, inOurs), 422, 'dataset_not_found');
		expect((await post(FIRST, { dataset }, inOurs)).json()).toMatchObject({ project: 'ward-3' });
	});
});

describe('a project', () => {
	it('is that of the key that made something, or the one that an admin named', async () => {
		for (const [kind, plural] of [
			['ds', 'datasets'],
			['mdl', 'models'],
			['job', 'jobs'],
		] as const) {
			const id = await created(ours.train, kind);
			expect((await ask(ours.read, { url: `/v1/${plural}/${id}` })).json()).toMatchObject({ id, project: 'ward-3' });
			expect((await ask(ours.read, { url: `/v1/${plural}` })).json().data[0]).toMatchObject({ id, project: 'ward-3' });
			expectProblem(await ask(FIRST, { url: `/v1/${plural}/${id}` }), 404, 'not_found');
			const inOurs = { 'steelyard-project': 'ward-3' };
			expect((await ask(FIRST, { url: `/v1/${plural}/${id}`, headers: inOurs })).json()).toMatchObject({ id });
			expect((await ask(FIRST, { url: `/v1/${plural}`, headers: inOurs })).json().data[0]).toMatchObject({ id });
			// Without a key too, where none is needed.
			expect((await service.app.inject({ url: `/v1/${plural}/${id}`, headers: inOurs })).json()).toMatchObject({ id });
		}
	});

	it('knows its own idempotency keys alone', async () => {
		const made = async (token: string) => {
			const spec = { dataset: await created(token, 'ds') };
			const jobs = [await post(token, spec, { 'idempotency-key': 'one' }), await post(token, spec, { 'idempotency-key': 'one' })];
			const ids = jobs.map((response) => (response.json() as JobResource).id);
			expect(ids[0]).toBe(ids[1]);
			return ids[0];
		};
		expect(await made(ours.train)).not.toBe(await made((await keyOf('ward-4')).token));
	});

	it('of what an earlier version made is the one named default', async () => {
		const [dataset, model] = [await addDataset(service.app), await addModel(service.app)];
		for (const key of [datasetKeys.record(dataset), datasetKeys.listed(dataset), modelKeys.record(model)]) {
			const { project, ...before } = JSON.parse(String(await service.store.get(key)));
			expect(project).toBe('default');
			await service.store.put(key, JSON.stringify(before));
		}
		for (const url of [`/v1/datasets/${dataset}`, `/v1/datasets/${dataset}/rows`, `/v1/models/${model}`]) {
			expect((await ask(FIRST, { url })).statusCode).toBe(200);
			expectProblem(await ask(ours.train, { url }), 404, 'not_found');
		}
		for (const [url, id] of [
			['/v1/datasets', dataset],
			['/v1/models', model],
		] as const) {
			expect((await ask(FIRST, { url })).json().data[0].id).toBe(id);
			expect((await ask(ours.train, { url })).body).not.toContain(id);
		}
	});
});
