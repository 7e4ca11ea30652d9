import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildApp } from '../src/app.js';
import type { App } from '../src/fastify-app.js';
import { createRoom } from '../src/resources/room.js';
import { datasetArchive } from './archive.js';
import { addDataset, addModel, expectProblem, openService, type Service, silent } from './service.js';

const GIGABYTE = 1e9;

let service: Service;
let app: App;
let dataset: string;
let space = { free: 500 * GIGABYTE, total: 1000 * GIGABYTE };
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
	const store = { ...service.store, files: { ...service.store.files, space: async () => space } };
	const config = { host: '127.0.0.1', apiKey: null, uploadLimit: 200 * 1024 ** 2, modelLimit: 200 * 1024 ** 2 };
	app = await buildApp({ config, queue: service.queue, store, log: silent });
});
afterAll(async () => {
	await app.close();
	await service.close();
});

const add = async () =>
	app.inject({
		method: 'POST',
		url: '/v1/datasets',
		headers: { 'content-type': 'application/zip' },
		payload: await datasetArchive('binary'),
	});
const upload = (payload: Buffer) =>
	app.inject({ method: 'POST', url: '/v1/models?filename=a', headers: { 'content-type': 'application/octet-stream' }, payload });
const post = () => app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset } });

it('a disk that is nearly full takes no uploads and no jobs, says what is free, and still answers and deletes', async () => {
	space = { free: 19 * GIGABYTE, total: 1000 * GIGABYTE };
	for (const send of [add, () => upload(Buffer.from('a model')), post]) {
		const { detail } = expectProblem(await send(), 507, 'insufficient_storage');
		expect(detail).toBe(
			'19.00 GB of the 1000.00 GB of the disk are free, of which 20.00 GB are kept for the jobs that run; delete datasets, models or jobs that are no longer needed',
		);
	}
	expect((await app.inject(`/v1/datasets/${dataset}`)).statusCode).toBe(200);
	expect((await app.inject('/readyz')).statusCode).toBe(200);
	const model = await addModel(service.app);
	expect((await app.inject({ method: 'DELETE', url: `/v1/models/${model}` })).statusCode).toBe(204);
	space = { free: 21 * GIGABYTE, total: 1000 * GIGABYTE };
	expect((await post()).statusCode).toBe(202);
});

it('an upload that would fill the disk is ended while it comes, and leaves nothing', async () => {
	let looks = 0;
	const space = async () => ({ free: looks++ < 1 ? 500 * GIGABYTE : 1, total: 1000 * GIGABYTE });
	const store = { ...service.store, files: { ...service.store.files, space } };
	const config = { host: '127.0.0.1', apiKey: null, uploadLimit: 1, modelLimit: 200 * 1024 ** 2 };
	const filling = await buildApp({ config, queue: service.queue, store, log: silent });
	const payload = Buffer.alloc(70 * 1024 ** 2);
	const headers = { 'content-type': 'application/octet-stream' };
	expectProblem(await filling.inject({ method: 'POST', url: '/v1/models', headers, payload }), 507, 'insufficient_storage');
	await filling.close();
	expect(await service.store.list('uploads', { deep: false })).toEqual([]);
});

it('what is kept is 1 GB or 2 % of the disk, at most a tenth of it, or what is configured', async () => {
	const holds = (free: number, total: number, reserve: number | null = null) =>
		createRoom({ ...service.store.files, space: async () => ({ free, total }) }, reserve)
			.expect()
			.then(
				() => true,
				() => false,
			);
	for (const [total, kept] of [
		[1000 * GIGABYTE, 20 * GIGABYTE],
		[20 * GIGABYTE, GIGABYTE],
		[GIGABYTE, GIGABYTE / 10],
	] as const)
		expect([await holds(kept, total), await holds(kept - 1, total)]).toEqual([true, false]);
	expect([await holds(7, GIGABYTE, 7), await holds(6, GIGABYTE, 7)]).toEqual([true, false]);
});
