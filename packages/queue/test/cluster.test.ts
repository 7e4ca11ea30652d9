import { optionsOf } from '@steelyard/redis';
import { createId, openStore, type Store } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { on, openServers, type Server, type Servers } from '../../redis/test/forms.js';
import { BINARY, remove, temporaryFolder, until } from '../../redis/test/servers.js';
import { openQueue, type Queue } from '../src/index.js';
import { newJob, outcome, report } from './job.js';

/** A node of a cluster refuses commands and scripts whose keys are in several slots, also where it has all slots. */
describe.skipIf(BINARY === null)('the queue on a node of a Redis Cluster, with a prefix in braces', () => {
	let folder: string;
	let servers: Servers;
	let node: Server;
	let store: Store;
	let queue: Queue;
	const closers: (() => Promise<unknown>)[] = [];
	beforeEach(async () => {
		folder = await temporaryFolder();
		servers = openServers(BINARY as string, folder);
		node = await servers.startRedis(['cluster-enabled yes']);
		await on(node, (redis) => redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383'));
		await until(async () => /cluster_state:ok/.test(String(await on(node, (redis) => redis.call('CLUSTER', 'INFO')))));
		store = await openStore(`${folder}/store`);
		queue = await openQueue({ redis: optionsOf(`redis://127.0.0.1:${node.port}`), prefix: '{wards}', store });
	});
	afterEach(async () => {
		for (const close of closers.splice(0).reverse()) await close();
		await queue.close();
		await servers.close();
		await remove(folder);
	});

	it('keeps, delivers, ends, restores and removes jobs, inspects, and has all its keys in one slot', async () => {
		const slots = new Map<unknown, string>();
		const look = () =>
			on(node, async (redis) => {
				for (const key of await redis.keys('*')) slots.set(await redis.call('CLUSTER', 'KEYSLOT', key), key);
			});
		const ended = (id: string) => until(async () => (await queue.jobs.get(id))?.status === 'succeeded');
		const recent = () => ({ ...newJob(), created_at: Math.floor(Date.now() / 1000) });
		const request = { idempotencyKey: 'k', bodyHash: '1' };
		const first = await queue.jobs.create(recent(), request);
		const second = await queue.jobs.create(newJob());
		await queue.enqueue(first.id);
		await look();
		const work = queue.work({ process: async () => ({ status: 'succeeded', ...outcome }) });
		closers.push(() => work.close(5000));
		await ended(first.id);
		await ended(second.id);
		await look();

		const model = createId('mdl');
		await store.put(`models/${model}/model.json`, '{}');
		const inspecting = queue.inspections.work({ process: async () => ({ status: 'ready', report, error: null }) });
		closers.push(() => inspecting.close(5000));
		await queue.inspections.enqueue(model);
		await until(async () => (await queue.inspections.verdict(model)) !== null);
		await queue.tally.add({ steps: 1 } as never);
		await look();

		await on(node, (redis) => redis.flushall());
		expect(await queue.jobs.rebuild()).toBe(0);
		expect((await queue.jobs.create(recent(), request)).id).toBe(first.id);
		await queue.jobs.remove(second.id);
		const third = await queue.jobs.create(newJob());
		await queue.jobs.requestCancel(third.id).catch(() => null);
		await look();
		expect(slots.size).toBe(1);
		expect((await queue.health()).ok).toBe(true);
	});
});
