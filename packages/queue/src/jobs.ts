import { createHash } from 'node:crypto';
import { isFinal, type JobResource, type JobStatus, ProblemError } from '@steelyard/contracts';
import { jobKeys, listIds, readRecord, type Store } from '@steelyard/store';
import type { Redis } from 'ioredis';
import type { Deliveries } from './deliveries.js';
import type { Keys } from './keys.js';
import type { Mirror } from './mirror.js';
import type { IdempotentRequest, JobPatch, Jobs } from './queue.js';
import { KEY_KEPT, type Records, type Request, type UseOfKey } from './records.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** How many records are read from the store at the same time. */
const TOGETHER = 64;

const requestOf = ({ idempotencyKey, bodyHash }: IdempotentRequest): Request => ({ key: sha256(idempotencyKey), body: bodyHash });

const unixSeconds = () => Math.floor(Date.now() / 1000);

/** The fields that change with a status, unless a patch has other values for them. */
const implied = (to: JobStatus): JobPatch => {
	if (isFinal(to)) return { stage: null, eta_seconds: null, finished_at: unixSeconds() };
	return to === 'queued' ? { stage: null, eta_seconds: null } : {};
};

type Parts = { redis: Redis; keys: Keys; records: Records; mirror: Mirror; deliveries: Deliveries; store: Store };

/** Opens the records of the jobs. `discard` takes back a job that nobody was told of. `sweep` is to be called from time to time by whoever runs jobs. */
export function openJobs({ redis, keys, records, mirror, deliveries, store }: Parts): {
	jobs: Jobs;
	discard: (job: JobResource) => Promise<void>;
	sweep: () => Promise<number>;
} {
	const transition: Jobs['transition'] = async (id, from, to, patch = {}, attempt) => {
		const changed = await records.change(id, (job) => {
			if (!from.includes(job.status) || (attempt !== undefined && job.attempt !== attempt)) return null;
			return { record: { ...job, ...implied(to), ...patch, status: to }, mirrored: true, announced: true };
		});
		return mirror.follow(changed);
	};

	/** Notes again what the idempotency key of a job was used for. */
	async function restoreKey({ id, created_at: created }: JobResource): Promise<void> {
		const left = created * 1000 + KEY_KEPT - Date.now();
		const request = left > 0 ? await readRecord<Request>(store, jobKeys.request(id)) : null;
		if (request !== null) await records.noteUse(id, request, left);
	}

	/** Puts records back into Redis that only the store knows. A job that was running then is running nowhere now. */
	async function restore(ids: readonly string[]): Promise<void> {
		const read = await Promise.all(ids.map((id) => readRecord<JobResource>(store, jobKeys.record(id))));
		const found = read.filter((job) => job !== null);
		await Promise.all(found.map(restoreKey));
		await records.addEnded(found.filter(({ status }) => isFinal(status)));
		for (const job of found)
			if (!isFinal(job.status) && (await records.add({ ...job, ...implied('queued'), status: 'queued' }))) await mirror.follow(job);
	}

	async function restoreAll(): Promise<void> {
		const ids = await listIds(store, 'job');
		for (let i = 0; i < ids.length; i += TOGETHER) await restore(await records.unknown(ids.slice(i, i + TOGETHER)));
		await redis.set(keys.rebuilt, '1');
	}

	let restoring: Promise<void> | null = null;
	/** Where Redis is new, or was emptied, restores all jobs from the store first. */
	async function restored(): Promise<void> {
		if ((await redis.exists(keys.rebuilt)) === 1) return;
		restoring ??= restoreAll().finally(() => {
			restoring = null;
		});
		await restoring;
	}

	/** The job that an idempotency key was used for. Throws ProblemError where that was with another body. */
	async function firstOf({ id, body }: UseOfKey, request: Request): Promise<JobResource> {
		if (body !== request.body)
			throw new ProblemError('idempotency_mismatch', `The idempotency key made ${id} from another body`, 'Idempotency-Key');
		const first = await records.find(id);
		if (first === null)
			throw new ProblemError('conflict', 'The first request with this idempotency key has just failed: try again', 'Idempotency-Key');
		return first.record;
	}

	/** Queues the jobs that wait or run by their records and that BullMQ does not know; returns how many. */
	async function deliverAll(): Promise<number> {
		let queued = 0;
		for (const status of ['queued', 'running'] as const) {
			for (const id of await records.withStatus(status)) if (await deliveries.add(id)) queued++;
		}
		return queued;
	}

	async function discard(job: JobResource, key?: string): Promise<void> {
		await records.forget(job, key ?? null);
		await store.remove(jobKeys.folder(job.id));
	}

	const jobs: Jobs = {
		async create(job, given) {
			const request = given === undefined ? null : requestOf(given);
			if (request !== null) {
				await restored();
				await store.put(jobKeys.request(job.id), JSON.stringify(request));
				const known = await records.addOnce(job, request);
				if (known !== null) {
					await store.remove(jobKeys.folder(job.id));
					return firstOf(known, request);
				}
			} else if (!(await records.add(job))) throw new ProblemError('conflict', `There is a job ${job.id} already`, 'id');
			try {
				await mirror.save(job.id);
			} catch (error) {
				await discard(job, request?.key);
				throw error;
			}
			return job;
		},

		async repeated(given) {
			await restored();
			const request = requestOf(given);
			const known = await records.usedFor(request.key);
			return known === null ? null : firstOf(known, request);
		},

		async get(id) {
			const found = await records.find(id);
			if (found !== null) return found.record;
			await restored();
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

		async countUsing(used) {
			await restored();
			return records.countUsing(used);
		},
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

	/** Queues the jobs that a process left between two steps because it was killed. */
	async function sweep(): Promise<number> {
		await restored();
		return deliverAll();
	}

	return { jobs, discard, sweep };
}
