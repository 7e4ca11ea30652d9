import type { WorkerStatus } from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';
import type { Pools } from './pools.js';
import type { Workers } from './queue.js';

/** How long a worker stays on the list without a sign of life, in milliseconds, and how often it gives one. */
const KEPT = 15_000;
const SIGN_OF_LIFE = 5000;

export type Heartbeat = Omit<Workers, 'demand'> & { close(): Promise<void> };

/** Opens the list of living workers. Those that this process announced give signs of life until they are withdrawn. */
export function openWorkers(redis: Redis, keys: Keys, pools: Pools, log: Log): Heartbeat {
	const own = new Map<string, () => WorkerStatus>();
	let timer: NodeJS.Timeout | null = null;

	const write = (worker: WorkerStatus) =>
		redis.multi().set(keys.worker(worker.id), JSON.stringify(worker), 'PX', KEPT).sadd(keys.workers, worker.id).exec();

	const withdraw = async (id: string) => {
		own.delete(id);
		await redis.multi().del(keys.worker(id)).srem(keys.workers, id).exec();
	};

	return {
		async announce(worker) {
			const tell = typeof worker === 'function' ? worker : () => worker;
			const now = tell();
			own.set(now.id, tell);
			timer ??= setInterval(() => {
				for (const tell of own.values())
					write(tell()).catch((error: unknown) => log.warn({ err: error }, 'the worker could not give a sign of life'));
			}, SIGN_OF_LIFE).unref();
			await write(now);
		},
		withdraw,
		async list() {
			const ids = (await redis.smembers(keys.workers)).sort();
			if (ids.length === 0) return [];
			const statuses = await redis.mget(ids.map(keys.worker));
			const gone = ids.filter((_, at) => statuses[at] === null);
			if (gone.length > 0) await redis.srem(keys.workers, ...gone);
			return statuses.flatMap((text) => (text ? [JSON.parse(text) as WorkerStatus] : []));
		},
		async abilities() {
			const { living, seen } = await pools.look();
			return { living: living.map(({ abilities, workers, slots }) => ({ abilities, workers, slots })), seen };
		},
		async close() {
			if (timer !== null) clearInterval(timer);
			await Promise.all([...own.keys()].map(withdraw));
		},
	};
}
