import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { InjectOptions } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../src/app.js';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

let service: Service;
beforeAll(async () => {
	service = await openService();
});
afterAll(() => service.close());

describe('an error answer is a problem document', () => {
	it("for a path that is nobody's", async () => {
		expectProblem(await service.app.inject('/v1/nothing'), 404, 'not_found');
		expectProblem(
			await service.app.inject({ method: 'POST', url: '/nothing', headers: { 'content-type': 'text/x' }, payload: 'x' }),
			404,
			'not_found',
		);
	});

	it('for a method that the path does not know, with those that it knows', async () => {
		const response = await service.app.inject({ method: 'PUT', url: '/v1/jobs/job_1' });
		expectProblem(response, 405, 'method_not_allowed');
		expect(response.headers.allow).toBe('GET, HEAD, PATCH, DELETE');
		expectProblem(await service.app.inject({ method: 'PATCH', url: '/v1/datasets' }), 405, 'method_not_allowed');
	});

	it('for a method that a path which needs no key does not know, also without a key', async () => {
		const app = await service.build({ apiKey: 'a-long-enough-key' });
		expectProblem(await app.inject({ method: 'TRACE', url: '/healthz' }), 405, 'method_not_allowed');
		expectProblem(await app.inject({ method: 'TRACE', url: '/v1/jobs' }), 401, 'unauthorized');
	});

	it.each([undefined, 'text/x', ';'])('for a method that the path does not know, whatever the body is said to be: %s', async (type) => {
		const headers = type === undefined ? {} : { 'content-type': type };
		for (const method of ['POST', 'PUT', 'QUERY'] as const) {
			const request = { method, headers, ...(type === undefined ? {} : { payload: 'x' }) } as InjectOptions;
			expectProblem(await service.app.inject({ ...request, url: '/healthz' }), 405, 'method_not_allowed');
			expectProblem(await service.app.inject({ ...request, url: '/v1/nothing' }), 404, 'not_found');
		}
	});

	it.each([
		['/v1/jobs/%ff', 400, 'invalid_request'],
		[`/v1/jobs/job_${'1'.repeat(300)}`, 404, 'not_found'],
		['/v1/jobs/job_..%2f..', 404, 'not_found'],
		['/v1/jobs/__proto__', 404, 'not_found'],
	])('for the path %s', async (url, status, code) => {
		expectProblem(await service.app.inject(url), status, code);
	});

	it.each([
		['text/plain', 'x', 415, 'unsupported_media_type'],
		['application/zip', 'PK', 415, 'unsupported_media_type'],
		['application/json', '{"dataset":', 400, 'invalid_json'],
		['application/json', '{"__proto__": {"x": 1}}', 400, 'invalid_json'],
		['application/json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'invalid_json'],
		['application/json', `{"a":"${'x'.repeat(1024 ** 2)}"}`, 413, 'too_large'],
	])('for a body of type %s that cannot be read', async (type, payload, status, code) => {
		expectProblem(await service.app.inject({ method: 'POST', url: '/v1/jobs', headers: { 'content-type': type }, payload }), status, code);
	});

	it.each([
		['/v1/jobs', 'text/plain', 'Content-Type must be application/json; found "text/plain"'],
		['/v1/models', 'text/plain', 'Content-Type must be multipart/form-data or application/octet-stream; found "text/plain"'],
		['/v1/datasets', 'application/json', /^Content-Type must be multipart\/form-data or application\/zip .*; found "application\/json"$/],
	])('for a body of the wrong type at %s, with the types that are right', async (url, type, detail) => {
		const response = await service.app.inject({ method: 'POST', url, headers: { 'content-type': type }, payload: 'x' });
		const problem = expectProblem(response, 415, 'unsupported_media_type', 'content-type');
		expect(problem.detail).toEqual(typeof detail === 'string' ? detail : expect.stringMatching(detail));
	});

	it.each([
		['{"dataset":', 'line 1, column 12: value expected'],
		['{\n  "dataset": "ds_1"\n  "model": {}\n}', 'line 3, column 3: comma expected'],
		['{"dataset": "ds_1",}', 'line 1, column 20: property name expected'],
		["{'dataset': 1}", 'line 1, column 2: invalid symbol'],
		['[1, 2', 'line 1, column 6: close bracket expected'],
		['{} {}', 'line 1, column 4: end of file expected'],
		[`"\n${'['.repeat(100_000)}`, 'line 1, column 1: unexpected end of string'],
		['{"__proto__": {"x": 1}}', 'it has a field __proto__, or a field prototype in a field constructor'],
	])('for a body that is no JSON, with the place where it breaks off: %#', async (payload, fault) => {
		const headers = { 'content-type': 'application/json' };
		const response = await service.app.inject({ method: 'POST', url: '/v1/jobs', headers, payload });
		expect(expectProblem(response, 400, 'invalid_json').detail).toBe(`The body is not valid JSON: ${fault}`);
	});

	it.each(['/v1/datasets', '/v1/datasets?filename=a.zip', '/v1/models'])('for an upload to %s without a body', async (url) => {
		const problem = expectProblem(await service.app.inject({ method: 'POST', url }), 400, 'invalid_request', 'file');
		expect(problem.detail).toBe('The request has no body: send the file as it is, or as the field "file" of a form');
	});

	it('for a query string or a body where none is known', async () => {
		expectProblem(await service.app.inject('/v1/jobs/job_1?verbose=1'), 400, 'invalid_request', 'verbose');
		expectProblem(
			await service.app.inject({ method: 'POST', url: '/v1/jobs/job_1/cancel', payload: { why: 1 } }),
			400,
			'invalid_request',
			'why',
		);
	});

	/** The answer of a service whose queue fails, and its log. */
	async function answerOn(failure: Error) {
		const lines: string[] = [];
		const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
		const jobs = { ...service.queue.jobs, list: () => Promise.reject(failure) };
		const queue = Object.assign(Object.create(service.queue), { jobs });
		const app = await buildApp({
			config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 },
			queue,
			store: service.store,
			log,
		});
		const response = await app.inject('/v1/jobs');
		await app.close();
		return { response, log: lines.join('') };
	}

	it('for a fault of our own, which is logged with its stack and not told', async () => {
		const { response, log } = await answerOn(new TypeError('the secret is 42'));
		expectProblem(response, 500, 'internal');
		expect(response.body).not.toContain('42');
		expect(log).toMatch(/the secret is 42.*problems\.test/s);
	});

	it.each([
		[Object.assign(new Error('no space left on device'), { code: 'ENOSPC', syscall: 'write' }), 507, 'insufficient_storage'],
		[Object.assign(new Error('Reached the max retries'), { name: 'MaxRetriesPerRequestError' }), 503, 'unavailable'],
		[new Error('Connection is closed.'), 503, 'unavailable'],
		[Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' }), 503, 'unavailable'],
	])('for %s', async (failure, status, code) => {
		const { response, log } = await answerOn(failure);
		expectProblem(response, status, code);
		expect(log).toContain(failure.message);
	});

	it.each([
		['a header that is too large', `GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
		['bytes that are no HTTP', 'HELO mail\r\n\r\n'],
		['a request without Host', 'GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n'],
	])('for %s', async (_, bytes) => {
		if (service.app.server.address() === null) await service.app.listen({ host: '127.0.0.1', port: 0 });
		const address = service.app.server.address();
		if (address === null || typeof address === 'string') return expect.unreachable();
		const socket = connect(address.port, '127.0.0.1');
		await once(socket, 'connect');
		socket.write(bytes);
		const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
		const headers = Object.fromEntries(
			head
				.split('\r\n')
				.slice(1)
				.map((line) => line.toLowerCase().split(': ')),
		);
		expectProblem({ statusCode: Number(head.split(' ')[1]), headers, body }, 400, 'invalid_request');
		expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
	});
});

describe('an empty body that is called JSON', () => {
	const headers = { 'content-type': 'application/json', 'content-length': '0' };

	it('is none, for what needs none and for what needs one', async () => {
		const dataset = await addDataset(service.app);
		const job = await addJob(service.app, dataset);
		const cancelled = await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel`, headers });
		expect(cancelled.json()).toMatchObject({ id: job.id, status: 'cancelled' });
		expect((await service.app.inject({ method: 'DELETE', url: `/v1/datasets/${dataset}`, headers })).statusCode).toBe(204);
		expectProblem(await service.app.inject({ method: 'POST', url: '/v1/jobs', headers }), 400, 'invalid_request', 'dataset');
	});
});

