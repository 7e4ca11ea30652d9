import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createId, datasetKeys, jobKeys, listAttempts, listIds, openStore, type Store } from '../src/index.js';

let folder: string;
let store: Store;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-layout-'));
	store = await openStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lists the ids of one kind that have a folder, oldest first, and nothing else that lies there', async () => {
	const first = createId('job');
	await store.put(jobKeys.record(first), '{}');
	await store.put(jobKeys.events('job_zz'), '');
	await store.put(jobKeys.record('job_UPPER'), '{}');
	await store.put('jobs/job_file', '');
	await store.put(datasetKeys.record('ds_1'), '{}');
	expect(await listIds(store, 'job')).toEqual([first, 'job_zz']);
	expect(await listIds(store, 'ds')).toEqual(['ds_1']);
	expect(await listIds(store, 'mdl')).toEqual([]);
});

it('lists the attempts of a job, newest first', async () => {
	for (const attempt of [1, 2, 10]) await store.put(jobKeys.artifact('job_1', attempt, 'model.onnx'), '');
	await store.put(jobKeys.artifact('job_1', 2, 'model.onnx'), '{}');
	await store.put(`${jobKeys.attempts('job_1')}/notes/1.json`, '');
	expect(await listAttempts(store, 'job_1')).toEqual([10, 2, 1]);
	expect(await listAttempts(store, 'job_2')).toEqual([]);
});
