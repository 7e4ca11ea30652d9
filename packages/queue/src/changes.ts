import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type JobListChange, listedJob } from '@steelyard/contracts';
import { runIdOf } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import type { ChangeAt, Changes } from './queue.js';
import type { Records } from './records.js';

/** How many changes are read at a time. */
const BATCH = 100;
/** Milliseconds for which changes are gathered, so that a job that changes often is told of once. */
const GATHERED = 250;
/** Milliseconds without a message after which changes are read all the same, in case a message was lost. */
const READ_AGAIN = 5000;

type Parts = {
	redis: Redis;
	keys: Keys;
	records: Records;
	hub: Hub;
	/** Where Redis is new, or was emptied, restores all jobs first. */
	restored: () => Promise<number>;
};

/** A place among the changes of a project: after the change of a number, in all that one run of a server was filled with. */
type Place = { run: string; epoch: string; number: number };

const cursorOf = ({ epoch, number }: Place): string => `${epoch}-${number}`;

/** Opens the changes of the lists of jobs. */
export function openChanges({ redis, keys, records, hub, restored }: Parts): Changes {
	/** What names all that a run of the server was filled with; null where it was emptied. A server that was started again may have lost its last second. */
	async function epochOf(run: string): Promise<string | null> {
		const [rebuilt, restorations] = await redis.mget(keys.rebuilt, keys.restorations);
		if (!rebuilt) return null;
		return createHash('sha256').update(`${run} ${rebuilt} ${restorations}`).digest('hex').slice(0, 16);
	}

	async function numbersOf(project: string): Promise<{ last: number; trimmed: number }> {
		const [last, trimmed] = await redis.hmget(keys.change(project), 'last', 'trimmed');
		return { last: Number(last ?? 0), trimmed: Number(trimmed ?? 0) };
	}

	/** The place after all changes of a project, with all jobs in Redis. */
	async function placeNow(project: string): Promise<Place> {
		for (;;) {
			await restored();
			const run = await runIdOf(redis);
			const epoch = await epochOf(run);
			if (epoch !== null) return { run, epoch, number: (await numbersOf(project)).last };
		}
	}

	/** The first changes after a place, each with its number; null where not all that changed since can be told. */
	async function read(project: string, place: Place): Promise<{ number: number; change: JobListChange }[] | null> {
		const found = await redis.zrangebyscore(keys.changes(project), `(${place.number}`, '+inf', 'WITHSCORES', 'LIMIT', 0, BATCH);
		const ids = found.filter((_, i) => i % 2 === 0);
		const jobs = new Map((await records.findAll(ids)).map(({ record }) => [record.id, record]));
		// Read after the changes: they are whole where nothing was lost until now.
		const [epoch, { trimmed }] = await Promise.all([epochOf(place.run), numbersOf(project)]);
		if (epoch !== place.epoch || trimmed > place.number) return null;
		return ids.map((id, i) => {
			const job = jobs.get(id);
			return {
				number: Number(found[2 * i + 1]),
				change: job === undefined ? { type: 'deleted', id } : { type: 'changed', job: listedJob(job) },
			};
		});
	}

	return {
		async follow(project, after, signal) {
			let heard = true;
			let wasCut = false;
			let wake = () => {};
			const notice = () => {
				heard = true;
				wake();
			};
			const leave = await hub.listen('changed', (about) => {
				wasCut ||= about === null;
				if (about === null || about === project) notice();
			});
			const end = () => {
				leave();
				notice();
			};
			signal.addEventListener('abort', end, { once: true });
			if (signal.aborted) end();
			let place = await placeNow(project);
			const [epoch, number] = after?.split('-') ?? [];
			let isKnown = epoch === place.epoch && Number(number) <= place.number;
			if (isKnown) place.number = Number(number);

			async function* changes(): AsyncGenerator<ChangeAt, void, undefined> {
				try {
					while (!signal.aborted) {
						heard = false;
						if (!isKnown) yield { cursor: cursorOf(place), change: { type: 'reset' } };
						if (wasCut) {
							// It may be another server.
							wasCut = false;
							place.run = await runIdOf(redis);
						}
						const page = await read(project, place);
						isKnown = page !== null;
						if (page === null) {
							place = await placeNow(project);
							continue;
						}
						for (const { number, change } of page) {
							if (signal.aborted) return;
							place.number = number;
							yield { cursor: cursorOf(place), change };
						}
						if (page.length === BATCH) continue;
						let timer: NodeJS.Timeout | undefined;
						await new Promise<void>((resolve) => {
							wake = resolve;
							timer = setTimeout(resolve, READ_AGAIN);
							if (heard || signal.aborted) resolve();
						});
						clearTimeout(timer);
						await delay(GATHERED, null, { signal }).catch(() => null);
					}
				} finally {
					signal.removeEventListener('abort', end);
					leave();
				}
			}
			return changes();
		},
	};
}
