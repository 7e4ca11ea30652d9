import { isFinal, type JobResource } from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import { jobKeys, type Store } from '@steelyard/store';
import type { EventLog } from './events.js';
import type { Records } from './records.js';

/** How often what could not be written is tried again, in milliseconds. */
const AGAIN = 10_000;

export type Mirror = {
	/** Writes a job's record to the store, and when it has ended its events. Rejects where the store cannot be written; it is then tried again. */
	save(id: string): Promise<void>;
	/** As `save` for a change that has happened in Redis, which is what counts: what cannot be written now is written later. Gives the job back. */
	follow<T extends JobResource | null>(job: T): Promise<T>;
	/** As `save`, for all that is behind: what a killed process left, or a full disk held up. Rejects with the first failure. */
	saveAll(): Promise<void>;
	/** Why the store is behind, or null. */
	trouble(): string | null;
	/** Waits for what is being written. */
	close(): Promise<void>;
};

/** Keeps the store's copy of the records up to those in Redis. */
export function openMirror(records: Records, events: EventLog, store: Store, log: Log): Mirror {
	let trouble: string | null = null;
	const underWay = new Set<Promise<void>>();

	async function write(id: string): Promise<void> {
		// Two that write at once can do so in either order; whoever finds the record changed since writes once more.
		for (let current = false; !current; ) {
			const found = await records.toSave(id);
			if (found === null) return;
			const ended = isFinal(found.record.status);
			if (ended) await events.save(id);
			await store.put(jobKeys.record(id), `${JSON.stringify(found.record, null, '\t')}\n`);
			current = await records.saved(id, found.turn);
			if (current && ended) await events.release(id);
		}
	}

	async function save(id: string): Promise<void> {
		const writing = write(id);
		underWay.add(writing);
		await writing.finally(() => underWay.delete(writing));
	}

	async function follow<T extends JobResource | null>(job: T): Promise<T> {
		if (job !== null)
			await save(job.id).catch((error: unknown) => log.warn({ err: error, job: job.id }, 'a job record waits to be written'));
		return job;
	}

	async function saveAll(): Promise<void> {
		try {
			for (const id of await records.unsaved()) await save(id);
			trouble = null;
		} catch (error) {
			trouble = `job records wait to be written: ${(error as Error).message}`;
			throw error;
		}
	}

	const timer = setInterval(() => {
		saveAll().catch((error: unknown) => log.warn({ err: error }, 'job records wait to be written'));
	}, AGAIN);
	timer.unref();

	return {
		save,
		follow,
		saveAll,
		trouble: () => trouble,
		async close() {
			clearInterval(timer);
			await Promise.allSettled(underWay);
		},
	};
}
