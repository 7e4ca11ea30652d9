import { countIn, DEFAULT_PROJECT, type JobResource } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import { jobKeys, readRecord, type Store, webhookKeys } from '@steelyard/store';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until, ways } from '../../redis/test/servers.js';
import { openQueue, type Queue, type Work } from '../src/index.js';
import { withEmptiedRedis } from './emptied-redis.js';
import { newJob } from './job.js';

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`the notices of jobs on ${way}`, () => {
		let redis: RedisHandle;
		let raw: Redis;
		let store: Store;
		let queue: Queue;
		let sent: string[];
		const works: Work[] = [];

		/** Begins a worker, which first settles the jobs that have ended. */
		const settle = () => works.push(queue.work({ process: async () => expect.unreachable('no job runs here') }));
		const send = () => works.push(queue.notices.work({ send: async ({ job }) => void sent.push(job.id) }));
		const ended = async (): Promise<JobResource> => {
			const job = await queue.jobs.create(newJob());
			await queue.jobs.requestCancel(job.id);
			settle();
			return job;
		};
		/** Resolves once the store says that a notice was delivered. */
		const isDelivered = ({ id }: JobResource) =>
			until(async () => (await readRecord<JobResource>(store, jobKeys.record(id)))?.notified?.state === 'delivered');

		withEmptiedRedis(start, (emptied) => ({ redis, raw, store } = emptied));
		beforeEach(async () => {
			sent = [];
			const webhook = { url: 'https://example.com', on: ['cancelled'], secret: 'whsec_', created_at: 0 };
			await store.put(webhookKeys.record(DEFAULT_PROJECT), JSON.stringify(webhook));
			queue = await openQueue({ redis: redis.options, store });
		});
		afterEach(async () => {
			for (const work of works.splice(0)) await work.close(5000);
			await queue.close();
		});

		it('are sent where Redis was emptied before they were, and not again where they were sent before', async () => {
			const first = await ended();
			await until(async () => (await raw.exists(`steelyard:2:deliveries:notice:${first.id}`)) === 1);
			for (const work of works.splice(0)) await work.close(5000);
			await raw.flushdb();
			await queue.jobs.rebuild();
			send();
			settle();
			await isDelivered(first);
			await raw.flushdb();
			await queue.jobs.rebuild();
			const second = await ended();
			await isDelivered(second);
			expect(sent).toEqual([first.id, second.id]);
		});

		it('say in the record how far they have come', async () => {
			works.push(
				queue.notices.work({
					pauses: [3_600_000],
					send: async () => {
						throw new Error('nobody is there');
					},
				}),
			);
			const { id } = await ended();
			await until(async () => (await queue.jobs.get(id))?.notified !== undefined);
			const { notified } = (await queue.jobs.get(id)) as JobResource;
			expect(notified).toMatchObject({ state: 'pending', attempts: 1, error: 'nobody is there' });
			expect((notified?.next_attempt_at ?? 0) - (notified?.last_attempt_at ?? 0)).toBeGreaterThanOrEqual(3600);
			expect(await queue.notices.waiting()).toBe(1);
		});

		it('are counted while they wait, and by how each try ended', async () => {
			const first = await ended();
			await until(async () => (await queue.notices.waiting()) === 1);
			send();
			await isDelivered(first);
			await until(async () => (await queue.notices.waiting()) === 0);
			for (const work of works.splice(0)) await work.close(5000);
			const refuse = async (): Promise<void> => {
				throw new Error('nobody is there');
			};
			works.push(queue.notices.work({ pauses: [1], send: refuse }));
			await ended();
			await until(async () => countIn(await queue.tally.read(), 'notices')['given_up'] === 1);
			expect(countIn(await queue.tally.read(), 'notices')).toEqual({ delivered: 1, failed: 1, given_up: 1 });
		});
	});
