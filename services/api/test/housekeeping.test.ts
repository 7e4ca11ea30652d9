import { mkdir, utimes } from 'node:fs/promises';
import { parse, type Retention, type SweepResource, Usage } from '@steelyard/contracts';
import { jobKeys } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RetentionLimits, retain } from '../src/housekeeping/retention.js';
import { jobsInEveryState } from './job-states.js';
import { addDataset, addJob, addModel, openService, type Service } from './service.js';

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;

let service: Service;
let dataset: string;
beforeEach(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
});
afterEach(() => service.close());

const NONE: RetentionLimits = { days: null, count: null, bytes: null };
const retained = (limits: Partial<RetentionLimits> = {}, options: { dryRun?: boolean; now?: number } = {}) =>
	retain({ store: service.store, queue: service.queue, limits: { ...NONE, ...limits } }, options);
const keysOf = ({ orphans }: Retention) => orphans.first.map(({ key }) => key).sort();

/** Jobs that were cancelled one after another at these unix seconds, with an artifact of so many bytes. */
async function ended(times: readonly number[], bytes = 1000): Promise<string[]> {
	const ids: string[] = [];
	for (const finished_at of times) {
		const { id } = await addJob(service.app, dataset);
		await service.queue.jobs.transition(id, ['queued'], 'cancelled', { finished_at });
		await service.store.put(jobKeys.artifact(id, 1, 'model.onnx'), Buffer.alloc(bytes));
		ids.push(id);
	}
	return ids;
}

describe('the usage', () => {
	it('counts what lies in the data folder, and the disk', async () => {
		const usage = async () => parse(Usage, (await service.app.inject('/v1/usage')).json());
		const before = await usage();
		expect(before).toMatchObject({ object: 'usage', datasets: { count: 1 }, models: { count: 0, bytes: 0 }, jobs: { count: 0, bytes: 0 } });
		expect(before.disk.free_bytes).toBeGreaterThan(0);
		await addModel(service.app, 'a model');
		const { id } = await addJob(service.app, dataset);
		await service.store.put(`${jobKeys.checkpoints(id, 1)}/state.safetensors`, Buffer.alloc(500));
		await service.store.put('uploads/ds_0/upload.zip', Buffer.alloc(70));
		const after = await usage();
		expect(after.models.count).toBe(1);
		expect(after.jobs).toMatchObject({ count: 1, checkpoint_bytes: 500 });
		expect(after.jobs.bytes).toBeGreaterThan(500);
		expect(after.temporary).toEqual({ count: 1, bytes: 70 });
	});

	it('counts what of it belongs to the project that asks', async () => {
		const usage = async (project: string) =>
			parse(Usage, (await service.app.inject({ url: '/v1/usage', headers: { 'steelyard-project': project } })).json());
		await addModel(service.app);
		const { id } = await addJob(service.app, dataset);
		await service.store.put(jobKeys.artifact(id, 1, 'model.onnx'), Buffer.alloc(1234));
		// What has no record belongs to nobody.
		await service.store.put('models/mdl_0/model.onnx', Buffer.alloc(10));
		const all = await usage('default');
		expect(all.project).toMatchObject({
			name: 'default',
			datasets: all.datasets,
			models: { count: 1 },
			jobs: { count: 1, bytes: all.jobs.bytes },
		});
		expect(all.models).toEqual({ count: 2, bytes: all.project.models.bytes + 10 });
		expect(all.project.bytes).toBe(all.datasets.bytes + all.project.models.bytes + all.jobs.bytes);
		const none = { count: 0, bytes: 0 };
		expect((await usage('ward-3')).project).toEqual({ name: 'ward-3', bytes: 0, datasets: none, models: none, jobs: none });
	});

	it('is in lists of jobs too, for each of them', async () => {
		const { id } = await addJob(service.app, dataset);
		const bytes = async () => (await service.app.inject('/v1/jobs?name=first&limit=1')).json().data[0]?.bytes;
		await service.app.inject({ method: 'PATCH', url: `/v1/jobs/${id}`, payload: { name: 'first' } });
		const before = await bytes();
		expect(before).toBe((await service.store.stat(jobKeys.record(id)))?.bytes);
		await service.store.put(`${jobKeys.checkpoints(id, 1)}/0.safetensors`, Buffer.alloc(500));
		expect(await bytes()).toBe(before + 500);
	});
});

