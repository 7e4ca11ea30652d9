import { fork } from 'node:child_process';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JobResource, NewWebhook } from '@steelyard/contracts';
import type { Work } from '@steelyard/queue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startNotifying } from '../src/notices/notices.js';
import { signatureHeaders } from '../src/notices/sign.js';
import { addDataset, addJob, expectProblem, openService, type Service, silent } from './service.js';

type Received = { headers: IncomingMessage['headers']; body: string };

let service: Service;
let dataset: string;
let server: Server;
let url: string;
/** What has arrived, and how it is answered. */
let received: Received[];
let answer: (response: ServerResponse, count: number) => void;
const works: Work[] = [];

beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
	server = createServer(async (request, response) => {
		let body = '';
		for await (const chunk of request) body += chunk;
		received.push({ headers: request.headers, body });
		answer(response, received.length);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=b`;
});
beforeEach(() => {
	received = [];
	answer = (response) => response.writeHead(204).end();
});
afterEach(async () => {
	for (const work of works.splice(0)) await work.close(1000);
	await service.app.inject({ method: 'DELETE', url: '/v1/webhook' });
});
afterAll(async () => {
	server.closeAllConnections();
	server.close();
	await service.close();
});

const put = async (payload: object): Promise<NewWebhook> => {
	const response = await service.app.inject({ method: 'PUT', url: '/v1/webhook', payload });
	expect(response.statusCode, response.body).toBe(200);
	return response.json();
};
const notifying = (options: Partial<Parameters<typeof startNotifying>[0]> = {}) => {
	works.push(startNotifying({ queue: service.queue, networks: ['127.0.0.1'], log: silent, ...options }));
};
const get = async (id: string): Promise<JobResource> => (await service.app.inject(`/v1/jobs/${id}`)).json();
/** The notice of a job once it is in that state. */
const told = (id: string, state: string) =>
	vi.waitFor(
		async () => {
			const { notified } = await get(id);
			expect(notified?.state).toBe(state);
			return notified;
		},
		{ timeout: 20_000, interval: 20 },
	);
/** Begins a worker, which first settles the jobs that have ended. No job is handed to it. */
const settle = () => void works.push(service.queue.work({ process: async () => expect.unreachable('no job runs here') }));

/** Ends a job, and has its end settled as a worker does that finds it. */
async function ended(spec: object = {}): Promise<JobResource> {
	const { id } = await addJob(service.app, dataset, spec);
	await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
	settle();
	return get(id);
}

describe('the notice of a job that has ended', () => {
	it('is signed by the example of Standard Webhooks', () => {
		const body = '{"test": 2432232314}';
		const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
		expect(signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', { id, timestamp: 1614265330, body })).toEqual({
			'webhook-id': id,
			'webhook-timestamp': '1614265330',
			'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
		});
	});

	it('goes to the webhook of the project, signed by its secret, and the job says so', async () => {
		const { secret } = await put({ url });
		notifying();
		const job = await ended();
		expect(await told(job.id, 'delivered')).toMatchObject({ attempts: 1, error: null, next_attempt_at: null });
		expect(received).toHaveLength(1);
		const [{ headers, body }] = received as [Received];
		expect(headers['content-type']).toBe('application/json');
		expect(JSON.parse(body)).toEqual({
			type: 'job.cancelled',
			timestamp: new Date((job.finished_at ?? 0) * 1000).toISOString(),
			data: { job: expect.objectContaining({ id: job.id, status: 'cancelled' }) },
		});
		const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
		const hmac = createHmac('sha256', Buffer.from(secret.replace('whsec_', ''), 'base64'))
			.update(signed)
			.digest();
		const [version, given = ''] = String(headers['webhook-signature']).split(',');
		expect(version).toBe('v1');
		expect(timingSafeEqual(Buffer.from(given, 'base64'), hmac)).toBe(true);
	});

	it('is verified by the code in the docs', async () => {
		const docs = await readFile(fileURLToPath(new URL('../../../docs/jobs.md', import.meta.url)), 'utf8');
		const [, code = ''] = /```ts\n([^`]*isGenuine[\s\S]*?)```/.exec(docs) ?? [];
		const folder = await mkdtemp(join(tmpdir(), 'steelyard-snippet-'));
		try {
			const file = join(folder, 'verify.ts');
			await writeFile(file, code);
			const { isGenuine } = (await import(/* @vite-ignore */ file)) as {
				isGenuine(secret: string, headers: object, body: string): boolean;
			};
			const { secret } = await put({ url });
			const body = '{"type":"job.succeeded"}';
			const now = Math.floor(Date.now() / 1000);
			const headers = signatureHeaders(secret, { id: 'a', timestamp: now, body });
			expect(isGenuine(secret, headers, body)).toBe(true);
			expect(isGenuine(secret, headers, `${body} `)).toBe(false);
			expect(isGenuine((await put({ url })).secret, headers, body)).toBe(false);
			expect(isGenuine(secret, { ...headers, 'webhook-signature': 'v1,' }, body)).toBe(false);
			expect(isGenuine(secret, signatureHeaders(secret, { id: 'a', timestamp: now - 600, body }), body)).toBe(false);
		} finally {
			await rm(folder, { recursive: true });
		}
	});

	it('goes where the job says, in place of the project, and for the ends that it names', async () => {
		await put({ url: 'http://127.0.0.1:1/' });
		notifying();
		const own = await ended({ notify: { url, on: ['cancelled', 'failed'] } });
		const none = await ended({ notify: { url, on: ['succeeded'] } });
		await told(own.id, 'delivered');
		expect(received.map(({ body }) => JSON.parse(body).data.job.id)).toEqual([own.id]);
		expect(await get(none.id)).not.toHaveProperty('notified');
	});

	it('is sent again under its id after an answer that is no success, until it is given up', async () => {
		await put({ url });
		answer = (response, count) => response.writeHead(count === 1 ? 500 : count === 2 ? 302 : 200, { location: url }).end('no');
		notifying({ pauses: [1, 1] });
		const job = await ended();
		expect(await told(job.id, 'delivered')).toMatchObject({ attempts: 3, error: null });
		expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
		answer = (response) => response.writeHead(410).end();
		const refused = await ended();
		expect(await told(refused.id, 'given_up')).toMatchObject({ attempts: 3, error: expect.stringContaining('answered 410') });
		expect(received).toHaveLength(6);
	});

	it('is sent once more, by another process, where the one that sent it was killed', async () => {
		await put({ url });
		answer = () => {};
		const sender = fileURLToPath(new URL('fixtures/sender.mjs', import.meta.url));
		const child = fork(sender, [JSON.stringify({ redis: service.redis.options, home: service.home, lockMs: 300 })], { execArgv: [] });
		const exit = once(child, 'exit');
		const job = await ended();
		await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 20_000, interval: 20 });
		child.kill('SIGKILL');
		await exit;
		expect(await get(job.id)).not.toHaveProperty('notified');
		answer = (response) => response.writeHead(200).end();
		notifying({ lockMs: 300 });
		expect(await told(job.id, 'delivered')).toMatchObject({ attempts: 1 });
		expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([`${job.id}_${job.finished_at}`, `${job.id}_${job.finished_at}`]);
	});

	it('is not waited for longer than is allowed, and read no further than a little', async () => {
		await put({ url });
		answer = (response, count) => {
			response.writeHead(200);
			if (count === 2) response.write('x'.repeat(1_000_000));
		};
		notifying({ longestMs: 300, pauses: [1] });
		const job = await ended();
		expect(await told(job.id, 'delivered')).toMatchObject({ attempts: 2 });
	});

	it('goes to no address that is not public, unless that is allowed', async () => {
		await put({ url });
		notifying({ networks: [], pauses: [] });
		const job = await ended();
		expect(await told(job.id, 'given_up')).toMatchObject({ error: expect.stringContaining('not at a public address') });
		expect(received).toEqual([]);
	});

	it('comes again where the job was resumed and has ended once more', async () => {
		await put({ url });
		notifying();
		const job = await ended();
		await told(job.id, 'delivered');
		await service.queue.jobs.requestResume(job.id);
		expect(await get(job.id)).not.toHaveProperty('notified');
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
		settle();
		await told(job.id, 'delivered');
		expect(received.map(({ body }) => JSON.parse(body).data.job.id)).toEqual([job.id, job.id]);
	});

	it('has an id of its own where the job has ended twice within a second', async () => {
		await put({ url });
		notifying();
		const { id } = await addJob(service.app, dataset);
		const now = Date.now();
		const cancel = async () => {
			vi.useFakeTimers({ now, toFake: ['Date'] });
			await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` }).finally(() => vi.useRealTimers());
			settle();
			await told(id, 'delivered');
			return (await get(id)).finished_at;
		};
		const ends = [await cancel()];
		// On a busy machine an end was seen to be dated by the real clock.
		while (ends.length < 2 || ends.at(-1) !== ends.at(-2)) {
			await service.queue.jobs.requestResume(id);
			ends.push(await cancel());
		}
		expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(ends.length);
	});

	it('goes to no webhook that was made after the end', async () => {
		vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] });
		await put({ url }).finally(() => vi.useRealTimers());
		notifying();
		const job = await ended();
		// What the job itself asks for is told.
		const own = await ended({ notify: { url } });
		await told(own.id, 'delivered');
		expect(received).toHaveLength(1);
		expect(await get(job.id)).not.toHaveProperty('notified');
	});
});

describe('the webhook of a project', () => {
	const webhook = (request: object, project = 'default') =>
		service.app.inject({ url: '/v1/webhook', headers: { 'steelyard-project': project }, ...request });

	it('shows its secret once, and another after a change', async () => {
		const first = await put({ url: 'https://example.com/hook', on: ['failed'] });
		expect(first).toMatchObject({ object: 'webhook', project: 'default', url: 'https://example.com/hook', on: ['failed'] });
		expect(first.secret).toMatch(/^whsec_[\w+/]{32}$/);
		const { secret: _, ...shown } = first;
		expect((await webhook({})).json()).toEqual(shown);
		const second = await put({});
		expect(second).toMatchObject({ url: null, on: ['succeeded', 'failed', 'cancelled'], created_at: first.created_at });
		expect(second.secret).not.toBe(first.secret);
		expectProblem(await webhook({}, 'ward-4'), 404, 'not_found');
		expect((await webhook({ method: 'DELETE' })).statusCode).toBe(204);
		expectProblem(await webhook({ method: 'DELETE' }), 404, 'not_found');
	});

	it('is set by keys that may train, and each change is in the audit log, without the secret', async () => {
		const { secret } = await put({ url: 'https://example.com/hook' });
		await webhook({ method: 'DELETE' });
		await vi.waitFor(async () => {
			const { data } = (await service.app.inject('/v1/audit?limit=100')).json();
			expect(data.map(({ operation }: { operation: string }) => operation)).toEqual(
				expect.arrayContaining(['setWebhook', 'deleteWebhook']),
			);
			expect(JSON.stringify(data)).not.toContain(secret);
		});
		const made = await service.app.inject({ method: 'POST', url: '/v1/keys', payload: { name: 'a key', scope: 'read' } });
		const headers = { authorization: `Bearer ${made.json().token}` };
		expectProblem(await service.app.inject({ method: 'PUT', url: '/v1/webhook', headers, payload: {} }), 403, 'forbidden');
	});

	it.each(['ftp://example.com', 'example.com', 'https://user:word@example.com/', 'http:///x', 'https://a b/'])(
		'is not %s',
		async (wrong) => {
			expectProblem(await webhook({ method: 'PUT', payload: { url: wrong } }), 400, 'invalid_request', 'url');
		},
	);

	it.each([{}, { payload: 'null', headers: { 'content-type': 'application/json' } }])(
		'is not set by a request with the body %j',
		async (request) => {
			const { secret: _, ...set } = await put({ url: 'https://example.com/hook' });
			const refused = expectProblem(await service.app.inject({ method: 'PUT', url: '/v1/webhook', ...request }), 400, 'invalid_request');
			expect(refused.detail).toBe('The body must be object, found null');
			expect((await webhook({})).json()).toEqual(set);
		},
	);

	it('is needed by a job with an address of its own', async () => {
		const response = await service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset, notify: { url } } });
		expectProblem(response, 400, 'invalid_request', 'notify');
	});
});
