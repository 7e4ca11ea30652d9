import { openQueue } from '@steelyard/queue';
import { datasetKeys, keyKeys, modelKeys, sweepKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../src/app.js';
import { addDataset, addModel, expectProblem, openService, type Service, silent } from './service.js';

let service: Service;
beforeAll(async () => {
	service = await openService();
});
afterAll(() => service.close());

const read = async (key: string) => JSON.parse(String(await service.store.get(key))) as object;
const write = (key: string, record: object) => service.store.put(key, JSON.stringify(record));
const get = (url: string) => service.app.inject(url);
const idsOf = async (url: string) => ((await get(url)).json() as { data: { id: string }[] }).data.map(({ id }) => id);

const SWEEP = (dataset: string) => ({
	job: { dataset },
	metric: 'accuracy',
	direction: 'maximise',
	space: { 'training.optimizer.learning_rate': { type: 'log-uniform', low: 1e-4, high: 1e-1 } },
	search: { type: 'random' },
	budget: { trials: 2 },
});
const postSweep = async () => {
	const dataset = await addDataset(service.app);
	const answer = await service.app.inject({ method: 'POST', url: '/v1/sweeps', payload: SWEEP(dataset) });
	expect(answer.statusCode, answer.body).toBe(202);
	return (answer.json() as { id: string }).id;
};

/** Another process over the same data, which has read nothing yet. */
async function openSecond() {
	const queue = await openQueue({ redis: service.redis.options, store: service.store });
	const app = await buildApp({
		config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1024 ** 2, modelLimit: 1024 ** 2 },
		...{ queue, store: service.store, log: silent },
	});
	await app.ready();
	const close = async () => {
		await app.close();
		await queue.close();
	};
	return { app, close };
}

/** What is kept of each kind, and how one is made. */
const KINDS = [
	['datasets', () => addDataset(service.app), [datasetKeys.record, datasetKeys.listed]],
	['models', () => addModel(service.app), [modelKeys.record]],
	['sweeps', postSweep, [sweepKeys.record]],
] as const;

describe.each(KINDS)('%s that a newer version has written', (plural, make, keys) => {
	it('are refused by name, left out of lists, and left as they are', async () => {
		const [known, newer] = [await make(), await make()];
		for (const key of keys) await write(key(newer), { ...(await read(key(newer))), schema_version: 2, invented: true });
		// A process that has not read it before, for what never changes is kept.
		const other = await openSecond();
		try {
			const answer = await other.app.inject(`/v1/${plural}/${newer}`);
			expectProblem(answer, 503, 'unavailable');
			expect(answer.body).toContain('was written by a newer version of Steelyard: its schema_version is 2');
			const listed = ((await other.app.inject(`/v1/${plural}`)).json() as { data: { id: string }[] }).data.map(({ id }) => id);
			expect(listed).toContain(known);
			expect(listed).not.toContain(newer);
			for (const key of keys) expect(await read(key(newer))).toMatchObject({ schema_version: 2, invented: true });
		} finally {
			await other.close();
		}
	});
});

it('names that were changed keep the fields that another version has added', async () => {
	const id = await addDataset(service.app);
	const rename = (name: string) => service.app.inject({ method: 'PATCH', url: `/v1/datasets/${id}`, payload: { name } });
	await rename('first');
	await write(datasetKeys.naming(id), { ...(await read(datasetKeys.naming(id))), invented: [1] });
	expect((await rename('second')).statusCode).toBe(200);
	expect(await read(datasetKeys.naming(id))).toMatchObject({ name: 'second', invented: [1] });
});

it('what the user of a sweep wants of it keeps the fields that another version has added', async () => {
	const id = await postSweep();
	const ask = (verb: string) => service.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/${verb}` });
	await ask('pause');
	await write(sweepKeys.wish(id), { ...(await read(sweepKeys.wish(id))), invented: [1] });
	expect((await ask('resume')).statusCode).toBe(200);
	expect(await read(sweepKeys.wish(id))).toEqual({ status: 'running', invented: [1] });
});

it('keys that a newer version has written are left out of the list', async () => {
	const make = async () => {
		const answer = await service.app.inject({ method: 'POST', url: '/v1/keys', payload: { name: 'Ada', scope: 'train' } });
		return (answer.json() as { id: string }).id;
	};
	const [known, newer] = [await make(), await make()];
	await write(keyKeys.record(newer), { ...(await read(keyKeys.record(newer))), schema_version: 2 });
	expect(await idsOf('/v1/keys')).toEqual([known]);
});
