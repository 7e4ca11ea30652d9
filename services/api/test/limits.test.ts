import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { NewKey } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

const FIRST = 'the-first-admin-key';
/** A loaded machine may take long. */
const WAIT = { timeout: 20_000, interval: 20 };
const LIMITS = { rate: 20, requests: 3, streams: 2, refusals: 5 };

let service: Service;
let job: string;
beforeAll(async () => {
	service = await openService({ limits: { rate: 1, requests: 1, streams: 1, refusals: 1 } });
	job = (await addJob(service.app, await addDataset(service.app))).id;
});
afterAll(() => service.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const limited = (limits: Partial<typeof LIMITS> = {}): Promise<App> =>
	service.build({ apiKey: FIRST, limits: { ...LIMITS, rate: 1000, ...limits } });
async function keyOf(app: App, scope = 'train'): Promise<NewKey> {
	const payload = { name: 'limited', scope };
	return (await app.inject({ method: 'POST', url: '/v1/keys', headers: bearer(FIRST), payload })).json();
}
const get = (app: App, token: string, url = '/v1/jobs') => app.inject({ url, headers: bearer(token) });

describe('the rate of a key', () => {
	it('is held, with the time after which to try again, and holds up no other key', async () => {
		const app = await limited({ rate: 5 });
		const [one, other] = [await keyOf(app), await keyOf(app)];
		for (let i = 0; i < 5; i++) expect((await get(app, one.token)).statusCode).toBe(200);
		const refused = await get(app, one.token);
		expect(expectProblem(refused, 429, 'too_many_requests').detail).toMatch(/5 requests in a minute; try again in \d+ s/);
		expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
		expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
		expect((await get(app, other.token)).statusCode).toBe(200);
		expect((await app.inject({ url: '/healthz', headers: bearer(one.token) })).statusCode).toBe(200);
	});

	it('is no matter where no key is needed', async () => {
		for (let i = 0; i < 20; i++) expect((await service.app.inject('/v1/jobs')).statusCode).toBe(200);
	});
});

describe('requests that are refused', () => {
	it('for lack of a valid key are few from one address, and keys that are known go on', async () => {
		const app = await limited();
		const known = await keyOf(app);
		expect((await get(app, known.token)).statusCode).toBe(200);
		// Checking that key was the first of them.
		for (let i = 0; i < 10; i++) expect((await app.inject('/readyz')).statusCode).toBe(200);
		for (const token of ['', 'wrong', 'steelyard_wrong', `${known.token}x`]) expectProblem(await get(app, token), 401, 'unauthorized');
		const refused = await get(app, 'wrong');
		expectProblem(refused, 429, 'too_many_requests');
		expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
		expect((await get(app, known.token)).statusCode).toBe(200);
		expect((await get(app, FIRST)).statusCode).toBe(200);
		const elsewhere = await app.inject({ url: '/v1/jobs', headers: bearer('wrong'), remoteAddress: '10.0.0.7' });
		expectProblem(elsewhere, 401, 'unauthorized');
		expect((await app.inject({ url: '/readyz', headers: bearer('wrong') })).statusCode).toBe(200);
	});

	it('for lack of rights are few by one key', async () => {
		const app = await limited();
		const { token } = await keyOf(app, 'read');
		for (let i = 0; i < 5; i++) expectProblem(await get(app, token, '/v1/usage'), 403, 'forbidden');
		expectProblem(await get(app, token, '/v1/usage'), 429, 'too_many_requests');
		expect((await get(app, token)).statusCode).toBe(200);
	});
});

describe('what a key has open at the same time', () => {
	/** A connection that has sent a request and reads no answer. */
	async function open(app: App, request: string): Promise<Socket> {
		const address = app.server.address();
		if (address === null || typeof address === 'string') return expect.unreachable();
		const socket = connect(address.port, '127.0.0.1');
		await once(socket, 'connect');
		socket.write(request);
		return socket;
	}

	it('is bounded, and free again when a client leaves', async () => {
		const app = await limited();
		await app.listen({ host: '127.0.0.1', port: 0 });
		const { token } = await keyOf(app);
		const head = `host: localhost\r\nauthorization: Bearer ${token}\r\n`;
		const streams = `GET /v1/jobs/${job}/events HTTP/1.1\r\n${head}accept: text/event-stream\r\n\r\n`;
		const [first, second] = [await open(app, streams), await open(app, streams)];
		await Promise.all([once(first, 'data'), once(second, 'data')]);
		const stream = () => app.inject({ url: `/v1/jobs/${job}/events`, headers: { ...bearer(token), accept: 'text/event-stream' } });
		expect(expectProblem(await stream(), 429, 'too_many_requests').detail).toContain('2 event streams');
		expect((await stream()).headers['retry-after']).toBe('1');
		// A page of events is no stream.
		expect((await get(app, token, `/v1/jobs/${job}/events`)).statusCode).toBe(200);

		// Uploads of which the end does not come.
		const upload = `POST /v1/models HTTP/1.1\r\n${head}content-type: application/octet-stream\r\ncontent-length: 100\r\n\r\nx`;
		const uploads: Socket[] = [];
		await vi.waitFor(async () => {
			uploads.push(await open(app, upload));
			expect(await readdir(join(service.home, 'uploads'))).toHaveLength(3);
		}, WAIT);
		expectProblem(await get(app, token), 429, 'too_many_requests');
		expect((await get(app, FIRST)).statusCode).toBe(200);
		for (const socket of uploads) socket.destroy();
		await vi.waitFor(async () => expect((await get(app, token)).statusCode).toBe(200), WAIT);

		first.destroy();
		const third = await vi.waitFor(async () => {
			const socket = await open(app, streams);
			const [answer] = await once(socket, 'data');
			expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
			return socket;
		}, WAIT);
		second.destroy();
		third.destroy();
	});
});
