import { createHash } from 'node:crypto';
import { isFinal, type JobResource, type JobStatus, ProblemError } from '@steelyard/contracts';
import { jobKeys, listIds, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { Deliveries } from './deliveries.js';
import type { Keys } from './keys.js';
import type { Mirror } from './mirror.js';
import type { JobPatch, Jobs } from './queue.js';
import type { Records } from './records.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const unixSeconds = () => Math.floor(Date.now() / 1000);

/** The fields that change with a status, unless a patch has other values for them. */
const implied = (to: JobStatus): JobPatch => {
	if (isFinal(to)) return { stage: null, eta_seconds: null, finished_at: unixSeconds() };
	return to === 'queued' ? { stage: null, eta_seconds: null } : {};
};

type Parts = { redis: Redis; keys: Keys; records: Records; mirror: Mirror; deliveries: Deliveries; store: Store };

/** Opens the records of the jobs. `sweep` is to be called from time to time by whoever runs jobs. */
export function openJobs({ redis, keys, records, mirror, deliveries, store }: Parts): { jobs: Jobs; sweep: () => Promise<number> } {
	const transition: Jobs['transition'] = async (id, from, to, patch = {}, attempt) => {
		const changed = await records.change(id, (job) => {
			if (!from.includes(job.status) || (attempt !== undefined && job.attempt !== attempt)) return null;
			return { record: { ...job, ...implied(to), ...patch, status: to }, mirrored: true, announced: true };
		});
		return mirror.follow(changed);
	};

	/** Puts a record back into Redis that only the store knows. A job that was running then is running nowhere now. */
	async function restore(id: string): Promise<void> {
		const bytes = await store.get(jobKeys.record(id));
		if (bytes === null) return;
		const job = JSON.parse(bytes.toString()) as JobResource;
		const ended = isFinal(job.status);
		// The events of a job that has ended are in the store, where a new stream in Redis would hide them.
		if (await records.add(ended ? job : { ...job, ...implied('queued'), status: 'queued' }, !ended)) await mirror.follow(job);
	}

	async function restoreAll(): Promise<void> {
		for (const id of await listIds(store, 'job')) if ((await records.find(id)) === null) await restore(id);
		await redis.set(keys.rebuilt, '1');
	}

	/** Queues the jobs that wait or run by their records and that BullMQ does not know; returns how many. */
	async function deliverAll(): Promise<number> {
		let queued = 0;
		for (const status of ['queued', 'running'] as const) {
			for (const id of await records.withStatus(status)) if (await deliveries.add(id)) queued++;
		}
		return queued;
	}

	const jobs: Jobs = {
		async create(job, { idempotencyKey, bodyHash } = {}) {
			const keyHash = idempotencyKey === undefined ? null : sha256(idempotencyKey);
			const body = bodyHash ?? sha256(JSON.stringify(job.spec));
			if (keyHash !== null) {
				const known = await records.addOnce(job, keyHash, body);
				if (known !== null) {
					if (known.bodyHash !== body) {
						throw new ProblemError('idempotency_mismatch', `The idempotency key made ${known.id} from another body`, 'Idempotency-Key');
					}
					const first = await records.find(known.id);
					if (first === null)
						throw new ProblemError('conflict', 'The first request with this idempotency key has just failed: try again', 'Idempotency-Key');
					return first.record;
				}
			} else if (!(await records.add(job))) throw new ProblemError('conflict', `There is a job ${job.id} already`, 'id');
			try {
				await mirror.save(job.id);
			} catch (error) {
				await records.forget(job, keyHash);
				await store.remove(jobKeys.folder(job.id));
				throw error;
			}
			return job;
		},

		async get(id) {
			return (await records.find(id))?.record ?? null;
		},

		async list({ limit, after }) {
			const ids = await records.ids(limit + 1, after);
			return { object: 'list', data: await records.findAll(ids.slice(0, limit)), has_more: ids.length > limit };
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
					await deliveries.withdraw(id);
					return cancelled;
				}
				const asked = await records.change(id, (job) =>
					job.status === 'running' ? { record: { ...job, cancel_requested: true }, mirrored: true, announced: false } : null,
				);
				if (asked !== null) {
					await redis.publish(keys.cancel, id);
					return mirror.follow(asked);
				}
				const found = await records.find(id);
				if (found === null) throw new ProblemError('not_found', `There is no job ${id}`, 'id');
				const { status } = found.record;
				if (isFinal(status))
					throw new ProblemError('job_not_cancellable', `${id} ${status === 'cancelled' ? 'is' : 'has'} already ${status}`, 'id');
			}
		},

		countUsing: (used) => records.countUsing(used),
		counts: () => records.counts(),

		async rebuild({ alone = false } = {}) {
			await restoreAll();
			if (alone) {
				for (const id of await records.withStatus('running')) {
					await deliveries.withdraw(id, { held: true });
					await transition(id, ['running'], 'queued');
				}
			}
			const queued = await deliverAll();
			await mirror.saveAll();
			return queued;
		},
	};

	/** Queues the jobs that a process left between two steps because it was killed; where Redis is new, restores all jobs from the store first. */
	async function sweep(): Promise<number> {
		if ((await redis.exists(keys.rebuilt)) === 0) await restoreAll();
		return deliverAll();
	}

	return { jobs, sweep };
}
