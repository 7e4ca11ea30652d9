import { createHash } from 'node:crypto';
import {
	changedMetadata,
	isFinal,
	JOB_STATUSES,
	type JobChange,
	type JobResource,
	type JobSpec,
	type JobStatus,
	ProblemError,
} from '@steelyard/contracts';
import { jobKeys, readRecord, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { Dispatch } from './dispatch.js';
import type { EventLog } from './events.js';
import type { Keys } from './keys.js';
import type { Mirror } from './mirror.js';
import { within } from './or-unavailable.js';
import type { IdempotentRequest, Jobs } from './queue.js';
import type { Reclaim } from './reclaim.js';
import type { Change, Records, Request, UseOfKey } from './records.js';
import type { Restoration } from './restoration.js';
import type { Search } from './search.js';
import { moved } from './status.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const requestOf = ({ idempotencyKey, bodyHash }: IdempotentRequest): Request => ({ key: sha256(idempotencyKey), body: bodyHash });

type Parts = {
	redis: Redis;
	keys: Keys;
	records: Records;
	events: EventLog;
	mirror: Mirror;
	restoration: Restoration;
	reclaim: Reclaim;
	/** Hands over again what was lost; resolves with how many jobs that were. */
	deliverLost: () => Promise<number>;
	dispatch: Dispatch;
	search: Search;
	store: Store;
	/** The most milliseconds that a list waits for the jobs that only the store knows; null for any number. */
	longestMs: number | null;
};

/** A spec with another name, where `change` has one or null, and with changed metadata. */
function annotated({ name: before, ...spec }: JobSpec, { name = before, metadata }: JobChange): JobSpec {
	return { ...spec, ...(name === undefined || name === null ? {} : { name }), metadata: changedMetadata(spec.metadata, metadata) };
}

const has = ({ status }: Pick<JobResource, 'status'>): string => `${status === 'cancelled' ? 'is' : 'has'} already ${status}`;

/** Opens the records of the jobs. */
export function openJobs({
	redis,
	keys,
	records,
	events,
	mirror,
	restoration: { restored, restoreAll },
	reclaim,
	deliverLost,
	dispatch,
	search,
	store,
	longestMs,
}: Parts): Jobs {
	/** Takes a job that does not wait any more out of its queue, where another now takes its place. */
	async function withdraw(id: string): Promise<void> {
		await reclaim.withdraw(id);
		await dispatch();
	}

	const transition: Jobs['transition'] = async (id, from, to, patch = {}, attempt) => {
		const changed = await records.change(id, (job) => {
			if (!from.includes(job.status) || (attempt !== undefined && job.attempt !== attempt)) return null;
			return moved(job, to, patch);
		});
		return mirror.follow(changed);
	};

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
					await reclaim.withdraw(id, { held: true });
					if (await reclaim.lost(id)) queued++;
				}
			}
			queued += await deliverLost();
			await mirror.saveAll();
			return queued;
		},
	};

	return jobs;
}
