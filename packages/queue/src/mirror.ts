import { isFinal, type JobResource, logFieldsOf, nullWhereNewer } from '@steelyard/contracts';
import type { Log } from '@steelyard/redis';
import { jobKeys, type Store } from '@steelyard/store';
import type { EventLog } from './events.js';
import type { Records } from './records.js';

/** Milliseconds between two tries to write what could not be written. */
const TRY_AGAIN = 10_000;

export type Mirror = {
	/**
	 * Writes the record of a job, as it is in Redis now, to the store, and its events too when it has ended. Where Redis is emptied meanwhile the record stays
	 * in the store, from which it is restored. Rejects where the store cannot be written; it is then tried again later.
	 */
	save(job: JobResource): Promise<void>;
	/** Saves a job whose record has changed in Redis. Never rejects: what cannot be written now is written later. Resolves with the same job. */
	follow<T extends JobResource | null>(job: T): Promise<T>;
	/** Saves every job whose copy in the store is old, because a process was killed or the disk was full, but for those of a newer version of the service. Rejects with the first failure. */
	saveAll(): Promise<void>;
	/** Why copies in the store are old, or null. */
	trouble(): string | null;
	/** Waits until what is being written is written. */
	close(): Promise<void>;
};

/** Keeps the copies of the records in the store equal to the records in Redis. */
export function openMirror(records: Records, events: EventLog, store: Store, log: Log): Mirror {
	let trouble: string | null = null;
	const writes = new Set<Promise<void>>();

	const put = (record: JobResource) => store.put(jobKeys.record(record.id), `${JSON.stringify(record, null, '\t')}\n`);

	/** Writes a record; `known` is what it was last known to be, null where nothing is known but that it was there. */
	async function write(id: string, known: JobResource | null): Promise<void> {
		const filling = await records.filling();
		// Two processes that write at once can do so in either order. The one that then finds the record changed writes once more.
		for (let current = false, written = false; !current; written = true) {
			const found = await records.findTurn(id);
			if (found === null) {
				if (filling === null || (await records.filling()) !== filling) {
					// Redis was emptied meanwhile, and does not know what was written or is to be.
					if (!written && known !== null) {
						if (isFinal(known.status)) await events.save(known);
						await put(known);
					}
					await records.markIncomplete();
				} else if (written) {
					// The job was deleted meanwhile, and would come back from what was written after that.
					await store.remove(jobKeys.folder(id));
				}
				return;
			}
			const ended = isFinal(found.record.status);
			if (ended) await events.save(found.record);
			await put(found.record);
			current = await records.saved(id, found.turn);
			if (current && ended) await events.release(id);
		}
	}

	async function track(writing: Promise<void>): Promise<void> {
		writes.add(writing);
		await writing.finally(() => writes.delete(writing));
	}

	const save = (job: JobResource) => track(write(job.id, job));

	async function follow<T extends JobResource | null>(job: T): Promise<T> {
		if (job !== null)
			await save(job).catch((error: unknown) => log.warn({ err: error, ...logFieldsOf(job) }, 'a job record waits to be written'));
		return job;
	}

	async function saveAll(): Promise<void> {
		try {
			for (const id of await records.unsaved()) await track(write(id, null)).catch(nullWhereNewer);
			trouble = null;
		} catch (error) {
			trouble = `job records wait to be written: ${(error as Error).message}`;
			throw error;
		}
	}

	const timer = setInterval(() => {
		saveAll().catch((error: unknown) => log.warn({ err: error }, 'job records wait to be written'));
	}, TRY_AGAIN);
	timer.unref();

	return {
		save,
		follow,
		saveAll,
		trouble: () => trouble,
		async close() {
			clearInterval(timer);
			await Promise.allSettled(writes);
		},
	};
}
