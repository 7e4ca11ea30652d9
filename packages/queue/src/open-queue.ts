import { connect, type Log, silent } from '@steelyard/redis';
import type { Store } from '@steelyard/store';
import type { RedisOptions } from 'ioredis';
import { openChanges } from './changes.js';
import { deliverLost } from './deliver-lost.js';
import { openDeliveries, openJobDeliveries } from './deliveries.js';
import { demandOf } from './demand.js';
import { openDispatch } from './dispatch.js';
import { openEvents } from './events.js';
import { healthOf } from './health.js';
import { openHub } from './hub.js';
import { openInspections } from './inspections.js';
import { openJobs } from './jobs.js';
import { keysOf } from './keys.js';
import { openMirror } from './mirror.js';
import { openNotices } from './notices.js';
import { orUnavailable, within } from './or-unavailable.js';
import { openPlacements } from './placements.js';
import { openPools } from './pools.js';
import { openPredictions } from './predictions.js';
import type { Queue } from './queue.js';
import { openReclaim } from './reclaim.js';
import { openRecords } from './records.js';
import { openRestoration } from './restoration.js';
import { openAttempts } from './result.js';
import { openSearch } from './search.js';
import { openSweeps } from './sweeps/sweeps.js';
import { openTally } from './tally.js';
import { startWork } from './work.js';
import { openWorkers } from './workers.js';

export type QueueOptions = {
	/** How to connect to Redis, as `launchRedis` gives it. */
	redis: RedisOptions;
	/** The beginning of every key, because a Redis may be shared; `steelyard` unless given. */
	prefix?: string;
	store: Store;
	/** The most jobs of a project that run at the same time, the same in all processes; any number unless given. */
	mostRunning?: number;
	/** The most milliseconds that a method waits for Redis, where somebody waits for an answer; unless given about 8,000 while Redis is away. */
	longestMs?: number;
	log?: Log;
};

/** How long each part may take to finish when the queue is closed, in milliseconds. */
const LONGEST_CLOSE = 1500;

/** Waits for something, at most `ms` milliseconds; a failure of it is no failure. */
const waitFor = (ms: number, what: Promise<unknown>): Promise<unknown> => within(ms, what).catch(() => null);

/** Opens the queue of an installation, which many processes may have open. Rejects where Redis does not answer for about 8 s. */
export async function openQueue({
	redis: options,
	prefix = 'steelyard',
	store,
	mostRunning: most,
	longestMs,
	log = silent,
}: QueueOptions): Promise<Queue> {
	const keys = keysOf(prefix);
	const redis = connect(options);
	redis.on('error', (error) => log.warn({ err: error }, 'the connection to Redis broke'));
	try {
		await redis.ping();
	} catch (error) {
		redis.disconnect();
		throw error;
	}
	const hub = openHub(options, keys);
	const mostRunning = most ?? null;
	const records = openRecords(redis, keys, mostRunning);
	const events = openEvents(redis, keys, records, store, hub);
	const mirror = openMirror(records, events, store, log);
	const placements = openPlacements(redis, keys);
	const pools = openPools(redis, keys);
	const deliveries = openJobDeliveries(redis, keys, log);
	const reclaim = openReclaim({ records, placements, deliveries, mirror });
	const steering = { records, placements, pools, deliveries, reclaim };
	const dispatch = openDispatch({ ...steering, mostRunning });
	const deliver = () => deliverLost({ ...steering, dispatch });
	const restoration = openRestoration({ redis, records, mirror, reclaim, store });
	const { restored } = restoration;
	const ms = longestMs ?? null;
	const { filling, revisions, findAll, ids, countIds } = records;
	// A search of many jobs may take longer: it is each of its steps that waits no longer for Redis.
	const search = openSearch(orUnavailable(ms, { filling, revisions, findAll, ids, countIds }));
	const jobs = openJobs({
		...{ redis, keys, records, events, mirror, restoration, reclaim, dispatch, search, store },
		...{ deliverLost: deliver, longestMs: ms },
	});
	/** Queues the jobs that a process left between two steps because it was killed, and those that Redis has lost; returns how many. */
	const sweep = async () => (await restored()) + (await deliver());
	const changes = openChanges({ redis, keys, records, hub, restored });
	const models = openDeliveries('inspection', redis, keys, log);
	const { work: inspect, ...inspections } = openInspections({ redis: options, keys, hub, deliveries: models, store, log });
	const told = openDeliveries('notice', redis, keys, log);
	const tally = openTally(redis, keys);
	const notices = openNotices({ redis: options, keys, records, mirror, deliveries: told, tally, store, log });
	const attempts = openAttempts({ records, store, mirror });
	const workers = openWorkers(redis, keys, pools, log);
	const sweeps = openSweeps({ store, jobs, enqueue: () => dispatch() });
	const predictions = openPredictions({ redis, options, keys, workers, log });

	return {
		jobs: {
			...orUnavailable(ms, jobs),
			// A job that comes about after its client was told that it did not. With a key the client can still ask for it.
			create: (job, request) => within(ms, jobs.create(job, request), (late) => request === undefined && void jobs.discard(late.id)),
			...orUnavailable(null, { rebuild: jobs.rebuild, list: jobs.list }),
		},
		events: { ...orUnavailable(ms, { append: events.append, read: events.read }), follow: events.follow },
		changes: orUnavailable(ms, changes),
		workers: orUnavailable(ms, {
			announce: workers.announce,
			withdraw: workers.withdraw,
			list: workers.list,
			abilities: workers.abilities,
			demand: () => demandOf(records, placements),
		}),
		tally: orUnavailable(ms, tally),
		inspections: {
			...orUnavailable(ms, inspections),
			rebuild: orUnavailable(null, { rebuild: inspections.rebuild }).rebuild,
			work: inspect,
		},
		predictions: { ask: predictions.ask, work: predictions.work },
		notices: { ...orUnavailable(ms, { waiting: notices.waiting }), work: notices.work },
		// Its steps wait for Redis each for itself.
		sweeps,
		...orUnavailable(ms, attempts),
		...orUnavailable(ms, { enqueue: dispatch }),
		work: (work) =>
			startWork(
				{ redis: options, keys, hub, records, placements, pools, dispatch, sweep, notices, sweeps, queue: { jobs, ...attempts } },
				{ log, ...work },
			),
		health: () => healthOf(redis, options, keys, mirror.trouble),
		async close() {
			hub.close();
			predictions.close();
			await waitFor(LONGEST_CLOSE, mirror.close());
			await waitFor(LONGEST_CLOSE, workers.close());
			await waitFor(LONGEST_CLOSE, Promise.all([deliveries.close(), models.close(), told.close()]));
			redis.disconnect();
		},
	};
}
