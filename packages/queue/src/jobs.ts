import { createHash } from 'node:crypto';
import {
	abilitiesIn,
	changedMetadata,
	isFinal,
	JOB_STATUSES,
	type JobChange,
	type JobResource,
	type JobSpec,
	type JobStatus,
	nullWhereNewer,
	ProblemError,
} from '@steelyard/contracts';
import { runIdOf } from '@steelyard/redis';
import { jobKeys, listIds, readRecord, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { JobDeliveries } from './deliveries.js';
import type { Dispatch } from './dispatch.js';
import type { EventLog } from './events.js';
import type { Keys } from './keys.js';
import type { Mirror } from './mirror.js';
import { within } from './or-unavailable.js';
import { FORMER_QUEUE, type Placements } from './placements.js';
import { type Pools, queueOf } from './pools.js';
import type { IdempotentRequest, Jobs } from './queue.js';
import type { Reclaim } from './reclaim.js';
import { type Change, KEY_KEPT, type Records, type Request, type UseOfKey } from './records.js';
import type { Search } from './search.js';
import { moved, released } from './status.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** How many records are read from the store at the same time. */
const TOGETHER = 64;

const requestOf = ({ idempotencyKey, bodyHash }: IdempotentRequest): Request => ({ key: sha256(idempotencyKey), body: bodyHash });

type Parts = {
	redis: Redis;
	keys: Keys;
	records: Records;
	events: EventLog;
	mirror: Mirror;
	placements: Placements;
	pools: Pools;
	deliveries: JobDeliveries;
	reclaim: Reclaim;
	dispatch: Dispatch;
	search: Search;
	store: Store;
	/** The most milliseconds that a list waits for the jobs that only the store knows; null for any number. */
	longestMs: number | null;
};

/** Whether a job has ended for good: a cancelled one can be resumed. */
const isDone = ({ status }: JobResource): boolean => status === 'succeeded' || status === 'failed';

/** A spec with another name, where `change` has one or null, and with changed metadata. */
function annotated({ name: before, ...spec }: JobSpec, { name = before, metadata }: JobChange): JobSpec {
	return { ...spec, ...(name === undefined || name === null ? {} : { name }), metadata: changedMetadata(spec.metadata, metadata) };
}

const has = ({ status }: Pick<JobResource, 'status'>): string => `${status === 'cancelled' ? 'is' : 'has'} already ${status}`;

/** Opens the records of the jobs. `sweep` is to be called from time to time by whoever runs jobs. */
export function openJobs({
	redis,
	keys,
	records,
	events,
	mirror,
	placements,
	pools,
	deliveries,
	reclaim,
	dispatch,
	search,
	store,
	longestMs,
}: Parts): {
	jobs: Jobs;
	/** Where Redis is new, or was emptied, restores all jobs from the store first; returns how many of them are queued. */
	restored: () => Promise<number>;
	sweep: () => Promise<number>;
} {
	const transition: Jobs['transition'] = async (id, from, to, patch = {}, attempt) => {
		const changed = await records.change(id, (job) => {
			if (!from.includes(job.status) || (attempt !== undefined && job.attempt !== attempt)) return null;
			return moved(job, to, patch);
		});
		return mirror.follow(changed);
	};

	/** Notes again what the idempotency key of a job was used for. */
	async function restoreKey(job: JobResource): Promise<void> {
		const left = job.created_at * 1000 + KEY_KEPT - Date.now();
		const request = left > 0 ? await readRecord<Request>(store, jobKeys.request(job.id)) : null;
		if (request !== null) await records.noteUse(job, request, left);
	}

	/** Takes a job that does not wait any more out of the queue, where another now takes its place. */
	async function withdraw(id: string): Promise<void> {
		const queue = await placements.queueOf(id);
		if (await deliveries.of(queue).withdraw(id)) await placements.unplace(id, queue);
		await dispatch();
	}

	/**
	 * Changes a job as a user asks for it. `next` gives the change, null where there is nothing to change, and words where the state of the job forbids it. Throws
	 * ProblemError `not_found` and `conflict`. `changed`: whether there was anything to change.
	 */
	async function ask(id: string, next: (job: JobResource) => Change | string | null): Promise<{ job: JobResource; changed: boolean }> {
		const changed = await records.change(id, (job) => {
			const change = next(job);
			if (typeof change === 'string') throw new ProblemError('conflict', change, 'id');
			return change;
		});
		const job = changed ?? (await records.find(id))?.record;
		if (job === undefined) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
		await mirror.follow(changed);
		return { job, changed: changed !== null };
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
				await withdraw(id);
			}
	}

	/** Restores all jobs that only the store knows, and all ends that only it knows; returns how many of the jobs are queued. */
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

	/** Writes a new job to the store, after what its idempotency key was used for: where the one is there, so is the other. */
	async function keep(job: JobResource, request: Request | null): Promise<void> {
		if (request !== null) await store.put(jobKeys.request(job.id), JSON.stringify(request));
		await mirror.save(job);
	}

	/** The job that an idempotency key was used for. Throws ProblemError where that was with another body. */
	async function firstOf({ id, body }: UseOfKey, request: Request): Promise<JobResource> {
		if (body !== request.body)
			throw new ProblemError('idempotency_mismatch', `The idempotency key made ${id} from another body`, 'Idempotency-Key');
		const first = await records.find(id);
		if (first === null)
			throw new ProblemError('conflict', 'The first request with this idempotency key has just failed: try again', 'Idempotency-Key');
		// Whoever made the job may have been killed before it was in the store, and this is answered too.
		if ((await store.stat(jobKeys.record(id))) === null) await keep(first.record, request);
		return first.record;
	}

	/**
	 * Queues again the jobs that run by their records and that BullMQ does not know, whose workers are gone, and what a worker of a version left that had one queue for all; forgets what no
	 * worker had for a day; and hands over what is next. Returns how many were lost.
	 */
	async function deliverLost(): Promise<number> {
		const read = async (ids: readonly string[]) => (await records.findAll(ids)).map(({ record }) => record);
		for (const project of await records.projects()) await placements.mend(project, read);
		let lost = await reclaim.abandoned(FORMER_QUEUE);
		for (const id of await records.withStatus('running')) {
			if (await placements.isHeld(id)) continue;
			if (await reclaim.lost(id)) lost++;
		}
		await dispatch();
		for (const abilities of (await pools.look()).forgotten)
			if ((await deliveries.of(queueOf(abilitiesIn(abilities))).held()) === 0) await pools.forget(abilities);
		return lost;
	}

	/** Removes a job whatever its state, and the use of its idempotency key. */
	async function takeBack(id: string, key: string | undefined): Promise<void> {
		let found = await records.find(id);
		while (found !== null && (await records.forget(found, key)) === 'changed') found = await records.find(id);
		await store.remove(jobKeys.folder(id));
	}

	const jobs: Jobs = {
		async create(job, given) {
			const request = given === undefined ? null : requestOf(given);
			await restored();
			if (request !== null) {
				const known = await records.addOnce(job, request);
				if (known !== null) return firstOf(known, request);
			} else if (!(await records.add(job))) throw new ProblemError('conflict', `There is a job ${job.id} already`, 'id');
			try {
				await keep(job, request);
			} catch (error) {
				await takeBack(job.id, request?.key);
				throw error;
			}
			return job;
		},

		async repeated({ project, ...given }) {
			await restored();
			const request = requestOf(given);
			const known = await records.usedFor(project, request.key);
			return known === null ? null : firstOf(known, request);
		},

		async get(id) {
			const found = await records.find(id);
			if (found !== null) return found.record;
			await restored();
			return (await records.find(id))?.record ?? null;
		},

		async projects() {
			await restored();
			return records.projects();
		},

		async list(wanted) {
			await within(longestMs, restored());
			return search(wanted);
		},

		async annotate(id, change) {
			await restored();
			const changed = await records.change(id, (job) => ({
				record: { ...job, spec: annotated(job.spec, change) },
				mirrored: true,
				announced: false,
			}));
			if (changed === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
			await mirror.save(changed);
			return changed;
		},

		update: (id, patch, attempt) =>
			records.change(id, (job) => {
				if (isFinal(job.status) || (attempt !== undefined && job.attempt !== attempt)) return null;
				return { record: { ...job, ...patch }, mirrored: false, announced: false };
			}),

		transition,

		async requestCancel(id) {
			for (;;) {
				const cancelled = await transition(id, ['queued', 'paused'], 'cancelled', { cancel_requested: true });
				if (cancelled !== null) {
					await withdraw(id);
					return cancelled;
				}
				const asked = await records.change(id, (job) =>
					job.status === 'running' ? { record: { ...job, cancel_requested: true }, mirrored: true, announced: false } : null,
				);
				if (asked !== null) {
					await redis.publish(keys.stop, id);
					return mirror.follow(asked);
				}
				const found = await records.find(id);
				if (found === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
				if (isFinal(found.record.status)) throw new ProblemError('job_not_cancellable', `${id} ${has(found.record)}`, 'id');
			}
		},

		async requestPause(id) {
			const { job, changed } = await ask(id, (found) => {
				if (isFinal(found.status)) return `${id} ${has(found)}, and cannot be paused`;
				if (found.cancel_requested) return `${id} is being cancelled, and cannot be paused`;
				if (found.status === 'queued') return moved(found, 'paused');
				if (found.status === 'paused' || found.pause_requested) return null;
				return { record: { ...found, pause_requested: true }, mirrored: true, announced: false };
			});
			if (job.status === 'paused') await withdraw(id);
			else if (changed) await redis.publish(keys.stop, id);
			return job;
		},

		async requestResume(id) {
			const before = (await records.find(id))?.record;
			if (before?.status === 'cancelled') {
				// Of an attempt that came too late: it would end the job at once, with artifacts that may be gone.
				await store.remove(jobKeys.result(id));
				await events.reopen(id);
			}
			const { job } = await ask(id, (found) => {
				const { setbacks: _setbacks, notified: _notified, ...fresh } = found;
				if (found.status === 'paused') return moved(fresh, 'queued');
				if (found.status === 'cancelled') {
					const reopened = (found.reopened ?? 0) + 1;
					return moved(fresh, 'queued', { cancel_requested: false, finished_at: null, reopened });
				}
				if (isFinal(found.status)) return `${id} ${has(found)}, and cannot be resumed`;
				if (found.cancel_requested) return `${id} is being cancelled; it can be resumed once it is cancelled`;
				if (!found.pause_requested) return null;
				return { record: { ...found, pause_requested: false }, mirrored: true, announced: false };
			});
			if (before?.status === 'cancelled') await events.keep(id);
			if (job.status === 'queued') await dispatch();
			return job;
		},

		async discard(id) {
			await takeBack(id, (await readRecord<Request>(store, jobKeys.request(id)))?.key);
		},

		async remove(id) {
			const found = await records.find(id);
			if (found === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
			const refuse = (status: JobStatus): ProblemError =>
				new ProblemError('job_not_ended', `${id} is ${status}: only a job that has ended can be deleted; cancel it first`, 'id');
			const inUse = (): ProblemError =>
				new ProblemError(
					'job_in_use',
					`A job that has not ended begins with the parameters of ${id}: wait until it has, or cancel it`,
					'id',
				);
			if (!isFinal(found.record.status)) throw refuse(found.record.status);
			if ((await records.countUsing(id)) > 0) throw inUse();
			const request = await readRecord<Request>(store, jobKeys.request(id));
			// Without its record in the store it cannot come back, and until it is forgotten here all else of it is still there.
			await store.remove(jobKeys.record(id));
			const forgotten = await records.forget(found, request?.key);
			if (forgotten !== 'removed') {
				await mirror.save(found.record);
				throw forgotten === 'used' ? inUse() : refuse('queued');
			}
			await store.remove(jobKeys.folder(id));
		},

		async countUsing(used) {
			await restored();
			return records.countUsing(used);
		},
		async counts(project) {
			const counts = await Promise.all((project === undefined ? await records.projects() : [project]).map(records.counts));
			const sum = (status: JobStatus) => counts.reduce((total, of) => total + of[status], 0);
			return Object.fromEntries(JOB_STATUSES.map((status) => [status, sum(status)])) as Record<JobStatus, number>;
		},
		async oldestQueued() {
			// Ids begin with the time at which they were made.
			for (const id of (await records.withStatus('queued')).sort()) {
				const [found] = await records.findAll([id]);
				if (found !== undefined) return found.record;
			}
			return null;
		},

		async rebuild({ alone = false } = {}) {
			let queued = await restoreAll();
			if (alone) {
				for (const id of await records.withStatus('running')) {
					const queue = await placements.queueOf(id);
					await deliveries.of(queue).withdraw(id, { held: true });
					await placements.unplace(id, queue);
					if (await reclaim.lost(id)) queued++;
				}
			}
			queued += await deliverLost();
			await mirror.saveAll();
			return queued;
		},
	};

	/** Queues the jobs that a process left between two steps because it was killed, and those that Redis has lost; returns how many. */
	async function sweep(): Promise<number> {
		return (await restored()) + (await deliverLost());
	}

	return { jobs, restored, sweep };
}
