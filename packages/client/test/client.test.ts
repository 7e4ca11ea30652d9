import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { JobEvent, JobListChange } from '@steelyard/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { type Client, createClient, SteelyardError } from '../src/index.js';

type Handler = (request: IncomingMessage & { text: string }, response: ServerResponse) => void;
const servers: Server[] = [];

/** A client of a server that answers by `handler`. */
async function against(handler: Handler, options: { apiKey?: string; project?: string; retries?: number } = {}): Promise<Client> {
	const server = createServer(async (request, response) => {
		let text = '';
		for await (const chunk of request) text += chunk;
		handler(Object.assign(request, { text }), response);
	});
	servers.push(server);
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ...options });
}

const json = (response: ServerResponse, status: number, value: unknown, type = 'application/json') =>
	response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));

const progress = (id: number): JobEvent => ({ id: `${id}-0`, at: id, type: 'stage', stage: 'fusion' });
const ended = (id: number): JobEvent => ({ id: `${id}-0`, at: id, type: 'status', status: 'succeeded', attempt: 1, error: null });
const frame = (event: JobEvent) => `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
	const list: T[] = [];
	for await (const item of items) list.push(item);
	return list;
}

const failure = (promise: Promise<unknown>): Promise<SteelyardError> =>
	promise.then(
		() => expect.unreachable('it must be refused'),
		(error) => error,
	);

afterEach(async () => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		server.close();
		await once(server, 'close');
	}
});

describe('a request', () => {
	it('carries the key, the query, the idempotency key and the body', async () => {
		const seen: unknown[] = [];
		const client = await against(
			({ method, url, headers, text }, response) => {
				seen.push([method, url, headers.authorization, headers['idempotency-key'], headers['content-type'], text]);
				json(response, 200, {});
			},
			{ apiKey: 'key' },
		);
		await client.jobs.create({ dataset: 'ds_1', training: { epochs: 3 } }, { idempotencyKey: 'once' });
		await client.jobs.list({ limit: 2, after: 'job_1' });
		await client.jobs.list({ status: ['queued', 'running'], metadata: { 'a b': 'c&d', e: 'f' }, sort: 'test.loss', order: 'asc' });
		await client.jobs.update('job_1', { name: null, metadata: { a: null } });
		await client.models.create(new Blob(['graph']), 'net.onnx', { name: 'Net', metadata: { a: '1' } });
		await client.models.update('mdl_1', { name: 'x' });
		await client.datasets.list({ name: 'ward', created_after: 3 });
		await client.datasets.rows('ds_/..');
		await client.datasets.rows('ds_1', { split: 'test', offset: 3, limit: 7 });
		await client.datasets.update('ds_1', { metadata: { a: '1' } });
		await client.jobs.cancel('job_1');
		await client.jobs.pause('job_1');
		await client.jobs.resume('job_1');
		await client.jobs.remove('job_1');
		await client.jobs.logs('job_1');
		await client.jobs.logs('job_1', { limit: 3, after: '1-2' });
		await client.usage();
		await client.retention();
		await client.retention({ dryRun: true });
		await client.datasets.create(new Blob(['zip']), 'a b.zip');
		const stream = new ReadableStream({
			start(controller) {
				controller.enqueue(new TextEncoder().encode('zipped'));
				controller.close();
			},
		});
		await client.datasets.create(stream, 'c.npz');
		await client.datasets.remove('ds_/..');
		expect(seen).toEqual([
			['POST', '/v1/jobs', 'Bearer key', 'once', 'application/json', '{"dataset":"ds_1","training":{"epochs":3}}'],
			['GET', '/v1/jobs?limit=2&after=job_1', 'Bearer key', undefined, undefined, ''],
			[
				'GET',
				'/v1/jobs?status=queued&status=running&metadata%5Ba+b%5D=c%26d&metadata%5Be%5D=f&sort=test.loss&order=asc',
				'Bearer key',
				undefined,
				undefined,
				'',
			],
			['PATCH', '/v1/jobs/job_1', 'Bearer key', undefined, 'application/json', '{"name":null,"metadata":{"a":null}}'],
			['POST', '/v1/models?filename=net.onnx&name=Net&metadata%5Ba%5D=1', 'Bearer key', undefined, 'application/octet-stream', 'graph'],
			['PATCH', '/v1/models/mdl_1', 'Bearer key', undefined, 'application/json', '{"name":"x"}'],
			['GET', '/v1/datasets?name=ward&created_after=3', 'Bearer key', undefined, undefined, ''],
			['GET', '/v1/datasets/ds_%2F../rows', 'Bearer key', undefined, undefined, ''],
			['GET', '/v1/datasets/ds_1/rows?split=test&offset=3&limit=7', 'Bearer key', undefined, undefined, ''],
			['PATCH', '/v1/datasets/ds_1', 'Bearer key', undefined, 'application/json', '{"metadata":{"a":"1"}}'],
			...['cancel', 'pause', 'resume'].map((what) => ['POST', `/v1/jobs/job_1/${what}`, 'Bearer key', undefined, undefined, '']),
			['DELETE', '/v1/jobs/job_1', 'Bearer key', undefined, undefined, ''],
			['GET', '/v1/jobs/job_1/logs', 'Bearer key', undefined, undefined, ''],
			['GET', '/v1/jobs/job_1/logs?limit=3&after=1-2', 'Bearer key', undefined, undefined, ''],
			['GET', '/v1/usage', 'Bearer key', undefined, undefined, ''],
			['POST', '/v1/retention', 'Bearer key', undefined, undefined, ''],
			['POST', '/v1/retention?dry_run=true', 'Bearer key', undefined, undefined, ''],
			['POST', '/v1/datasets?filename=a+b.zip', 'Bearer key', undefined, 'application/octet-stream', 'zip'],
			['POST', '/v1/datasets?filename=c.npz', 'Bearer key', undefined, 'application/octet-stream', 'zipped'],
			['DELETE', '/v1/datasets/ds_%2F..', 'Bearer key', undefined, undefined, ''],
		]);
	});

	it('names the project, and for keys makes, lists, revokes and explains them', async () => {
		const seen: unknown[] = [];
		const client = await against(
			({ method, url, headers, text }, response) => {
				seen.push([method, url, headers['steelyard-project'], text]);
				json(response, 200, {});
			},
			{ project: 'ward-3' },
		);
		await client.keys.create({ name: 'a key', scope: 'read', project: 'ward-4' });
		await client.keys.list({ limit: 2 });
		await client.keys.revoke('key_/..');
		await client.keys.self();
		await client.webhook.set({ url: 'https://example.com/' });
		await client.webhook.get();
		await client.webhook.remove();
		await client.audit({ limit: 3, after: '2026-11-000001-1' });
		expect(seen).toEqual([
			['POST', '/v1/keys', 'ward-3', '{"name":"a key","scope":"read","project":"ward-4"}'],
			['GET', '/v1/keys?limit=2', 'ward-3', ''],
			['DELETE', '/v1/keys/key_%2F..', 'ward-3', ''],
			['GET', '/v1/caller', 'ward-3', ''],
			['PUT', '/v1/webhook', 'ward-3', '{"url":"https://example.com/"}'],
			['GET', '/v1/webhook', 'ward-3', ''],
			['DELETE', '/v1/webhook', 'ward-3', ''],
			['GET', '/v1/audit?limit=3&after=2026-11-000001-1', 'ward-3', ''],
		]);
	});

	it('for sweeps posts, lists, reads, pauses, resumes, cancels and removes them', async () => {
		const seen: unknown[] = [];
		const client = await against(({ method, url, text }, response) => {
			seen.push([method, url, text]);
			if (method === 'DELETE') response.writeHead(204).end();
			else json(response, 200, {});
		});
		const sweep = { job: { dataset: 'ds_1' }, space: { a: { type: 'choice' as const, values: [1] } }, budget: { trials: 2 } };
		await client.sweeps.create(sweep);
		await client.sweeps.list({ limit: 2 });
		await client.sweeps.get('swp_1');
		for (const verb of ['pause', 'resume', 'cancel'] as const) await client.sweeps[verb]('swp_1');
		await client.sweeps.remove('swp_/..');
		expect(seen).toEqual([
			['POST', '/v1/sweeps', JSON.stringify(sweep)],
			['GET', '/v1/sweeps?limit=2', ''],
			['GET', '/v1/sweeps/swp_1', ''],
			...['pause', 'resume', 'cancel'].map((verb) => ['POST', `/v1/sweeps/swp_1/${verb}`, '']),
			['DELETE', '/v1/sweeps/swp_%2F..', ''],
		]);
	});

	it('for models uploads, lists, reads and removes them', async () => {
		const seen: unknown[] = [];
		const client = await against(({ method, url, headers, text }, response) => {
			seen.push([method, url, headers['content-type'], text]);
			json(response, 200, {});
		});
		await client.models.create(new Blob(['graph']), 'my net.onnx');
		await client.models.list({ limit: 2 });
		await client.models.get('mdl_1');
		await client.models.remove('mdl_/..');
		expect(seen).toEqual([
			['POST', '/v1/models?filename=my+net.onnx', 'application/octet-stream', 'graph'],
			['GET', '/v1/models?limit=2', undefined, ''],
			['GET', '/v1/models/mdl_1', undefined, ''],
			['DELETE', '/v1/models/mdl_%2F..', undefined, ''],
		]);
	});

	it('for a model that is to be inspected asks until it is, and no longer than is wished', async () => {
		let asked = 0;
		const client = await against((_, response) =>
			json(response, 200, { id: 'mdl_1', status: ++asked % 3 === 0 ? 'refused' : 'inspecting' }),
		);
		expect(await client.models.inspected('mdl_1', { delay: 1 })).toMatchObject({ status: 'refused' });
		expect(asked).toBe(3);
		const leaving = new AbortController();
		const waiting = client.models.inspected('mdl_1', { delay: 60_000, signal: leaving.signal });
		leaving.abort(new Error('enough'));
		await expect(waiting).rejects.toThrow('enough');
	});

	it('that is refused throws the code, the field, the status and the words of the problem', async () => {
		const problem = { type: 'urn:x', title: 't', status: 422, detail: 'It has audio', code: 'modality_not_found', param: 'modalities.0' };
		const client = await against((_, response) => json(response, 422, problem, 'application/problem+json; charset=utf-8'));
		const error = await failure(client.jobs.get('job_1'));
		expect(error).toBeInstanceOf(SteelyardError);
		expect({ ...error, message: error.message }).toMatchObject({
			code: 'modality_not_found',
			param: 'modalities.0',
			status: 422,
			message: 'It has audio',
		});
	});

	it('that something else answers throws unexpected_answer with its first words', async () => {
		const client = await against((_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway'));
		expect(await failure(client.jobs.get('job_1'))).toMatchObject({
			code: 'unexpected_answer',
			status: 502,
			message: expect.stringContaining('Bad Gateway'),
		});
		const page = await against((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Welcome'));
		expect(await failure(page.jobs.get('job_1'))).toMatchObject({
			code: 'unexpected_answer',
			status: 200,
			message: expect.stringContaining('Welcome'),
		});
	});

	it('that nothing answers throws unreachable and names the address', async () => {
		const client = createClient({ url: 'http://127.0.0.1:1' });
		expect(await failure(client.ready())).toMatchObject({
			code: 'unreachable',
			status: 0,
			message: expect.stringContaining('http://127.0.0.1:1'),
		});
	});

	it('for readiness gives what the service says also where it is not ready', async () => {
		const readiness = { ready: false, redis: {}, store: {}, workers: [] };
		const client = await against((_, response) => json(response, 503, readiness));
		expect(await client.ready()).toEqual(readiness);
		const problem = { type: '', title: '', status: 503, detail: 'Redis is away', code: 'unavailable', param: null };
		const broken = await against((_, response) => json(response, 503, problem, 'application/problem+json'));
		expect(await failure(broken.ready())).toMatchObject({ code: 'unavailable' });
	});

	it('for a part of an artifact asks for the range and hands the answer on', async () => {
		const client = await against(({ headers, url }, response) => response.writeHead(206).end(`${url} ${headers.range}`));
		const response = await client.jobs.download('job_1', 'model.onnx', { range: 'bytes=5-' });
		expect([response.status, await response.text()]).toEqual([206, '/v1/jobs/job_1/artifacts/model.onnx bytes=5-']);
	});
});

describe('a request that may pass later', () => {
	const problem = (status: number) => ({ type: '', title: '', status, detail: 'later', code: 'unavailable', param: null });
	const later = (response: ServerResponse, status: number, after = '0') =>
		response.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': after }).end(JSON.stringify(problem(status)));

	it('is sent again after what Retry-After says, and no oftener than is wished', async () => {
		let asked = 0;
		const handler: Handler = (_, response) =>
			++asked % 4 === 0 ? json(response, 200, { id: 'job_1' }) : later(response, [429, 502, 503][(asked % 4) - 1] as number);
		const patient = await against(handler, { retries: 3 });
		expect(await patient.jobs.get('job_1')).toEqual({ id: 'job_1' });
		expect(asked).toBe(4);
		expect(await failure((await against(handler)).jobs.get('job_1'))).toMatchObject({ code: 'unavailable', status: 503, retryAfter: 0 });
		expect(asked).toBe(7);
		asked = 0;
		expect(await failure((await against(handler, { retries: 0 })).jobs.get('job_1'))).toMatchObject({ status: 429 });
		expect(asked).toBe(1);
	});

	it('is sent again when the connection was lost', async () => {
		let asked = 0;
		const client = await against((_, response) => (++asked < 3 ? response.destroy() : json(response, 200, { object: 'list' })));
		expect(await client.jobs.list()).toEqual({ object: 'list' });
		expect(asked).toBe(3);
	});

	it('is sent again as a post of a job under one key, which no other post has', async () => {
		const keys: unknown[] = [];
		const client = await against(({ headers }, response) => {
			keys.push(headers['idempotency-key']);
			if (keys.length % 2 === 1) later(response, 504);
			else json(response, 202, {});
		});
		await client.jobs.create({ dataset: 'ds_1' });
		await client.jobs.create({ dataset: 'ds_1' });
		await client.jobs.create({ dataset: 'ds_1' }, { idempotencyKey: 'mine' });
		expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
		expect(keys).toEqual([keys[0], keys[0], keys[2], keys[2], 'mine', 'mine']);
		expect(keys[2]).not.toBe(keys[0]);
	});

	it('is given up where it is asked to wait too long, and by its caller', async () => {
		let asked = 0;
		const tomorrow = new Date(Date.now() + 86_400_000).toUTCString();
		const long = await against((_, response) => void (asked++, later(response, 503, tomorrow)));
		expect((await failure(long.jobs.get('job_1'))).retryAfter).toBeGreaterThan(80_000_000);
		const leaving = new AbortController();
		const waiting = await against((_, response) => void (asked++, later(response, 503, '59'), leaving.abort(new RangeError('enough'))));
		await expect(waiting.jobs.download('job_1', 'model.onnx', { signal: leaving.signal })).rejects.toThrow('enough');
		expect(asked).toBe(2);
	});

	it('is not sent again where it could happen twice, nor where it was refused', async () => {
		const seen: unknown[] = [];
		const client = await against(({ method, url, headers }, response) => {
			seen.push([method, url, headers['idempotency-key']]);
			later(response, url === '/v1/jobs/job_2' ? 404 : 503);
		});
		const tries = [
			client.jobs.cancel('job_1'),
			client.jobs.remove('job_1'),
			client.jobs.update('job_1', { name: 'a' }),
			client.jobs.predict('job_1', [{}]),
			client.datasets.create(new Blob(['a']), 'a.csv'),
			client.jobs.get('job_2'),
		];
		await Promise.all(tries.map(failure));
		const once = await against(
			({ method, url, headers }, response) => void (seen.push([method, url, headers['idempotency-key']]), later(response, 503)),
			{ retries: 0 },
		);
		await failure(once.jobs.create({ dataset: 'ds_1' }));
		expect(seen).toHaveLength(tries.length + 1);
		expect(seen.at(-1)).toEqual(['POST', '/v1/jobs', undefined]);
	});

	it('is unreachable where its answer breaks off', async () => {
		const client = await against((_, response) => {
			response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
			response.write('{', () => response.destroy());
		});
		expect(await failure(client.jobs.get('job_1'))).toMatchObject({ code: 'unreachable', status: 0 });
	});
});

describe('an upload', () => {
	const CHUNKS = 20;
	const chunk = new Uint8Array(50_000);
	const chunks = (from = 0) =>
		new ReadableStream<Uint8Array>({
			pull(controller) {
				if (from++ < CHUNKS) controller.enqueue(chunk);
				else controller.close();
			},
		});

	it('tells how far it is, of a file with its length, and of a stream without', async () => {
		const seen: unknown[] = [];
		const client = await against(({ headers, text }, response) => {
			seen.push([headers['content-length'], text.length]);
			json(response, 201, { id: 'ds_1' });
		});
		const said: [number, number | null][] = [];
		const onProgress = (...progress: [number, number | null]) => said.push(progress);
		const bytes = CHUNKS * chunk.length;
		expect(await client.datasets.create(new Blob(Array(CHUNKS).fill(chunk)), 'a.zip', { onProgress })).toEqual({ id: 'ds_1' });
		expect(said.length).toBeGreaterThan(1);
		expect(said.at(-1)).toEqual([bytes, bytes]);
		expect(said.map(([sent]) => sent)).toEqual(said.map(([sent]) => sent).sort((a, b) => a - b));
		said.length = 0;
		await client.models.create(chunks(), 'a.onnx', { onProgress });
		expect(said.at(-1)).toEqual([bytes, null]);
		expect(seen).toEqual([
			[String(bytes), bytes],
			[undefined, bytes],
		]);
	});

	it('ends when its signal is aborted, with the reason of that', async () => {
		const ended: Promise<unknown>[] = [];
		const server = createServer((request) => {
			ended.push(new Promise((resolve) => request.once('close', resolve)));
			request.on('error', () => undefined).resume();
		});
		servers.push(server);
		server.listen(0, '127.0.0.1');
		await once(server, 'listening');
		const client = createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
		const leaving = new AbortController();
		const endless = new ReadableStream<Uint8Array>({
			async pull(controller) {
				await setImmediate();
				controller.enqueue(chunk);
			},
		});
		const onProgress = (sent: number) => sent > 10 * chunk.length && leaving.abort(new RangeError('enough'));
		const upload = client.datasets.create(endless, 'a.zip', { signal: leaving.signal, onProgress });
		await expect(upload).rejects.toThrow(new RangeError('enough'));
		await Promise.all(ended);
	});

	it('that is refused has the same error', async () => {
		const problem = { type: '', title: '', status: 413, detail: 'too large', code: 'too_large', param: null };
		const client = await against((_, response) => json(response, 413, problem, 'application/problem+json'));
		expect(await failure(client.datasets.create(new Blob(['x']), 'a.zip', { onProgress: () => undefined }))).toMatchObject({
			code: 'too_large',
			status: 413,
		});
	});
});

describe('following a job', () => {
	it('gives every event once across a cut connection and a server that is away, and ends with the final status', async () => {
		const asked: (string | undefined)[] = [];
		const client = await against(({ headers }, response) => {
			asked.push(headers['last-event-id'] as string | undefined);
			switch (asked.length) {
				case 1: {
					response.writeHead(200, { 'content-type': 'text/event-stream' });
					// The third event is cut in its middle.
					response.write(`retry: 1\n\n${frame(progress(1))}${frame(progress(2))}${frame(progress(3)).slice(0, 20)}`, () =>
						response.destroy(),
					);
					break;
				}
				case 2:
					response.writeHead(503, { 'content-type': 'text/plain' }).end('starting');
					break;
				default:
					response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frame(progress(3)) + frame(ended(4)));
			}
		});
		expect(await all(client.jobs.events('job_1', { delay: 1 }))).toEqual([progress(1), progress(2), progress(3), ended(4)]);
		expect(asked).toEqual([undefined, '2-0', '2-0']);
	});

	it('goes on after the end of a job that was resumed', async () => {
		const events = [progress(1), { ...ended(2), status: 'cancelled' } as JobEvent, progress(3), ended(4)];
		const client = await against((_, response) => {
			response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.map(frame).join(''));
		});
		expect(await all(client.jobs.events('job_1'))).toEqual(events);
	});

	it('ends where the server says that nothing more will come', async () => {
		const client = await against((_, response) => response.writeHead(204).end());
		expect(await all(client.jobs.events('job_1', { after: '9-0' }))).toEqual([]);
	});

	it('does not try again what is refused, and gives up after so many failures', async () => {
		let asked = 0;
		const client = await against((_, response) => {
			asked++;
			json(response, 404, { type: '', title: '', status: 404, detail: 'none', code: 'not_found', param: 'id' }, 'application/problem+json');
		});
		expect(await failure(all(client.jobs.events('job_1', { delay: 1 })))).toMatchObject({ code: 'not_found' });
		expect(asked).toBe(1);
		const away = createClient({ url: 'http://127.0.0.1:1' });
		expect(await failure(all(away.jobs.events('job_1', { delay: 1, attempts: 2 })))).toMatchObject({ code: 'unreachable' });
	});

	it('ends its request when the caller leaves the loop or aborts', async () => {
		const closed: Promise<unknown>[] = [];
		const client = await against((_, response) => {
			closed.push(once(response, 'close'));
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			response.write(frame(progress(1)));
		});
		for await (const event of client.jobs.events('job_1')) {
			expect(event).toEqual(progress(1));
			break;
		}
		const control = new AbortController();
		for await (const _ of client.jobs.events('job_1', { signal: control.signal })) control.abort();
		await Promise.all(closed);
		expect(closed).toHaveLength(2);
	});
});

describe('watching the jobs of a project', () => {
	const deleted = (id: string): JobListChange => ({ type: 'deleted', id });
	const framed = (cursor: string, change: JobListChange) => `id: ${cursor}\ndata: ${JSON.stringify(change)}\n\n`;
	const streaming = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' });

	it('goes on where it was across a connection that is cut and one that was refused for now, and says when it is lost and open', async () => {
		const asked: unknown[] = [];
		const client = await against(({ url, headers }, response) => {
			asked.push([url, headers['last-event-id']]);
			if (asked.length === 1) streaming(response).write(framed('a-1', { type: 'reset' }), () => response.destroy());
			else if (asked.length < 4) response.writeHead(asked.length === 2 ? 502 : 429, { 'content-type': 'text/plain' }).end('later');
			else streaming(response).write(framed('a-2', deleted('job_1')) + framed('a-3', deleted('job_2')));
		});
		const seen: unknown[] = [];
		const leaving = new AbortController();
		const changes = client.jobs.watch({ delay: 1, signal: leaving.signal, onConnection: (state) => seen.push(state) });
		for await (const change of changes) {
			seen.push(change);
			if (change.type === 'deleted' && change.id === 'job_2') leaving.abort();
		}
		expect(seen).toEqual(['open', { type: 'reset' }, 'lost', 'open', deleted('job_1'), deleted('job_2')]);
		expect(asked).toEqual([undefined, 'a-1', 'a-1', 'a-1'].map((after) => ['/v1/job-changes', after]));
	});

	it('begins after a cursor of the caller, and has no end by itself', async () => {
		const asked: unknown[] = [];
		const client = await against(({ headers }, response) => {
			asked.push(headers['last-event-id']);
			streaming(response).end(framed(`a-${asked.length}`, deleted(`job_${asked.length}`)));
		});
		for await (const change of client.jobs.watch({ after: 'a-0', delay: 1 })) if (change.type === 'deleted' && change.id === 'job_3') break;
		expect(asked).toEqual(['a-0', 'a-1', 'a-2']);
	});

	it('takes a connection for lost in which nothing comes, or which does not even answer', async () => {
		let asked = 0;
		const closed: Promise<unknown>[] = [];
		const client = await against((_, response) => {
			closed.push(once(response, 'close'));
			// The second is one that does not even answer.
			if (++asked !== 2) streaming(response).write(framed(`a-${asked}`, deleted(`job_${asked}`)));
		});
		const seen: string[] = [];
		for await (const change of client.jobs.watch({ delay: 1, silence: 50, onConnection: (state) => seen.push(state) })) {
			seen.push(change.type === 'deleted' ? change.id : change.type);
			if (asked === 3) break;
		}
		expect(seen).toEqual(['open', 'job_1', 'lost', 'open', 'job_3']);
		await Promise.all(closed);
	});

	it('says that it is lost before it gives up, and with attempts without end does not', async () => {
		const away = createClient({ url: 'http://127.0.0.1:1' });
		const seen: string[] = [];
		const onConnection = (state: string) => seen.push(state);
		expect(await failure(all(away.jobs.watch({ delay: 1, attempts: 2, onConnection })))).toMatchObject({ code: 'unreachable' });
		expect(seen).toEqual(['lost']);
		let asked = 0;
		const leaving = new AbortController();
		const counted: typeof fetch = (...given) => {
			if (++asked === 30) leaving.abort();
			return fetch(...given);
		};
		const endless = createClient({ url: 'http://127.0.0.1:1', fetch: counted });
		const signal = leaving.signal;
		const quick = { delay: 0, attempts: Number.POSITIVE_INFINITY };
		expect(await all(endless.jobs.watch({ ...quick, signal }))).toEqual([]);
		expect(asked).toBe(30);
	});

	it('reads a body that cannot be iterated over, as in some browsers', async () => {
		const body = new ReadableStream<Uint8Array>({
			start: (controller) => controller.enqueue(new TextEncoder().encode(framed('a-1', { type: 'reset' }))),
		});
		Object.defineProperty(body, Symbol.asyncIterator, { value: undefined });
		const client = createClient({ url: 'http://127.0.0.1:1', fetch: async () => new Response(body) });
		for await (const change of client.jobs.watch()) {
			expect(change).toEqual({ type: 'reset' });
			break;
		}
	});
});