describe('every answer', () => {
	it.each(['/healthz', '/v1/jobs', '/v1/nothing', '/v1/jobs/%ff', '/v1/jobs?limit=0'])('to %s names its request', async (url) => {
		const [first, second] = [await service.app.inject(url), await service.app.inject(url)];
		expect(first.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
		expect(second.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
		const idOf = async (given: string) => (await service.app.inject({ url, headers: { 'x-request-id': given } })).headers['x-request-id'];
		expect(await idOf('trace-1.a:b')).toBe('trace-1.a:b');
		expect(await idOf('two words')).toMatch(/^[\da-f-]{36}$/);
		expect(await idOf('x'.repeat(129))).toMatch(/^[\da-f-]{36}$/);
	});
});

describe('a service that listens on loopback', () => {
	const post = (headers: Record<string, string>) => service.app.inject({ method: 'POST', url: '/v1/jobs', headers, payload: {} });

	it('refuses the names of other hosts, as a rebound page sends them', async () => {
		for (const host of ['evil.example:8080', 'localhost.evil.example', '192.168.0.1', 'a b']) {
			expectProblem(await service.app.inject({ url: '/v1/jobs', headers: { host } }), 400, 'invalid_request', 'host');
		}
		for (const host of ['localhost:1', '127.0.0.1', '[::1]:8080', 'LOCALHOST']) {
			expect((await service.app.inject({ url: '/v1/jobs', headers: { host } })).statusCode).toBe(200);
		}
	});

	it('refuses posts from pages of other sites, and takes those of its own', async () => {
		for (const origin of ['https://evil.example', 'null', 'http://localhost:3000']) {
			expectProblem(await post({ host: 'localhost:8080', origin }), 400, 'invalid_request', 'origin');
		}
		expectProblem(await post({ host: 'localhost:8080', origin: 'http://localhost:8080' }), 400, 'invalid_request', 'dataset');
	});
});

describe('a service with a key', () => {
	const key = 'correct horse'.replace(' ', '-');

	it('demands it on every route but health and the documents, and compares the whole of it', async () => {
		const app = await service.build({ host: '0.0.0.0', apiKey: key });
		for (const authorization of ['', key, 'Bearer', `Bearer ${key}x`, `Bearer ${key.slice(1)}`, `Basic ${key}`]) {
			for (const url of ['/v1/jobs', '/v1/datasets', '/metrics', '/nowhere']) {
				const response = await app.inject({ url, headers: { authorization, host: 'ward.example' } });
				expectProblem(response, 401, 'unauthorized', 'authorization');
				expect(response.headers['www-authenticate']).toBe('Bearer');
			}
		}
		expect((await app.inject({ url: '/v1/jobs', headers: { authorization: `Bearer ${key}`, host: 'ward.example' } })).statusCode).toBe(200);
		expect((await app.inject({ url: '/healthz', headers: { host: 'ward.example' } })).statusCode).toBe(200);
		for (const url of ['/readyz', '/openapi.json', '/docs/']) expect((await app.inject(url)).statusCode, url).toBe(200);
	});
});
