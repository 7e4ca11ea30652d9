import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallerResource, KeyResource, List, NewKey } from '@steelyard/contracts';
import type { InjectOptions } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { createKeys } from '../src/keys/keys.js';
import { addDataset, expectProblem, openService, type Service } from './service.js';

const FIRST = 'the-first-admin-key';

let service: Service;
let app: App;
let logged = '';
beforeAll(async () => {
	service = await openService();
	app = await service.build(
		{ apiKey: FIRST, limits: { refusals: 10_000 } },
		pino({ level: 'trace' }, { write: (line) => void (logged += line) }),
	);
});
afterAll(() => service.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const ask = (token: string, request: InjectOptions, to = app) =>
	to.inject({ ...request, headers: { ...bearer(token), ...request.headers } });
const get = (token: string, url: string, to = app) => ask(token, { url }, to);

async function create(request: object, token = FIRST): Promise<NewKey> {
	const response = await ask(token, { method: 'POST', url: '/v1/keys', payload: { name: 'a key', scope: 'train', ...request } });
	expect(response.statusCode, response.body).toBe(201);
	return response.json();
}
const revoke = (id: string, token = FIRST) => ask(token, { method: 'DELETE', url: `/v1/keys/${id}` });
const list = async (): Promise<List<KeyResource>> => (await get(FIRST, '/v1/keys?limit=100')).json();

/** Everything that lies in the data folder, as text. */
async function everything(): Promise<string> {
	const entries = await readdir(service.home, { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
	// A file that is being written may have got its name meanwhile.
	return (await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))).join('\n');
}

describe('a key', () => {
	it('is shown once, and lets its owner in', async () => {
		const key = await create({ name: 'ward 3', project: 'ward-3', expires_in_days: 1 });
		expect(key).toMatchObject({ object: 'key', name: 'ward 3', project: 'ward-3', scope: 'train', last_used_at: null });
		expect(key.token).toMatch(new RegExp(`^${key.prefix}_[\\w-]{43}$`));
		expect(key.prefix).toBe(`steelyard_${key.id.slice(4)}`);
		expect(key.expires_at).toBe(key.created_at + 86_400);

		const caller: CallerResource = (await get(key.token, '/v1/caller')).json();
		expect(caller).toEqual({
			...{
				object: 'caller',
				key: key.id,
				name: 'ward 3',
				scope: 'train',
				project: 'ward-3',
				has_webhook: false,
				expires_at: key.expires_at,
			},
		});
		const found = (await list()).data.find(({ id }) => id === key.id);
		const { token: _, ...shown } = key;
		expect(found).toEqual({ ...shown, last_used_at: found?.last_used_at ?? null });
	});

	it('leaves its secret nowhere: not in the data folder, nor in a log, nor in an answer', async () => {
		const key = await create({ scope: 'admin' });
		const secret = key.token.slice(key.prefix.length + 1);
		const answers = [await get(key.token, '/v1/keys'), await get(`${key.token}x`, '/v1/jobs'), await get(key.token, '/v1/audit')];
		await ask(key.token, { method: 'POST', url: '/v1/keys', payload: { name: 'x', scope: 'nothing' } });
		for (const { body } of answers) expect(body).not.toContain(secret);
		expect(await everything()).not.toContain(secret);
		expect(await everything()).toContain(key.prefix.slice('steelyard_'.length));
		expect(logged).toContain(`"project":"default","key":"${key.id}"`);
		for (const marker of [secret, FIRST, 'Bearer']) expect(logged).not.toContain(marker);
	});

	it.each([
		['another secret', (token: string) => `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`],
		['a longer secret', (token: string) => `${token}A`],
		['no secret', (token: string) => token.slice(0, 37)],
		['an id that is not there', (token: string) => token.replace(/_.{26}_/, `_${'0'.repeat(26)}_`)],
		['capitals', (token: string) => token.toUpperCase()],
		['two tokens', (token: string) => `${token} ${token}`],
	])('with %s is refused as if there were none', async (_, change) => {
		const { token } = await create({});
		const problem = expectProblem(await get(change(token), '/v1/jobs'), 401, 'unauthorized', 'authorization');
		expect(problem).toEqual((await app.inject('/v1/jobs')).json());
		expect((await get(token, '/v1/jobs')).statusCode).toBe(200);
	});

	it('is refused from the moment on at which it is revoked', async () => {
		const { id, token } = await create({});
		expect((await get(token, '/v1/jobs')).statusCode).toBe(200);
		expect((await revoke(id)).statusCode).toBe(204);
		expectProblem(await get(token, '/v1/jobs'), 401, 'unauthorized');
		expectProblem(await revoke(id), 404, 'not_found', 'id');
		expect((await list()).data.map((key) => key.id)).not.toContain(id);
		expect(await readdir(join(service.home, 'keys'))).not.toContain(id);
	});

	it('is refused while it is revoked, though its secret is being checked at that moment', async () => {
		const { id, token } = await create({});
		const [, revoked] = await Promise.all([get(token, '/v1/jobs'), revoke(id)]);
		expect(revoked.statusCode).toBe(204);
		expectProblem(await get(token, '/v1/jobs'), 401, 'unauthorized');
	});

	it('is needed to make keys, with the scope admin', async () => {
		const admin = await create({ scope: 'admin' });
		expect(admin.project).toBeNull();
		const made = await create({ scope: 'read' }, admin.token);
		expect(made.project).toBe('default');
		for (const { token } of [made, await create({})]) {
			expectProblem(await ask(token, { method: 'POST', url: '/v1/keys', payload: { name: 'x', scope: 'read' } }), 403, 'forbidden');
			expectProblem(await get(token, '/v1/keys'), 403, 'forbidden');
			expectProblem(await revoke(made.id, token), 403, 'forbidden');
		}
	});

	it.each([
		[{ name: 'x', scope: 'root' }, 'scope'],
		[{ scope: 'read' }, 'name'],
		[{ name: 'two\nlines', scope: 'read' }, 'name'],
		[{ name: 'x', scope: 'read', project: 'Ward 3' }, 'project'],
		[{ name: 'x', scope: 'admin', project: 'ward-3' }, 'project'],
		[{ name: 'x', scope: 'read', expires_in_days: 0 }, 'expires_in_days'],
		[{ name: 'x', scope: 'read', token: 'mine' }, 'token'],
	])('is not made of %j', async (payload, param) => {
		expectProblem(await ask(FIRST, { method: 'POST', url: '/v1/keys', payload }), 400, 'invalid_request', param);
	});

	it('is not needed on loopback, where who sends one is held to it', async () => {
		const open = service.app;
		expect((await open.inject('/v1/caller')).json()).toMatchObject({ key: null, scope: 'admin', project: 'default' });
		const { id, token } = await create({ scope: 'read', project: 'ward-3' });
		expect((await get(token, '/v1/caller', open)).json()).toMatchObject({ key: id, scope: 'read', project: 'ward-3' });
		expectProblem(await ask(token, { method: 'POST', url: '/v1/jobs', payload: {} }, open), 403, 'forbidden');
		expectProblem(await get(`${token.slice(0, -2)}00`, '/v1/jobs', open), 401, 'unauthorized');
		expect((await get('something-else', '/v1/jobs', open)).statusCode).toBe(200);
	});
});

describe('an event stream', () => {
	it.each(['of a job', 'of the list of jobs'])('%s ends some seconds after its key was revoked, and with no other key', async (what) => {
		const dataset = await addDataset(service.app);
		const { id: job } = (await service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset } })).json();
		const url = what === 'of a job' ? `/v1/jobs/${job}/events` : '/v1/job-changes';
		const [revoked, other] = [await create({ scope: 'read' }), await create({ scope: 'read' })];
		vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
		try {
			const streams = await Promise.all(
				[revoked, other].map(async ({ token }) => {
					const headers = { ...bearer(token), accept: 'text/event-stream' };
					const response = await app.inject({ url, headers, payloadAsStream: true });
					expect(response.statusCode).toBe(200);
					return response.stream();
				}),
			);
			const ended = streams.map(() => false);
			const texts = streams.map(() => '');
			for (const [i, stream] of streams.entries()) stream.on('data', (chunk) => (texts[i] += chunk)).once('close', () => (ended[i] = true));
			await revoke(revoked.id);
			vi.advanceTimersByTime(15_000);
			await vi.waitFor(
				() => {
					expect(ended).toEqual([true, false]);
					expect(texts[1]).toContain('\n:\n');
				},
				{ interval: 10 },
			);
		} finally {
			vi.useRealTimers();
		}
	});
});

