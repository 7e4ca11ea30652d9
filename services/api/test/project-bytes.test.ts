import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { App } from '../src/fastify-app.js';
import { createOwnerOf } from '../src/resources/owners.js';
import { createProjectBytes } from '../src/resources/project-bytes.js';
import { datasetArchive } from './archive.js';
import { addDataset, addJob, addModel, expectProblem, openService, type Service } from './service.js';

let service: Service;
let app: App;
let archive: Buffer;
beforeAll(async () => {
	archive = await datasetArchive('binary');
	service = await openService();
	app = await service.build({ projectBytes: 20_000 });
});
afterAll(() => service.close());

const upload = (url: string, project: string, payload: Buffer | string) => {
	const headers = { 'content-type': 'application/octet-stream', 'steelyard-project': project };
	return app.inject({ method: 'POST', url, headers, payload });
};
const model = (project: string, bytes: number) => upload('/v1/models', project, 'x'.repeat(bytes));

describe('a project', () => {
	it('takes no upload that would give it more bytes than it may have, says the numbers, and leaves nothing of that', async () => {
		const added = await model('one', 12_000);
		expect(added.statusCode).toBe(202);
		const more = expectProblem(await model('one', 12_000), 403, 'quota_exceeded');
		expect(more.detail).toMatch(/^The project one has 12\.\d kB of the 20\.0 kB .*, too much for 12\.0 kB more; delete/);
		expect(await service.store.list('uploads')).toEqual([]);
		expect((await app.inject({ url: '/v1/models', headers: { 'steelyard-project': 'one' } })).json().data).toHaveLength(1);
		// Another one is another one.
		expect((await model('two', 12_000)).statusCode).toBe(202);
	});

	it('that is full takes not even a small one, and takes jobs', async () => {
		for (let i = 0; i < 2; i++) expect((await model('three', 9000)).statusCode).toBe(202);
		expect((await model('three', 3000)).json()).toMatchObject({ code: 'quota_exceeded' });
		const dataset = (await upload('/v1/datasets?filename=a.zip', 'four', archive)).json().id;
		await model('four', 17_000);
		const headers = { 'steelyard-project': 'four' };
		const posted = await app.inject({ method: 'POST', url: '/v1/jobs', headers, payload: { dataset } });
		expect(posted.statusCode, posted.body).toBe(202);
	});
});

describe('the count of bytes', () => {
	let now: number;
	let entries: ReturnType<typeof vi.fn<Service['store']['entries']>>;
	let store: Service['store'];
	beforeEach(() => {
		now = Date.now();
		entries = vi.fn<Service['store']['entries']>((prefix) => service.store.entries(prefix));
		store = Object.assign(Object.create(service.store), { entries });
	});

	it('has datasets, models and jobs, and believes for a minute that there is room, but soon not any more that there is none', async () => {
		const dataset = await addDataset(service.app);
		await addModel(service.app, 'x'.repeat(5000));
		await addJob(service.app, dataset);
		const sum = async () => {
			const all = await Promise.all(['datasets', 'models', 'jobs'].map((prefix) => service.store.entries(prefix)));
			const own = await Promise.all(
				all.flat().map(async ({ key, bytes }) => {
					const [folder = '', id = ''] = key.split('/');
					const name = { datasets: 'dataset.json', models: 'model.json', jobs: 'job.json' }[folder];
					const record = JSON.parse(String(await service.store.get(`${folder}/${id}/${name}`)));
					return record.project === 'default' ? bytes : 0;
				}),
			);
			return own.reduce((total, bytes) => total + bytes, 0);
		};
		const bytes = await sum();
		expect(bytes).toBeGreaterThan(5000);
		const exact = createProjectBytes(store, createOwnerOf(store), bytes + 100, () => now);
		await Promise.all([exact.expect('default', 100), exact.expect('default'), exact.expect('other', bytes)]);
		const looked = entries.mock.calls.length;
		now += 59_000;
		await exact.expect('default', 100);
		expect(entries.mock.calls.length).toBe(looked);
		await expect(exact.expect('default', 101)).rejects.toMatchObject({ code: 'quota_exceeded' });
		expect(entries.mock.calls.length).toBe(2 * looked);
		await expect(exact.expect('default', 101)).rejects.toMatchObject({ code: 'quota_exceeded' });
		expect(entries.mock.calls.length).toBe(2 * looked);
		const added = await addModel(service.app, 'x'.repeat(99));
		now += 2000;
		await expect(exact.expect('default', 102)).rejects.toMatchObject({ code: 'quota_exceeded' });
		await service.app.inject({ method: 'DELETE', url: `/v1/models/${added}` });
		now += 2000;
		await exact.expect('default', 100);
	});

	it('is not made where there is no bound', async () => {
		await createProjectBytes(store, createOwnerOf(store), null).expect('default', 1e15);
		expect(entries).not.toHaveBeenCalled();
	});
});
