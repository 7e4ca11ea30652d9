import { type JobEventBody, type Tally, tallyValue } from '@steelyard/contracts';
import type { Attempt, AttemptEnd, AttemptStopped, Queue } from '@steelyard/queue';
import type { Devices } from '@steelyard/runtime';
import { howItEnded } from '@steelyard/service-process';
import { type AttemptFolder, type Patience, type ServiceStore, whenPossible } from '@steelyard/store';
import type { Logger } from 'pino';
import { keepArtifacts } from './artifacts.js';
import type { AttemptTrace } from './attempt-trace.js';
import { type EventRecorder, recordEvents } from './event-recorder.js';
import { type Inputs, withInputs } from './inputs.js';
import { type JobLog, logEvent } from './job-log.js';
import { afterShortage, shortageOf } from './memory-shortage.js';
import type { TrainerEnd, Trainers } from './trainer-process.js';
import { withoutPathsOf } from './without-paths.js';

export type AttemptParts = {
	queue: Pick<Queue, 'jobs' | 'events'>;
	store: ServiceStore;
	/** What the probe found. */
	devices: Devices;
	trainers: Trainers;
	/** The bytes of memory that a trainer may take; null for any number. */
	memory: number | null;
	/** How long a trainer that was asked to stop may take to write its checkpoint, in milliseconds. */
	graceMs: number;
	/** Adds to the tally of all jobs. */
	count(tally: Tally): void;
};

/** What an attempt does after one that ran out of memory. */
const SPARES =
	'its trainer computes values of a step a second time instead of keeping them, which takes less memory and more time, and changes no bit of the result';

type Crash = Extract<TrainerEnd, { type: 'crashed' }>;

/** How an attempt ends whose trainer crashed: the job is tried again from its last checkpoint, until it has come no further too often. */
function afterCrash(store: ServiceStore, crash: Crash): AttemptEnd {
	const words = crash.lastLines.length === 0 ? '' : ` Its last words: ${withoutPathsOf(store, crash.lastLines.join('\n'))}`;
	return { status: 'retry', error: { code: 'trainer_crashed', message: `The trainer process ${howItEnded(crash)}.${words}`, param: null } };
}

/** Runs one attempt of a job in a trainer process of its own. `jobLog` takes what its user should read of it, `trace` its stages. */
export async function runAttempt(
	parts: AttemptParts,
	id: string,
	{ attempt, job, signal }: Attempt,
	log: Logger,
	jobLog: JobLog,
	trace: AttemptTrace,
): Promise<AttemptEnd> {
	const { queue, store } = parts;
	const recorder = recordEvents({ queue, id, attempt, log });
	const record = (event: JobEventBody) => {
		recorder.record(event);
		logEvent(jobLog, event);
		trace.event(event);
	};
	const wait: Patience = { signal, stopped: () => signal.aborted, waiting: (reason) => record({ type: 'waiting', reason }) };
	const trouble = (error: unknown) => log.warn({ err: error }, 'a checkpoint could not be written to the store; it is tried again');
	try {
		const folder = await whenPossible(() => store.files.openAttempt(id, attempt, trouble), wait);
		let end: AttemptEnd | null = null;
		try {
			end = await withInputs(parts, job, wait, async (inputs) =>
				signal.aborted ? { status: 'stopped' } : train({ ...parts, job, folder, wait, log, jobLog, recorder, record }, inputs),
			);
			return end;
		} finally {
			const isLost = signal.aborted && (signal.reason as AttemptStopped).code === 'lost';
			await folder.close(!isLost && end?.status !== 'succeeded' && end?.status !== 'failed');
		}
	} finally {
		await recorder.close();
	}
}

type Training = AttemptParts & {
	job: Attempt['job'];
	folder: AttemptFolder;
	/** How it waits for the store, and is told to stop. */
	wait: Patience;
	log: Logger;
	jobLog: JobLog;
	recorder: Pick<EventRecorder, 'note'>;
	record(event: JobEventBody): void;
};

