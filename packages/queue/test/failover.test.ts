import { isFinal, type JobStatus } from '@steelyard/contracts';
import { optionsOf } from '@steelyard/redis';
import { openStore, type Store } from '@steelyard/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namesAnother, on, openServers, type Servers, startWatched } from '../../redis/test/forms.js';
import { BINARY, remove, temporaryFolder, until } from '../../redis/test/servers.js';
import { openQueue, type Queue, type Work } from '../src/index.js';
import { newJob, outcome } from './job.js';

describe.skipIf(BINARY === null)('the queue on a master, a replica and a sentinel', () => {
	let folder: string;
	let servers: Servers;
	let store: Store;
	let queue: Queue;
	let watched: Awaited<ReturnType<typeof startWatched>>;
	const works: Work[] = [];
	beforeEach(async () => {
		folder = await temporaryFolder();
		servers = openServers(BINARY as string, folder);
		watched = await startWatched(servers);
		store = await openStore(`${folder}/store`);
		queue = await openQueue({ redis: optionsOf(watched.url), store });
	});
	afterEach(async () => {
		for (const one of works.splice(0)) await one.close(5000);
		await queue.close();
		await servers.close();
		await remove(folder);
	});

	const post = async (): Promise<string> => {
		const { id } = await queue.jobs.create(newJob());
		await queue.enqueue(id);
		return id;
	};
	const statusOf = async (id: string): Promise<JobStatus | null> => (await queue.jobs.get(id).catch(() => null))?.status ?? null;

	it('goes on after the master was killed; what only it knew is given back by the store, and no job is lost or ends twice', async () => {
		const { master, replica, sentinel } = watched;
		const [ended, running, waiting, cancelled] = [await post(), await post(), await post(), await post()] as const;
		const runs: string[] = [];
		let letEnd = (): void => {};
		const mayEnd = new Promise<void>((resolve) => (letEnd = resolve));
		const train = async (id: string) => {
			runs.push(id);
			if (id !== ended) await mayEnd;
			return { status: 'succeeded' as const, ...outcome };
		};
		await on(master, (redis) => redis.wait(1, 0));

		// From here on the replica gets nothing, and what is answered is in the master and in the store alone.
		process.kill(replica.pid, 'SIGSTOP');
		await on(master, (redis) => redis.client('KILL', 'TYPE', 'REPLICA'));
		works.push(queue.work({ process: train, lockMs: 1000, checkMs: 100 }));
		await until(async () => (await statusOf(ended)) === 'succeeded' && (await statusOf(running)) === 'running');
		const late = await post();
		await queue.jobs.requestCancel(cancelled);

		await master.kill('SIGKILL');
		process.kill(replica.pid, 'SIGCONT');
		await namesAnother(sentinel, master.port);
		letEnd();
		const all = [ended, running, waiting, cancelled, late];
		await until(async () => (await Promise.all(all.map(statusOf))).every((status) => status !== null && isFinal(status)));

		expect(await Promise.all(all.map(statusOf))).toEqual(['succeeded', 'succeeded', 'succeeded', 'cancelled', 'succeeded']);
		expect(runs.filter((id) => id === ended)).toHaveLength(1);
		expect(runs).not.toContain(cancelled);
		for (const id of all) {
			const ends = (await queue.events.read(id, { limit: 1000 })).filter((event) => event.type === 'status' && isFinal(event.status));
			expect(ends).toHaveLength(1);
		}
		const after = await post();
		await until(async () => (await statusOf(after)) === 'succeeded');
	});
});
