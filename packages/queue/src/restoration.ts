import { isFinal, type JobResource, nullWhereNewer } from '@steelyard/contracts';
import { runIdOf } from '@steelyard/redis';
import { jobKeys, listIds, readRecord, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { Mirror } from './mirror.js';
import type { Reclaim } from './reclaim.js';
import { KEY_KEPT, type Records, type Request } from './records.js';
import { released } from './status.js';

/** How many records are read from the store at the same time. */
const TOGETHER = 64;

/** Whether a job has ended for good: a cancelled one can be resumed. */
const isDone = ({ status }: JobResource): boolean => status === 'succeeded' || status === 'failed';

export type Restoration = {
	/** Where Redis is new, was emptied, or may lack something, restores all jobs from the store first; returns how many of them are queued. */
	restored(): Promise<number>;
	/** Restores all jobs that only the store knows, and all ends that only it knows; returns how many of the jobs are queued. */
	restoreAll(): Promise<number>;
};

type Parts = { redis: Redis; records: Records; mirror: Mirror; reclaim: Reclaim; store: Store };

/** Opens what gives Redis back the jobs that only the store knows. */
export function openRestoration({ redis, records, mirror, reclaim, store }: Parts): Restoration {
	/** Notes again what the idempotency key of a job was used for. */
	async function restoreKey(job: JobResource): Promise<void> {
		const left = job.created_at * 1000 + KEY_KEPT - Date.now();
		const request = left > 0 ? await readRecord<Request>(store, jobKeys.request(job.id)) : null;
		if (request !== null) await records.noteUse(job, request, left);
	}

	/** Puts records back into Redis that only the store knows, but for those of a newer version of the service, which that puts back; returns how many these are, and how many of them are queued now. A job that was running then is running nowhere now. */
	async function restore(ids: readonly string[]): Promise<{ found: number; queued: number }> {
		const read = await Promise.all(ids.map((id) => readRecord<JobResource>(store, jobKeys.record(id)).catch(nullWhereNewer)));
		const found = read.filter((job) => job !== null);
		await Promise.all(found.map(restoreKey));
		await records.addDone(found.filter(isDone));
		let queued = 0;
		for (const job of found) {
			if (isDone(job)) continue;
			const restored = job.status === 'running' ? released(job).record : job;
			// The events of a job that has ended are in the store, where a new stream in Redis would hide them.
			if (!(await records.add(restored, !isFinal(job.status)))) continue;
			if (restored.status === 'queued') queued++;
			await mirror.follow(job);
		}
		return { found: found.length, queued };
	}

	/** Ends the jobs again whose end the store knows and this Redis has lost: one that was cancelled is not to run, nor one that has ended to end twice. */
	async function endAgain(): Promise<void> {
		// Of these the store has old records.
		const unsaved = new Set(await records.unsaved());
		for (const status of ['queued', 'running', 'paused'] as const)
			for (const id of await records.withStatus(status)) {
				const kept = unsaved.has(id) ? null : await readRecord<JobResource>(store, jobKeys.record(id)).catch(nullWhereNewer);
				if (kept === null || !isFinal(kept.status)) continue;
				// A cancelled job that was queued again has been reopened once more than the store knows.
				await records
					.change(id, (found) =>
						isFinal(found.status) || (found.reopened ?? 0) > (kept.reopened ?? 0)
							? null
							: { record: kept, mirrored: true, announced: true },
					)
					.catch(nullWhereNewer);
				await reclaim.withdraw(id);
			}
	}

	async function restoreAll(): Promise<number> {
		const run = await runIdOf(redis);
		const ids = await listIds(store, 'job');
		let [all, queued] = [0, 0];
		for (let i = 0; i < ids.length; i += TOGETHER) {
			const part = await restore(await records.unknown(ids.slice(i, i + TOGETHER)));
			all += part.found;
			queued += part.queued;
		}
		if (all > 0) await records.noteRestored();
		if ((await records.filling()) !== null && (await records.mayLack(run))) await endAgain();
		await records.markRestored();
		await records.markComplete(run);
		return queued;
	}

	/** How often a connection has come about, behind which may be another server each time; and how often it had when it was last seen that nothing is lacking. */
	let connections = 0;
	let whole = -1;
	redis.on('ready', () => connections++);

	/** Whether Redis has all jobs of the store. */
	async function isWhole(): Promise<boolean> {
		if ((await records.filling()) === null) return false;
		const now = connections;
		if (whole === now) return true;
		if (await records.mayLack(await runIdOf(redis))) return false;
		whole = now;
		return true;
	}

	let restoring: Promise<number> | null = null;
	async function restored(): Promise<number> {
		if (await isWhole()) return 0;
		restoring ??= restoreAll().finally(() => {
			restoring = null;
		});
		return restoring;
	}

	return { restored, restoreAll };
}