/** Trains in the folder of an attempt, and keeps what comes of it. */
async function train(parts: Training, inputs: Inputs): Promise<AttemptEnd> {
	const { store, devices, trainers, memory: most, graceMs, count, job, folder, wait, log, jobLog, recorder, record } = parts;
	const { signal } = wait;
	const { path: output, earlier } = folder;
	let peakMemory: number | null = null;
	let { progress } = job;
	const sparesMemory = job.short_of_memory !== undefined;
	const trainer = trainers.start({
		order: {
			spec: job.spec,
			...inputs,
			output,
			earlier: [...earlier],
			sparesMemory,
			devices,
		},
		onEvent: (event) => {
			log.debug({ event }, 'event');
			if (event.type === 'progress') progress = Math.max(progress, event.progress);
			record(event);
			// The next job is not to wait until its trainer has loaded the engine.
			if (event.type === 'stage' && event.stage === 'evaluating') trainers.prepare();
		},
		onMeasured: (latest, tally) => {
			peakMemory = latest.peak_memory_bytes;
			recorder.note(latest);
			count(tally);
		},
		onLine: (stream, line) => {
			const level = stream === 'stderr' ? 'warn' : 'info';
			log[level]({ stream }, line);
			jobLog.write(level, stream, line);
		},
	});
	log.info({ trainer: trainer.pid, resumes: earlier.length > 0 }, 'the trainer has started');
	jobLog.write(
		'info',
		'worker',
		earlier.length > 0 ? 'the trainer has started, and goes on from what is left of earlier attempts' : 'the trainer has started',
	);
	if (sparesMemory) jobLog.write('info', 'worker', `${SPARES}, since memory ran out before`);
	const stop = () => {
		const reason = (signal.reason as Error).message;
		log.info({ reason }, 'the trainer is asked to stop');
		jobLog.write('info', 'worker', `the trainer is asked to stop: ${reason}`);
		trainer.stop(graceMs);
	};
	signal.addEventListener('abort', stop, { once: true });
	let end: TrainerEnd;
	try {
		end = await trainer.ended;
	} finally {
		signal.removeEventListener('abort', stop);
		const memory: Tally = {};
		if (peakMemory !== null) tallyValue(memory, 'peak_memory_bytes', peakMemory);
		count(memory);
	}
	if (end.type === 'done') {
		const { result, artifacts } = end;
		return { status: 'succeeded', result, artifacts: await whenPossible(() => keepArtifacts(folder, artifacts), wait) };
	}
	const shortage = shortageOf(end);
	if (shortage !== null && (end.type === 'failed' || !signal.aborted)) {
		log.error({ shortage, peak: peakMemory, most, end }, 'the trainer ran out of memory');
		const after = afterShortage({ shortage, job, progress, peak: peakMemory, most });
		if (after.status === 'retry') jobLog.write('warn', 'worker', `memory ran out, and the job is tried again: ${SPARES}`);
		return after;
	}
	if (end.type === 'failed') return { status: 'failed', error: { ...end.error, message: withoutPathsOf(store, end.error.message) } };
	if (signal.aborted) {
		if (end.type === 'crashed') {
			log.warn({ code: end.code, signal: end.signal }, 'the trainer went without a last checkpoint');
			jobLog.write('warn', 'worker', `the trainer ${howItEnded(end)}, without a last checkpoint`);
		}
		return { status: 'stopped' };
	}
	// A trainer that stopped although nobody here asked it to was ended from outside, which counts as a crash.
	const crash: Crash =
		end.type === 'crashed' ? end : { type: 'crashed', code: null, signal: 'SIGTERM', lastLines: [], said: null, oomKills: 0 };
	log.error({ code: crash.code, signal: crash.signal, words: crash.lastLines }, 'the trainer crashed');
	return afterCrash(store, crash);
}
