import type { RedisHandle } from '@steelyard/redis';
import { openStore, type Store } from '@steelyard/store';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { remove, temporaryFolder, type ways } from '../../redis/test/servers.js';

/** A Redis with a connection that sends commands as they are, and a store with its folder. */
export type Emptied = { redis: RedisHandle; raw: Redis; folder: string; store: Store };

/** Starts one Redis for the tests of a suite. Before each it is emptied, and `begin` is given it with a store of its own. */
export function withEmptiedRedis(start: (typeof ways)[number]['start'], begin: (emptied: Emptied) => void): void {
	let home: string;
	let redis: RedisHandle;
	let raw: Redis;
	let folder: string;
	beforeAll(async () => {
		home = await temporaryFolder();
		redis = await start(home);
		raw = new Redis({ ...redis.options, replyMapping: 'legacy' });
	});
	afterAll(async () => {
		raw.disconnect();
		await redis.close();
		await remove(home);
	});
	beforeEach(async () => {
		await raw.flushdb();
		folder = await temporaryFolder();
		begin({ redis, raw, folder, store: await openStore(folder) });
	});
	// What a suite closes after a test, it closes before this.
	afterEach(() => remove(folder));
}
