import { isFinal, type JobResource, type JobResult } from '@steelyard/contracts';
import { jobKeys, readRecord, type Store } from '@steelyard/store';
import type { Mirror } from './mirror.js';
import { type Outcome, type Queue, StaleAttemptError } from './queue.js';
import type { Change, Records } from './records.js';

/** What the store keeps of a job that succeeded: its outcome, the attempt that made it, and when (unix seconds). From then on the job has succeeded, whatever its record says. */
export type Result = Outcome & { attempt: number; finished_at: number };

export const readResult = (store: Store, id: string): Promise<Result | null> => readRecord(store, jobKeys.result(id));

/** What a record shows of the chosen model, in place of what was last known while the job ran. */
const chosen = ({ metrics, modality_weights: weights }: JobResult): Pick<JobResource, 'metrics' | 'modality_weights'> => ({
	metrics: metrics['validation'] ?? null,
	modality_weights: Object.fromEntries(Object.entries(weights).map(([name, { mean }]) => [name, mean])),
});

/** The change that makes a job succeeded which has a result; null where it had ended before. Its attempt is then the one that made the result. */
export function succeeded(job: JobResource, { attempt, finished_at, result, artifacts }: Result): Change | null {
	if (isFinal(job.status)) return null;
	const ended = { status: 'succeeded', stage: null, progress: 1, eta_seconds: null, error: null } as const;
	return { record: { ...job, ...ended, ...chosen(result), attempt, finished_at, result, artifacts }, mirrored: true, announced: true };
}

type Parts = { records: Records; store: Store; mirror: Mirror };

/** Begins and ends attempts. The exclusive create of the result decides which attempt succeeds; any process that finds it may then update the record. */
export function openAttempts({ records, store, mirror }: Parts): Pick<Queue, 'claim' | 'commit'> {
	return {
		async claim(id) {
			const result = await readResult(store, id);
			if (result !== null) {
				await mirror.follow(await records.change(id, (job) => succeeded(job, result)));
				return null;
			}
			const claimed = await records.change(id, (job) => {
				if (job.status !== 'queued' && job.status !== 'running') return null;
				const now = Math.floor(Date.now() / 1000);
				const next: Partial<JobResource> = job.cancel_requested
					? { status: 'cancelled', stage: null, eta_seconds: null, finished_at: now }
					: { status: 'running', attempt: job.attempt + 1, started_at: job.started_at ?? now, error: null };
				return { record: { ...job, ...next }, mirrored: true, announced: true };
			});
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
			const own: Result = { attempt, finished_at: Math.floor(Date.now() / 1000), ...outcome };
			const isFirst = (await store.putExclusive(jobKeys.result(id), JSON.stringify(own))) !== null;
			const result = isFirst ? own : await readResult(store, id);
			if (result !== null) await mirror.follow(await records.change(id, (job) => succeeded(job, result)));
			const after = (await records.find(id))?.record;
			if (after?.status !== 'succeeded' || after.attempt !== attempt) throw stale(after);
			return after;
		},
	};
}
