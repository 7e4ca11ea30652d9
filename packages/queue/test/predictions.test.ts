import { ProblemError, type WorkerStatus } from '@steelyard/contracts';
import type { RedisHandle } from '@steelyard/redis';
import { openStore } from '@steelyard/store';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { remove, temporaryFolder, ways } from '../../redis/test/servers.js';
import { openQueue, type PredictionOrder, type Queue, type Work } from '../src/index.js';
import { byPreference } from '../src/predictions.js';

const workerOf = (id: string): WorkerStatus => ({
	id,
	pid: 1,
	started_at: 1,
	version: '0',
	devices: { cpu: { available: true }, cuda: { available: false, note: null } },
	jobs: [],
});
const orderOf = (job: string, body: Buffer = Buffer.from('{}')): PredictionOrder => ({ job, attempt: 2, type: 'json', body });

for (const { way, absent, start } of ways)
	describe.skipIf(absent)(`predictions on ${way}`, () => {
		let home: string;
		let redis: RedisHandle;
		let asking: Queue;
		let answering: Queue;
		const works: Work[] = [];
		beforeAll(async () => {
			home = await temporaryFolder();
			redis = await start(home);
		});
		afterAll(async () => {
			await redis.close();
			await remove(home);
		});
		beforeEach(async () => {
			const store = await openStore(home);
			asking = await openQueue({ redis: redis.options, store });
			answering = await openQueue({ redis: redis.options, store });
		});
		afterEach(async () => {
			for (const work of works.splice(0)) await work.close(1000);
			await asking.close();
			await answering.close();
		});

		/** Puts a worker on the list that answers so. */
		async function worker(id: string, answer: (order: PredictionOrder) => Promise<string>): Promise<void> {
			await answering.workers.announce(workerOf(id));
			works.push(await answering.predictions.work(id, answer));
		}

		it('are what a worker answers to an order, byte for byte', async () => {
			const orders: PredictionOrder[] = [];
			await worker('w1', async (order) => {
				orders.push(order);
				return `{"job":"${order.job}"} ü\n`;
			});
			const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256));
			expect((await asking.predictions.ask(orderOf('job_1', bytes))).toString()).toBe('{"job":"job_1"} ü\n');
			expect(orders).toEqual([orderOf('job_1', bytes)]);
		});

		it('that are asked at the same time get each its own answer', async () => {
			await worker('w1', async ({ job, body }) => `${job} ${body.toString()}`);
			const asked = Array.from({ length: 50 }, (_, i) => asking.predictions.ask(orderOf(`job_${i}`, Buffer.from(String(i)))));
			expect((await Promise.all(asked)).map(String)).toEqual(asked.map((_, i) => `job_${i} ${i}`));
		});

		it('are refused in the words of the worker, and without them where it has failed', async () => {
			await worker('w1', async ({ job }) => {
				if (job === 'job_2') throw new Error('a secret path');
				throw new ProblemError('invalid_request', 'rows.0.age: expected a number', 'rows.0.age');
			});
			await expect(asking.predictions.ask(orderOf('job_1'))).rejects.toMatchObject({
				code: 'invalid_request',
				message: 'rows.0.age: expected a number',
				param: 'rows.0.age',
			});
			await expect(asking.predictions.ask(orderOf('job_2'))).rejects.toMatchObject({ code: 'internal', message: 'Something went wrong' });
		});

		it('are unavailable where there is no worker, or none that listens', async () => {
			await expect(asking.predictions.ask(orderOf('job_1'))).rejects.toMatchObject({ code: 'unavailable' });
			await answering.workers.announce(workerOf('deaf'));
			await expect(asking.predictions.ask(orderOf('job_1'))).rejects.toMatchObject({ code: 'unavailable' });
		});

		it('of one job are asked of one worker, of many jobs of all', async () => {
			for (const id of ['w1', 'w2', 'w3']) await worker(id, async () => id);
			const who = async (job: string) => (await asking.predictions.ask(orderOf(job))).toString();
			expect(new Set([await who('job_7'), await who('job_7'), await who('job_7')]).size).toBe(1);
			expect(new Set(await Promise.all(Array.from({ length: 40 }, (_, i) => who(`job_${i}`)))).size).toBe(3);
		});

		it('are asked of the next worker where the first one goes before it has answered', async () => {
			const [first, second] = byPreference([{ id: 'w1' }, { id: 'w2' }], 'job_1') as [string, string];
			let taken = () => {};
			const isTaken = new Promise<void>((resolve) => {
				taken = resolve;
			});
			await worker(first, () => {
				taken();
				return new Promise(() => {});
			});
			await worker(second, async () => 'here');
			const answer = asking.predictions.ask(orderOf('job_1'));
			await isTaken;
			await answering.workers.withdraw(first);
			expect((await answer).toString()).toBe('here');
		});
	});

describe('the order in which workers are asked', () => {
	it('keeps to those that stay when another comes or goes', () => {
		const workers = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
		const without = (id: string) => workers.filter((worker) => worker.id !== id);
		for (const job of ['job_1', 'job_2', 'job_3'])
			for (const { id } of workers) expect(byPreference(without(id), job)).toEqual(byPreference(workers, job).filter((one) => one !== id));
	});
});
