import { constants } from 'node:os';
import type { JobError, JobResource } from '@steelyard/contracts';
import type { AttemptEnd } from '@steelyard/queue';
import type { SaidShortage } from './says-out-of-memory.js';
import type { TrainerEnd } from './trainer-process.js';

/**
 * How a trainer ran out of memory. `refused`: it asked for more than it may take, or than there is; `heap`: JavaScript had no more for it; `killed`: the system
 * ended it because memory ran out, which others on the machine may have taken.
 */
export type MemoryShortage = SaidShortage | 'killed';

/** The signals by which a process ends itself when it cannot go on. */
const ABORTS: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL']);

/** The signal that ended a process, also where a shell in between tells it as 128 and its number. */
const signalOf = ({ code, signal }: { code: number | null; signal: string | null }): string | null =>
	signal ?? Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0] ?? null;

/**
 * Whether a trainer ended because memory ran out; null where nothing says so. Only what it said itself, or an end by SIGKILL while the system counts that it
 * ended a process for memory, says so: a user's `kill -9` and an abort for another reason are crashes.
 */
export function shortageOf(end: TrainerEnd): MemoryShortage | null {
	if (end.type === 'failed') return end.error.code === 'out_of_memory' ? 'refused' : null;
	if (end.type !== 'crashed') return null;
	const signal = signalOf(end);
	if (signal === 'SIGKILL') return end.oomKills > 0 ? 'killed' : null;
	return signal !== null && ABORTS.has(signal) ? end.said : null;
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** What a shortage is like of a job that may take `most` bytes, any where null. */
function described(shortage: MemoryShortage, most: number | null): string {
	const allowed = most === null ? null : `${gigabytes(most)} of memory that it may take (STEELYARD_JOB_MEMORY)`;
	if (shortage === 'heap') return 'The job needs more memory than JavaScript gives its trainer';
	if (shortage === 'killed')
		return `Memory ran out, and the system ended the trainer${allowed === null ? '' : ` before it had the ${allowed}`}`;
	return `The job needs more ${allowed === null ? 'memory than there is' : `than the ${allowed}`}`;
}

export type Shortage = {
	shortage: MemoryShortage;
	/** The record of the job when the attempt began. */
	job: JobResource;
	/** How far it has come since, of the whole. */
	progress: number;
	/** The most memory that the trainer was seen to take, in bytes; null where none was seen. */
	peak: number | null;
	/** The bytes that it may take; null for any number. */
	most: number | null;
};

/**
 * How an attempt ends that ran out of memory. It is tried once more in a way that takes less, where there is one; and where the system ended it, also again
 * whenever it has come further since, because others take memory too. Any other such end fails the job, with what it needed at least.
 */
export function afterShortage({ shortage, job, progress, peak, most }: Shortage): AttemptEnd {
	const before = job.short_of_memory ?? null;
	const seen = Math.max(peak ?? 0, before?.peak_memory_bytes ?? 0) || null;
	const error: JobError = {
		code: 'out_of_memory',
		message: `${described(shortage, most)}.${seen === null ? '' : ` It was seen to take ${gigabytes(seen)}.`} A smaller training.batch_size, and fewer or smaller layers, take less.`,
		param: 'training.batch_size',
	};
	const canTakeLess = before === null && job.spec.training.recompute !== 'segments';
	const isAgain = shortage === 'killed' ? before === null || progress > before.progress : canTakeLess;
	if (!isAgain) return { status: 'failed', error };
	return { status: 'retry', error, patch: { short_of_memory: { peak_memory_bytes: seen, progress } } };
}
