import { isFinal, type JobResource, type JobResult } from '@steelyard/contracts';
import { jobKeys, readRecord, type Store } from '@steelyard/store';
import type { Mirror } from './mirror.js';
import { type Outcome, type Queue, StaleAttemptError } from './queue.js';
import type { Change, Records } from './records.js';
import { givenUp, moved, RETRIES, released, setBack, unixSeconds, WORKER_LOST } from './status.js';

/** What the store keeps of a job that succeeded: its outcome, the attempt that made it, and when (unix seconds). From then on the job succeeds, whatever its record says, unless its cancellation was answered before. */
export type Result = Outcome & { attempt: number; finished_at: number };

export const readResult = (store: Store, id: string): Promise<Result | null> => readRecord(store, jobKeys.result(id));

/** What a record shows of the chosen model, in place of what was last known while the job ran. */
const chosen = ({ metrics, modality_weights: weights }: JobResult): Pick<JobResource, 'metrics' | 'modality_weights'> => ({
	metrics: metrics['validation'] ?? null,
	modality_weights: Object.fromEntries(Object.entries(weights).map(([name, { mean }]) => [name, mean])),
});

/**
 * The change that ends a job which has a result; null where it had ended before. It succeeds in the attempt that made the result, unless its cancellation was
 * answered before.
 */
function endedBy(job: JobResource, { attempt, finished_at, result, artifacts }: Result): Change | null {
	if (isFinal(job.status)) return null;
	if (job.cancel_requested) return released(job);
	return moved(job, 'succeeded', { progress: 1, error: null, ...chosen(result), attempt, finished_at, result, artifacts });
}

type Parts = { records: Records; store: Store; mirror: Mirror };

/** Begins and ends attempts. The exclusive create of the result decides which attempt succeeds; any process that finds it may then update the record. */
export function openAttempts({ records, store, mirror }: Parts): Pick<Queue, 'claim' | 'commit' | 'release'> {
	/** Changes the record of a job that is running in an attempt. */
	const changeRunning = async (id: string, attempt: number, next: (job: JobResource) => Change) =>
		mirror.follow(await records.change(id, (job) => (job.status === 'running' && job.attempt === attempt ? next(job) : null)));

	return {
		async claim(id, { retries = RETRIES, queue } = {}) {
			const result = await readResult(store, id);
			if (result !== null) {
				await mirror.follow(await records.change(id, (job) => (job.status === 'paused' ? null : endedBy(job, result))));
				return null;
			}
			const claimed = await records.change(
				id,
				(found) => {
					if (found.status !== 'queued' && found.status !== 'running') return null;
					const job = found.status === 'running' ? setBack(found) : found;
					if (job.cancel_requested || job.pause_requested) return released(job);
					const failed = found.status === 'running' ? givenUp(job, WORKER_LOST, retries) : null;
					return failed ?? moved(job, 'running', { attempt: job.attempt + 1, started_at: job.started_at ?? unixSeconds(), error: null });
				},
				queue,
			);
			await mirror.follow(claimed);
			return claimed?.status === 'running' ? claimed : null;
		},

		async commit(id, attempt, outcome) {
			const stale = (found: JobResource | undefined) =>
				new StaleAttemptError(
					id,
					attempt,
					found === undefined ? 'there is no such job' : `it is ${found.status} in attempt ${found.attempt}`,
				);
			const before = (await records.find(id))?.record;
			if (before?.status === 'succeeded' && before.attempt === attempt) return before;
			if (before?.status !== 'running' || before.attempt !== attempt) throw stale(before);
			const own: Result = { attempt, finished_at: unixSeconds(), ...outcome };
			const isFirst = (await store.putExclusive(jobKeys.result(id), JSON.stringify(own))) !== null;
			const result = isFirst ? own : await readResult(store, id);
			if (result !== null) await mirror.follow(await records.change(id, (job) => endedBy(job, result)));
			const after = (await records.find(id))?.record;
			if ((after?.status !== 'succeeded' && after?.status !== 'cancelled') || after.attempt !== attempt) throw stale(after);
			return after;
		},

		release: (id, attempt, { error, retries = RETRIES, patch = {}, seconds = 0 } = {}) =>
			changeRunning(id, attempt, (found) => {
				const ran = seconds === 0 ? {} : { ran_seconds: (found.ran_seconds ?? 0) + seconds };
				const job = { ...found, ...ran, ...patch };
				if (error === undefined) return released(job);
				if (retries === null) return job.cancel_requested ? released(job) : moved(job, 'failed', { error });
				const after = setBack(job);
				return givenUp(after, error, retries) ?? released(after);
			}),
	};
}
