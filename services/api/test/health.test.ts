import type { Readiness } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../src/app.js';
import { addDataset, addJob, openService, type Service, silent, worker } from './service.js';

let service: Service;
beforeAll(async () => {
	service = await openService();
});
afterAll(() => service.close());

describe('the service', () => {
	it('says that it lives', async () => {
		expect((await service.app.inject('/healthz')).json()).toEqual({ ok: true });
	});

	it('says that it is ready, on which Redis and disk, and with which workers and devices', async () => {
		await service.queue.workers.announce(worker('one', 'no device'));
		const response = await service.app.inject('/readyz');
		expect(response.statusCode).toBe(200);
		const readiness: Readiness = response.json();
		expect(readiness).toMatchObject({ ready: true, redis: { ok: true }, store: { ok: true, note: null } });
		expect(readiness.store.free_bytes).toBeGreaterThan(0);
		expect(readiness.workers).toMatchObject([{ id: 'one', devices: { cuda: { available: false, note: 'no device' } } }]);
	});

	it.each([
		['the disk is full', { space: async () => ({ free: 1000, total: 1e9 }) }, {}],
		[
			'the disk is gone',
			{ space: async () => Promise.reject(Object.assign(new Error("EIO: i/o error, statfs '/somebody/data'"), { code: 'EIO' })) },
			{},
		],
		['Redis is away', {}, { health: async () => ({ ok: false, version: null, eviction_policy: null, kind: 'url', note: 'ECONNREFUSED' }) }],
	])('says that it is not ready where %s', async (_, disk, redis) => {
		const store = Object.assign(Object.create(service.store), { files: { ...service.store.files, ...disk } });
		const queue = Object.assign(Object.create(service.queue), redis);
		const app = await buildApp({ config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 1 }, queue, store, log: silent });
		const response = await app.inject('/readyz');
		expect(response.statusCode).toBe(503);
		expect(response.headers['content-type']).toMatch(/^application\/json/);
		const readiness: Readiness = response.json();
		expect(readiness.ready).toBe(false);
		expect(readiness.redis.note ?? readiness.store.note).toEqual(expect.any(String));
		expect(response.body).not.toContain('/somebody');
		await app.close();
	});

	it('counts its requests by route and its jobs by status', async () => {
		await addJob(service.app, await addDataset(service.app));
		await service.app.inject('/v1/jobs/job_1');
		await service.app.inject('/v1/whatever/123');
		const response = await service.app.inject('/metrics');
		expect(response.headers['content-type']).toMatch(/^text\/plain/);
		expect(response.body).toMatch(/^steelyard_jobs\{project="default",status="queued"\} 1$/m);
		expect(response.body).toMatch(/^steelyard_jobs\{project="default",status="failed"\} 0$/m);
		expect(response.body).toContain('steelyard_http_request_duration_seconds_count{method="GET",route="/v1/jobs/:id",status="404"} 1');
		expect(response.body).toContain('route="none"');
		expect(response.body).not.toContain('whatever');
		expect(response.body).toMatch(/^process_resident_memory_bytes \d+$/m);
	});
});