describe('retention', () => {
	it('removes nothing unless it is told to', async () => {
		const ids = await ended([1, 2, 3]);
		expect((await retained()).jobs).toEqual({ count: 0, bytes: 0, first: [] });
		for (const id of ids) expect(await service.queue.jobs.get(id)).not.toBeNull();
	});

	it.each<[string, Partial<RetentionLimits>, number[]]>([
		['age', { days: 1 }, [0, 1]],
		['count', { count: 1 }, [0, 1]],
		['bytes', { bytes: 6000 }, [0, 1]],
	])(
		'by %s keeps the jobs that ended last, says in a dry run which go, and leaves those that have not ended',
		async (reason, limits, gone) => {
			const now = 100 * DAY;
			const ids = await ended([(now - 3 * DAY) / 1000, (now - 2 * DAY) / 1000, (now - HOUR) / 1000], 4000);
			const waiting = await addJob(service.app, dataset);
			const names = gone.map((i) => ids[i] as string);
			const dry = await retained(limits, { dryRun: true, now });
			expect(dry.jobs.first.map((job) => [job.id, job.reason])).toEqual(names.reverse().map((id) => [id, reason]));
			expect(dry.jobs).toMatchObject({ count: 2 });
			expect(dry.jobs.bytes).toBeGreaterThan(8000);
			for (const id of ids) expect(await service.queue.jobs.get(id)).not.toBeNull();
			expect(await retained(limits, { now })).toEqual({ ...dry, dry_run: false });
			for (const [i, id] of ids.entries()) {
				expect((await service.queue.jobs.get(id)) === null).toBe(gone.includes(i));
				expect((await service.store.list(jobKeys.folder(id))).length === 0).toBe(gone.includes(i));
			}
			expect((await service.app.inject(`/v1/jobs/${waiting.id}`)).json()).toEqual(waiting);
			expect((await retained(limits, { now })).jobs.count).toBe(0);
		},
	);

	it('leaves the jobs of a sweep until it has ended, since it may train them further', async () => {
		const payload = {
			job: { dataset, training: { epochs: 9 } },
			space: { 'training.optimizer.learning_rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 } },
			pruning: { type: 'asha' },
			budget: { trials: 4 },
			concurrency: 2,
		};
		const sweep: SweepResource = (await service.app.inject({ method: 'POST', url: '/v1/sweeps', payload })).json();
		const [trial = ''] = sweep.trials.map(({ job }) => job);
		await service.queue.jobs.transition(trial, ['queued'], 'cancelled', { finished_at: 1 });
		const [other] = await ended([1]);
		expect((await retained({ count: 0 }, { dryRun: true })).jobs.first.map(({ id }) => id)).toEqual([other]);
		await service.app.inject({ method: 'POST', url: `/v1/sweeps/${sweep.id}/cancel` });
		expect((await retained({ count: 0 })).jobs.first.map(({ id }) => id)).toContain(trial);
		expect(await service.queue.jobs.get(trial)).toBeNull();
	});

	it('is asked for over HTTP, dry or not', async () => {
		const [id = ''] = await ended([1]);
		const app = await service.build({ retention: { ...NONE, count: 0 } });
		const ask = async (query: string): Promise<Retention> => (await app.inject({ method: 'POST', url: `/v1/retention${query}` })).json();
		expect(await ask('?dry_run=true')).toMatchObject({ object: 'retention', dry_run: true, jobs: { count: 1, first: [{ id }] } });
		expect(await service.queue.jobs.get(id)).not.toBeNull();
		expect(await ask('')).toMatchObject({ dry_run: false, jobs: { count: 1 } });
		expect(await service.queue.jobs.get(id)).toBeNull();
	});
});

describe('what interrupted processes have left', () => {
	it('is removed when it is an hour old, and nothing else is', async () => {
		const { store } = service;
		const jobs = await jobsInEveryState(service, dataset, {});
		const [succeeded, failed, running] = [jobs['succeeded'], jobs['failed'], jobs['running']] as [string, string, string];
		const model = await addModel(service.app);
		for (const id of [succeeded, failed, running])
			for (const name of ['checkpoints/1.safetensors', 'checkpoints/2.safetensors.part'])
				await store.put(jobKeys.artifact(id, 1, name), 'x');
		for (const id of Object.values(jobs)) await store.put(jobKeys.log(id, 1), '{}\n');
		await store.put(jobKeys.artifact(succeeded, 7, 'model.onnx'), 'of a stale attempt');
		await store.put('uploads/ds_0/upload.zip', 'x');
		await mkdir(store.path('uploads/mdl_0'));
		await store.put('datasets/ds_0/train_labels.npy', 'x');
		await store.put('models/mdl_0/model.onnx', 'x');
		await store.put('sweeps/swp_0/decisions/0.json', '{}');
		await store.put('sweeps/swp_1/sweep.json', '{}');
		await store.put('sweeps/swp_1/decisions/0.json', '{}');
		await store.put('jobs/job_0/attempts/1/model.onnx', 'x');
		await store.put('jobs/of-a-person/notes.txt', 'x');
		for (const name of ['dataset.json.damaged', 'train_labels.npy']) await store.put(`datasets/ds_1/${name}`, 'x');
		const before = await store.list('');
		const expected = [
			'datasets/ds_0',
			'jobs/job_0',
			`jobs/${failed}/attempts/1/checkpoints/2.safetensors.part`,
			`jobs/${succeeded}/attempts/1/checkpoints`,
			`jobs/${succeeded}/attempts/7`,
			'models/mdl_0',
			'sweeps/swp_0',
			'uploads/ds_0',
			'uploads/mdl_0',
		].sort();
		expect(keysOf(await retained())).toEqual([]);
		const later = Date.now() + 2 * HOUR;
		expect(keysOf(await retained({}, { dryRun: true, now: later }))).toEqual(expected);
		expect(await store.list('')).toEqual(before);
		await utimes(store.path('uploads/ds_0/upload.zip'), later / 1000, later / 1000);
		expect(keysOf(await retained({}, { now: later }))).toEqual(expected.filter((key) => key !== 'uploads/ds_0'));
		const isLeft = (key: string) => key === 'uploads/ds_0/upload.zip' || !expected.some((one) => key === one || key.startsWith(`${one}/`));
		expect(await store.list('')).toEqual(before.filter(isLeft));
		expect((await service.app.inject(`/v1/jobs/${succeeded}/model`)).statusCode).toBe(200);
		for (const url of [`/v1/datasets/${dataset}`, `/v1/models/${model}`, ...Object.values(jobs).map((id) => `/v1/jobs/${id}`)])
			expect((await service.app.inject(url)).statusCode, url).toBe(200);
	});
});
