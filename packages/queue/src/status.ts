import { isFinal, type JobError, type JobResource, type JobStatus } from '@steelyard/contracts';
import type { JobPatch } from './queue.js';
import type { Change } from './records.js';

/** How many times in a row a job is run again that comes no further. */
export const RETRIES = 3;

export const unixSeconds = (): number => Math.floor(Date.now() / 1000);

/** The fields that change with a status, unless a patch has other values for them. */
const implied = (to: JobStatus): JobPatch => {
	if (to === 'running') return {};
	const idle = { stage: null, eta_seconds: null, waiting: null };
	if (isFinal(to)) return { ...idle, pause_requested: false, finished_at: unixSeconds() };
	return to === 'paused' ? { ...idle, pause_requested: false } : idle;
};

/** The change that moves a job to a status. */
export const moved = (job: JobResource, to: JobStatus, patch: JobPatch = {}): Change => ({
	record: { ...job, ...implied(to), ...patch, status: to },
	mirrored: true,
	announced: true,
});

/** What becomes of a job whose attempt has ended before it has: it is cancelled or paused where that was asked, and else queued again. */
export const released = (job: JobResource): Change =>
	moved(job, job.cancel_requested ? 'cancelled' : job.pause_requested ? 'paused' : 'queued');

/** A job whose attempt was lost. Only those count that follow one another without the job having come further. */
export function setBack(job: JobResource): JobResource {
	const { count, progress } = job.setbacks ?? { count: 0, progress: 0 };
	return { ...job, setbacks: { count: job.progress > progress ? 1 : count + 1, progress: Math.max(progress, job.progress) } };
}

/** The change that fails a job which was set back too often, for the reason `error`; null where it may go on. */
export function givenUp(job: JobResource, { code, message, param }: JobError, retries: number): Change | null {
	const { count = 0 } = job.setbacks ?? {};
	if (count <= retries || job.cancel_requested) return null;
	return moved(job, 'failed', { error: { code, message: `The job came no further in ${count} attempts. ${message}`, param } });
}

/** Why a job was set back whose worker was lost. */
export const WORKER_LOST: JobError = { code: 'trainer_crashed', message: 'The worker was lost in the last of them.', param: null };

/** Milliseconds before the second retry of a job. */
const RETRY_MS = 1000;

/** How long a job that was set back waits before it is run again, in milliseconds: not at all the first time, then `ms`, and each time four times as long. */
export function retryPause({ setbacks }: JobResource, ms = RETRY_MS): number {
	const { count = 0 } = setbacks ?? {};
	return count < 2 ? 0 : ms * 4 ** (count - 2);
}
