import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { ModelResource, type ModelVerdict, ProblemError, parse } from '@steelyard/contracts';
import type { Work } from '@steelyard/queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildApp } from '../src/app.js';
import { ready } from './report.js';
import { addDataset, addJob, addModel, expectProblem, judgeModels, openService, type Service, silent } from './service.js';

const LIMIT = 100_000;

let service: Service;
let dataset: string;
let judging: Work;
/** Verdicts to come; a model without one is inspected until it is deleted. */
const verdicts = new Map<string, ModelVerdict>();
beforeAll(async () => {
	service = await openService({ modelLimit: LIMIT });
	dataset = await addDataset(service.app);
	judging = service.queue.inspections.work({
		async process(id, signal) {
			return vi.waitUntil(
				async () => {
					signal.throwIfAborted();
					const isGone = (await service.store.stat(`models/${id}/model.json`)) === null;
					return isGone ? ready : verdicts.get(id);
				},
				{ timeout: 30_000 },
			);
		},
	});
});
afterAll(async () => {
	await judging.close(5000);
	await service.close();
});

const upload = (payload: Buffer | string, type = 'application/octet-stream', query = '?filename=net.onnx') =>
	service.app.inject({ method: 'POST', url: `/v1/models${query}`, headers: { 'content-type': type }, payload });
const read = async (id: string): Promise<ModelResource> => (await service.app.inject(`/v1/models/${id}`)).json();
const remove = (id: string) => service.app.inject({ method: 'DELETE', url: `/v1/models/${id}` });
const count = async () => (await service.app.inject('/v1/models?limit=100')).json().data.length;
const leftovers = () => readdir(join(service.home, 'uploads')).catch(() => []);

/** A model that has been judged. */
async function judged(verdict: ModelVerdict): Promise<string> {
	const id = await addModel(service.app);
	verdicts.set(id, verdict);
	await vi.waitFor(async () => expect((await read(id)).status).toBe(verdict.status), { timeout: 20_000 });
	return id;
}

const boundary = 'x-x-x';
const formOf = (name: string, filename: string, content: string) =>
	upload(
		`--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\n\r\n${content}\r\n--${boundary}--\r\n`,
		`multipart/form-data; boundary=${boundary}`,
		'',
	);

describe('an uploaded model', () => {
	it.each([
		['raw bytes', () => upload('a graph'), 'net.onnx'],
		['raw bytes without a name', () => upload('a graph', 'application/octet-stream', ''), 'model.onnx'],
		['a form', () => formOf('file', 'my net.onnx', 'a graph'), 'my net.onnx'],
	])('as %s is kept as it is and answered before it is inspected', async (_, send, name) => {
		const response = await send();
		expect(response.statusCode, response.body).toBe(202);
		const model = parse(ModelResource, response.json());
		expect(model).toMatchObject({ object: 'model', status: 'inspecting', name, bytes: 7, report: null, error: null });
		expect(model.id).toMatch(/^mdl_[a-z0-9]{26}$/);
		expect(model.sha256).toBe(createHash('sha256').update('a graph').digest('hex'));
		expect(response.headers.location).toBe(`/v1/models/${model.id}`);
		expect(await read(model.id)).toEqual(model);
		expect(await readFile(join(service.home, 'models', model.id, 'model.onnx'), 'utf8')).toBe('a graph');
		expect(await leftovers()).toEqual([]);
		await remove(model.id);
	});

	it('is ready with its report, or refused with the reason, once it is judged', async () => {
		const good = await judged(ready);
		expect(await read(good)).toMatchObject({ status: 'ready', report: ready.report, error: null });
		const error = { code: 'invalid_model', message: 'the graph has a cycle', param: 'node_3' };
		expect((await service.app.inject('/v1/models?limit=1')).json().data).toEqual([{ ...(await read(good)), report: null }]);
		const bad = await judged({ status: 'refused', report: null, error });
		expect(await read(bad)).toMatchObject({ status: 'refused', report: null, error });
	});

	it.each([
		['that is empty', () => upload(''), 400, 'invalid_request', 'file'],
		['past the limit', () => upload(Buffer.alloc(LIMIT + 1)), 413, 'too_large', 'file'],
		['as a form past the limit', () => formOf('file', 'a.onnx', 'x'.repeat(LIMIT + 1)), 413, 'too_large', 'file'],
		['as a form with another file', () => formOf('model', 'a.onnx', 'x'), 400, 'invalid_request', 'model'],
		[
			'as a form without a file',
			() => upload(`--${boundary}--\r\n`, `multipart/form-data; boundary=${boundary}`, ''),
			400,
			'invalid_request',
			'file',
		],
		['of JSON', () => upload('{}', 'application/json'), 415, 'unsupported_media_type', 'content-type'],
		['with an unknown query', () => upload('x', 'application/octet-stream', '?file=a'), 400, 'invalid_request', 'file'],
	])('%s is refused and leaves nothing', async (_, send, status, code, param) => {
		const before = await count();
		expectProblem(await send(), status, code, param);
		expect(await leftovers()).toEqual([]);
		expect(await count()).toBe(before);
	});

	it('that breaks off leaves nothing', async () => {
		if (service.app.server.address() === null) await service.app.listen({ host: '127.0.0.1', port: 0 });
		const socket = connect((service.app.server.address() as AddressInfo).port, '127.0.0.1');
		await once(socket, 'connect');
		socket.write(
			'POST /v1/models HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000\r\n\r\nonnx',
		);
		await vi.waitFor(async () => expect(await leftovers()).toHaveLength(1), { timeout: 10_000 });
		socket.destroy();
		await vi.waitFor(async () => expect(await leftovers()).toEqual([]), { timeout: 10_000 });
	});

	it('is not kept where it cannot be queued', async () => {
		const { queue, store } = service;
		const away = {
			...queue,
			inspections: { ...queue.inspections, enqueue: () => Promise.reject(new ProblemError('unavailable', 'Redis cannot be reached')) },
		};
		const config = { host: '127.0.0.1', apiKey: null, uploadLimit: LIMIT, modelLimit: LIMIT };
		const app = await buildApp({ config, queue: away, store, log: silent });
		const before = await readdir(join(service.home, 'models'));
		const response = await app.inject({
			method: 'POST',
			url: '/v1/models',
			headers: { 'content-type': 'application/octet-stream' },
			payload: 'x',
		});
		expectProblem(response, 503, 'unavailable');
		expect(await readdir(join(service.home, 'models'))).toEqual(before);
		expect(await leftovers()).toEqual([]);
		await app.close();
	});
});

