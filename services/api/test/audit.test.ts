import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditLine, List, NewKey } from '@steelyard/contracts';
import { type LocalStore, openStore } from '@steelyard/store';
import type { InjectOptions } from 'fastify';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Audit, type AuditEntry, openAudit } from '../src/audit/audit.js';
import type { App } from '../src/fastify-app.js';
import { datasetArchive } from './archive.js';
import { expectProblem, openService, type Service } from './service.js';

const FIRST = 'the-first-admin-key';

describe('the audit log of a service', () => {
	let service: Service;
	let app: App;
	beforeAll(async () => {
		service = await openService();
		app = await service.build({ apiKey: FIRST });
	});
	afterAll(() => service.close());

	const ask = (token: string, request: InjectOptions) =>
		app.inject({ ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
	const page = async (query = ''): Promise<List<AuditLine>> => (await ask(FIRST, { url: `/v1/audit${query}` })).json();
	/** The newest lines, once there are `count` more than before. */
	async function linesOf(action: () => Promise<unknown>, count: number): Promise<AuditLine[]> {
		const before = (await page('?limit=1')).data[0]?.id;
		await action();
		return vi.waitFor(async () => {
			const { data } = await page();
			const end = before === undefined ? data.length : data.findIndex(({ id }) => id === before);
			expect(end).toBe(count);
			return data.slice(0, count);
		});
	}

	it('says who made, changed and deleted what, from where', async () => {
		let key: NewKey | undefined;
		const made = await linesOf(async () => {
			const payload = { name: 'ward 3', scope: 'train' };
			key = (await ask(FIRST, { method: 'POST', url: '/v1/keys', payload })).json();
		}, 1);
		const { id = '', token = '' } = key ?? {};
		expect(made).toMatchObject([{ key: 'first', name: null, operation: 'createKey', resource: id, status: 201, method: 'POST' }]);

		let dataset = '';
		const lines = await linesOf(async () => {
			const headers = { 'content-type': 'application/zip', 'x-request-id': 'mine' };
			const added = await ask(token, { method: 'POST', url: '/v1/datasets', headers, payload: await datasetArchive('binary') });
			dataset = added.json().id;
			await ask(token, { url: '/v1/datasets' });
			await ask(token, { method: 'DELETE', url: `/v1/datasets/${dataset}`, remoteAddress: '10.0.0.7' });
		}, 2);
		const common = { key: id, name: 'ward 3', project: 'default', resource: dataset };
		expect(lines).toMatchObject([
			{ ...common, operation: 'deleteDataset', status: 204, method: 'DELETE', address: '10.0.0.7' },
			{ ...common, operation: 'createDataset', status: 201, method: 'POST', address: '127.0.0.1', request: 'mine' },
		]);
		expect(Math.abs((lines[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
	});

	it('says what was refused for lack of a key or of rights, and keeps no secret', async () => {
		const payload = { name: 'looks', scope: 'read', project: 'ward-3' };
		let id = '';
		let token = '';
		const lines = await linesOf(async () => {
			({ id, token } = (await ask(FIRST, { method: 'POST', url: '/v1/keys', payload })).json());
			await ask(token, { method: 'DELETE', url: '/v1/jobs/job_1' });
			await ask(token, { url: '/v1/keys' });
			await ask(token, { url: '/v1/jobs', headers: { 'steelyard-project': 'ward-4' } });
			await ask('planted-secret', { method: 'POST', url: '/v1/retention' });
			await ask(FIRST, { url: '/v1/jobs/job_1' });
			await ask(FIRST, { method: 'DELETE', url: `/v1/jobs/${token}` });
			await ask(token, { url: `/v1/audit?${token}` });
			// Not for lack of rights.
			const full = await service.build({ apiKey: FIRST, projectBytes: 1 });
			const headers = { authorization: `Bearer ${FIRST}`, 'content-type': 'application/octet-stream' };
			expect((await full.inject({ method: 'POST', url: '/v1/models', headers, payload: 'xx' })).statusCode).toBe(403);
		}, 6);
		expect(lines).toMatchObject([
			{ key: id, operation: 'listAuditLines', resource: null, status: 403 },
			{ key: null, project: null, operation: 'applyRetention', status: 401 },
			{ key: id, project: 'ward-3', operation: 'listJobs', status: 403 },
			{ key: id, operation: 'listKeys', status: 403 },
			{ key: id, name: 'looks', operation: 'deleteJob', resource: 'job_1', status: 403, method: 'DELETE' },
			{ key: 'first', operation: 'createKey', resource: id, status: 201 },
		]);
		for (const secret of [FIRST, token, 'planted-secret']) expect(JSON.stringify(lines)).not.toContain(secret);
	});

	it('is given out in pages that join, and to admins alone', async () => {
		const { data } = await page();
		const joined: AuditLine[] = [];
		for (let after = ''; ; after = `&after=${joined.at(-1)?.id}`) {
			const { data: some, has_more } = await page(`?limit=2${after}`);
			joined.push(...some);
			if (!has_more) break;
		}
		expect(joined).toEqual(data);
		expect(data.length).toBeGreaterThan(5);
		expectProblem(await ask(FIRST, { url: '/v1/audit?after=2020-01-000001-1' }), 400, 'invalid_request', 'after');
		expectProblem(await ask(FIRST, { url: `/v1/audit?after=${data[0]?.id}99` }), 400, 'invalid_request', 'after');
		expectProblem(await ask(FIRST, { url: '/v1/audit?after=yesterday' }), 400, 'invalid_request', 'after');
	});

	it('has the address of the client where a proxy says it that is known, and of nobody else', async () => {
		const behind = await service.build({ apiKey: FIRST, proxies: ['10.0.0.0/24'] });
		const lines = await linesOf(async () => {
			for (const remoteAddress of ['10.0.0.7', '10.0.1.7']) {
				const headers = { authorization: `Bearer ${FIRST}`, 'x-forwarded-for': '192.0.2.1' };
				await behind.inject({ method: 'POST', url: '/v1/retention?dry_run=true', headers, remoteAddress });
			}
		}, 2);
		expect(lines.map(({ address }) => address)).toEqual(['10.0.1.7', '192.0.2.1']);
	});

	it('lies where other users of the machine cannot read it', async () => {
		const folder = join(service.home, 'audit');
		expect((await stat(folder)).mode & 0o077).toBe(0);
	});
});

describe('the files of an audit log', () => {
	let home: string;
	let store: LocalStore;
	let now: number;
	const onLoss = vi.fn<(error: unknown, lines: number) => void>();
	beforeEach(async () => {
		home = await mkdtemp(join(tmpdir(), 'steelyard-audit-'));
		store = await openStore(home);
		now = Date.UTC(2026, 10, 29);
		onLoss.mockClear();
	});
	afterEach(() => rm(home, { recursive: true, force: true }));

	const entry = (request: string): AuditEntry => ({
		...{ at: now, request, key: null, name: null, project: null, method: 'POST', operation: 'createJob', resource: null, status: 202 },
		address: '127.0.0.1',
	});
	const open = (options: { bytes?: number; files?: number } = {}): Audit => openAudit({ store, onLoss, now: () => now, ...options });
	async function write(audit: Audit, ...requests: string[]): Promise<void> {
		for (const request of requests) {
			audit.write(entry(request));
			await audit.written();
		}
	}
	const requests = async (audit: Audit) => (await audit.page({ limit: 1000 })).data.map(({ request }) => request);

	it('are a new one when one is full and with each month, and the oldest go', async () => {
		const audit = open({ bytes: 300, files: 3 });
		await write(audit, 'a', 'b', 'c', 'd');
		expect(await store.list('audit')).toEqual(['audit/2026-11-000001.jsonl', 'audit/2026-11-000002.jsonl']);
		now = Date.UTC(2026, 11, 1);
		await write(audit, 'e', 'f', 'g');
		expect(await store.list('audit')).toEqual(['audit/2026-11-000002.jsonl', 'audit/2026-12-000001.jsonl', 'audit/2026-12-000002.jsonl']);
		expect(await requests(audit)).toEqual(['g', 'f', 'e', 'd', 'c']);
	});

	it('have the lines of several processes', async () => {
		const [one, two] = [open({ bytes: 300 }), open({ bytes: 300 })];
		for (const i of [1, 2, 3]) {
			await write(one, `one ${i}`);
			await write(two, `two ${i}`);
		}
		expect((await requests(one)).sort()).toEqual(['one 1', 'one 2', 'one 3', 'two 1', 'two 2', 'two 3']);
		expect(onLoss).not.toHaveBeenCalled();
	});

	it('lose what the disk does not take, say so, and go on behind half a line', async () => {
		const audit = open();
		await write(audit, 'a');
		const file = join(home, 'audit/2026-11-000001.jsonl');
		await rm(join(home, 'audit'), { recursive: true });
		await writeFile(join(home, 'audit'), '');
		await write(audit, 'lost', 'lost too');
		expect(onLoss.mock.calls).toEqual([
			[expect.any(Error), 1],
			[expect.any(Error), 1],
		]);
		await rm(join(home, 'audit'));
		await write(audit, 'b');
		await writeFile(file, '{"at":1,"requ', { flag: 'a' });
		await write(open(), 'c');
		expect(await requests(audit)).toEqual(['c', 'b']);
	});
});
