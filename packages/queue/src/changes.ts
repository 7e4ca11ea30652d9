import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type JobListChange, listedJob } from '@steelyard/contracts';
import { runIdOf } from '@steelyard/redis';
import type { Redis } from 'ioredis';
import type { Hub } from './hub.js';
import type { Keys } from './keys.js';
import type { ChangeAt, Changes } from './queue.js';
import { CHANGES_KEPT, type Records } from './records.js';

/** How many records are read at a time. */
const BATCH = 100;
/** How many slots are read by one command. */
const SLOTS = 1000;
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

	/** How often jobs of a project have changed. */
	const lastOf = async (project: string): Promise<number> => Number((await redis.get(keys.changes(project))) ?? 0);

	/** The place after all changes of a project, with all jobs in Redis. */
	async function placeNow(project: string): Promise<Place> {
		for (;;) {
			await restored();
			const run = await runIdOf(redis);
			const epoch = await epochOf(run);
			if (epoch !== null) return { run, epoch, number: await lastOf(project) };
		}
	}

	/** The jobs that have changed after a place, each once, with the number of its last change; null where not all of them are known any more. */
	async function changedAfter(project: string, place: Place): Promise<[id: string, number: number][] | null> {
		const last = await lastOf(project);
		const changed = new Map<string, number>();
		if (last - place.number > CHANGES_KEPT) return null;
		for (let from = place.number + 1; from <= last; from += SLOTS) {
			const numbers = Array.from({ length: Math.min(SLOTS, last - from + 1) }, (_, i) => from + i);
			const ids = await redis.mget(numbers.map((number) => keys.change(project, number % CHANGES_KEPT)));
			for (const [i, id] of ids.entries()) {
				if (id === null) return null;
				changed.delete(id);
				changed.set(id, from + i);
			}
		}
		// Later changes have taken no slot that was read.
		return (await lastOf(project)) - place.number > CHANGES_KEPT ? null : [...changed];
	}

	/** What jobs are now; null where Redis is not what the place is in. */
	async function changesOf(ids: readonly string[], place: Place): Promise<JobListChange[] | null> {
		const jobs = new Map((await records.findAll(ids)).map(({ record }) => [record.id, record]));
		if ((await epochOf(place.run)) !== place.epoch) return null;
		return ids.map((id) => {
			const job = jobs.get(id);
			return job === undefined ? { type: 'deleted', id } : { type: 'changed', job: listedJob(job) };
		});
	}

	/** The changes after a place, which moves with them; returns whether Redis knows all that there were. */
	async function* changesAfter(project: string, place: Place, signal: AbortSignal): AsyncGenerator<ChangeAt, boolean, undefined> {
		const changed = await changedAfter(project, place);
		if (changed === null) return false;
		let from = 0;
		do {
			const part = changed.slice(from, from + BATCH);
			const changes = await changesOf(
				part.map(([id]) => id),
				place,
			);
			if (changes === null) return false;
			for (const [i, change] of changes.entries()) {
				if (signal.aborted) return true;
				place.number = part[i]?.[1] ?? place.number;
				yield { cursor: cursorOf(place), change };
			}
			from += BATCH;
		} while (from < changed.length);
		return true;
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
						isKnown = yield* changesAfter(project, place, signal);
						if (!isKnown) {
							place = await placeNow(project);
							continue;
						}
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