describe('models', () => {
	it('are listed newest first, a page at a time', async () => {
		const ids = [await addModel(service.app), await addModel(service.app), await addModel(service.app)];
		const first = (await service.app.inject('/v1/models?limit=2')).json();
		expect(first).toMatchObject({ object: 'list', has_more: true });
		expect(first.data.map(({ id }: ModelResource) => id)).toEqual([ids[2], ids[1]]);
		expect((await service.app.inject(`/v1/models?limit=1&after=${ids[1]}`)).json().data[0].id).toBe(ids[0]);
		expectProblem(await service.app.inject('/v1/models?limit=0'), 400, 'invalid_request', 'limit');
		for (const id of ids) await remove(id);
	});

	it('that do not exist are not found', async () => {
		for (const id of ['mdl_none', 'job_1', '..', '%2e%2e%2fjobs', 'MDL_A']) {
			expectProblem(await service.app.inject(`/v1/models/${id}`), 404, 'not_found');
			expectProblem(await remove(id), 404, 'not_found');
		}
	});

	it('are deleted with their files once no job that has not ended uses them', async () => {
		const id = await judged(ready);
		const model = { family: 'custom', model: id, inputs: { labs: 'labs', text: 'text' }, output: 'y' };
		const job = await addJob(service.app, dataset, { model });
		expectProblem(await remove(id), 409, 'model_in_use', 'id');
		expect((await read(id)).status).toBe('ready');
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
		const removed = await remove(id);
		expect([removed.statusCode, removed.body]).toEqual([204, '']);
		expectProblem(await remove(id), 404, 'not_found');
		expect(await readdir(join(service.home, 'models'))).not.toContain(id);
	});

	it('are deleted also while they are inspected, and stay so', async () => {
		const id = await addModel(service.app);
		expect((await remove(id)).statusCode).toBe(204);
		verdicts.set(id, ready);
		await judged(ready);
		expect(await readdir(join(service.home, 'models'))).not.toContain(id);
	});
});

describe('a job of a custom model', () => {
	const post = (model: string) =>
		service.app.inject({
			method: 'POST',
			url: '/v1/jobs',
			payload: { dataset, model: { family: 'custom', model, inputs: { labs: 'labs', text: 'text' }, output: 'y' } },
		});

	it('is taken once the model is ready', async () => {
		const id = await addModel(service.app);
		expect(expectProblem(await post(id), 409, 'model_not_ready', 'model.model').detail).toContain(id);
		verdicts.set(id, ready);
		await vi.waitFor(async () => expect((await read(id)).status).toBe('ready'), { timeout: 20_000 });
		const response = await post(id);
		expect(response.statusCode, response.body).toBe(202);
		expect(response.json().spec.model).toMatchObject({ family: 'custom', model: id, batch_norm: 'train' });
	});

	it('is refused for a model that is not there, and for one that was refused in the words of inspection', async () => {
		expectProblem(await post('mdl_none'), 422, 'model_not_found', 'model.model');
		const bad = await judged({
			status: 'refused',
			report: null,
			error: { code: 'invalid_model', message: 'no gradient for NonZero', param: 'nz' },
		});
		expect(expectProblem(await post(bad), 422, 'invalid_model', 'model.model').detail).toContain('no gradient for NonZero');
	});

	it('is held against the report', async () => {
		const id = await judged({ ...ready, report: { ...ready.report, inputs: ready.report?.inputs.slice(0, 1) } } as ModelVerdict);
		expect(expectProblem(await post(id), 422, 'invalid_model', 'model.inputs.text').detail).toContain('its inputs are labs');
	});
});

it('what a new installation of Redis does not know is inspected all the same', async () => {
	const other = await openService();
	const id = await addModel(other.app);
	await other.queue.inspections.withdraw(id);
	const work = await judgeModels(other.queue, () => ready);
	await vi.waitFor(async () => expect((await other.app.inject(`/v1/models/${id}`)).json().status).toBe('ready'), { timeout: 20_000 });
	await work.close(1000);
	await other.close();
});