describe('the project of a request', () => {
	const callerIn = (token: string, project: string) => ask(token, { url: '/v1/caller', headers: { 'steelyard-project': project } });

	it('is that of the key, and the one that an admin names', async () => {
		const { token } = await create({ project: 'ward-3' });
		expect((await callerIn(token, 'ward-3')).json()).toMatchObject({ project: 'ward-3' });
		expectProblem(await callerIn(token, 'ward-4'), 403, 'forbidden', 'steelyard-project');
		for (const admin of [FIRST, (await create({ scope: 'admin' })).token]) {
			expect((await get(admin, '/v1/caller')).json()).toMatchObject({ project: 'default' });
			expect((await callerIn(admin, 'ward-4')).json()).toMatchObject({ project: 'ward-4', scope: 'admin' });
			expectProblem(await callerIn(admin, 'Ward 4'), 400, 'invalid_request', 'steelyard-project');
		}
	});
});

describe('another process over the same data folder', () => {
	it('knows a new key at once, and a revoked one no longer after five seconds', async () => {
		let now = Date.now();
		const keys = createKeys({ store: service.store, onError: expect.unreachable, now: () => now });
		const attempt = vi.fn<() => Promise<void>>(async () => {});
		const { id, token } = await create({ expires_in_days: 1 });
		expect(await keys.verify(token, attempt)).toMatchObject({ id });
		expect(attempt).toHaveBeenCalledTimes(1);
		await revoke(id);
		now += 5000;
		expect(await keys.verify(token, attempt)).toBeNull();
	});

	it('hashes a secret once, however often and at whatever moment it comes, and a wrong one no more often', async () => {
		const keys = createKeys({ store: service.store, onError: expect.unreachable });
		const attempt = vi.fn<() => Promise<void>>(async () => {});
		const { id, token } = await create({});
		expect(await Promise.all(Array.from({ length: 50 }, () => keys.verify(token, attempt)))).toMatchObject(Array(50).fill({ id }));
		const began = process.cpuUsage();
		for (let i = 0; i < 200; i++) await keys.verify(token, attempt);
		const wrong = `${token.slice(0, 37)}${'A'.repeat(43)}`;
		for (let i = 0; i < 200; i++) expect(await keys.verify(wrong, attempt)).toBeNull();
		// 201 computations would take ten seconds and more.
		expect(process.cpuUsage(began).user).toBeLessThan(5e6);
	});

	it('hashes few secrets at once, and refuses more than can wait', async () => {
		const keys = createKeys({ store: service.store, onError: expect.unreachable });
		const { id } = await create({});
		const tokens = Array.from({ length: 50 }, (_, i) => `steelyard_${id.slice(4)}_${String(i).padStart(43, 'A')}`);
		const settled = await Promise.allSettled(tokens.map((token) => keys.verify(token, async () => {})));
		const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
		expect(refused).toHaveLength(32);
		expect(refused).toMatchObject(Array(32).fill({ code: 'too_many_requests' }));
	});

	it('ends a key at the second at which it expires, without looking again', async () => {
		let now = 1_800_000_000_000;
		const keys = createKeys({ store: service.store, onError: expect.unreachable, now: () => now });
		const key = await keys.create({ name: 'short', scope: 'read', expires_in_days: 2 / 86_400 });
		expect(key.expires_at).toBe(1_800_000_002);
		now += 1999;
		expect(await keys.verify(key.token, async () => {})).toMatchObject({ id: key.id });
		now += 1;
		expect(await keys.verify(key.token, async () => {})).toBeNull();
	});

	it('notes the use of a key once a minute', async () => {
		let now = 1_800_000_000_000;
		const keys = createKeys({ store: service.store, onError: expect.unreachable, now: () => now });
		const { id } = await keys.create({ name: 'used', scope: 'read' });
		const usedAt = async () => (await keys.list({ limit: 100 })).data.find((key) => key.id === id)?.last_used_at;
		expect(await usedAt()).toBeNull();
		keys.use(id);
		await vi.waitFor(async () => expect(await usedAt()).toBe(1_800_000_000));
		now += 59_000;
		keys.use(id);
		now += 1000;
		keys.use(id);
		await vi.waitFor(async () => expect(await usedAt()).toBe(1_800_000_060));
	});
});

describe('what strangers learn', () => {
	it('of running jobs is nothing, and of others than their own nothing', async () => {
		const dataset = await addDataset(service.app);
		const { id } = (await service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset } })).json();
		await service.queue.workers.announce({
			...{ id: 'one', pid: 1, started_at: 1, version: '0', jobs: [id] },
			devices: { cpu: { available: true }, cuda: { available: false, note: 'no device' } },
		});
		const seen = async (token: string | null) =>
			(await app.inject({ url: '/readyz', headers: token === null ? {} : bearer(token) })).json().workers[0].jobs;
		expect(await seen(null)).toEqual([]);
		expect(await seen('steelyard_wrong')).toEqual([]);
		expect(await seen(FIRST)).toEqual([id]);
		expect(await seen((await create({ scope: 'read', project: 'default' })).token)).toEqual([id]);
		expect(await seen((await create({ scope: 'read', project: 'ward-3' })).token)).toEqual([]);
		expect((await service.app.inject('/readyz')).json().workers[0].jobs).toEqual([id]);
	});
});
