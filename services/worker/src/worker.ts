import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { abilitiesOf, logFieldsOf, ProblemError, type Tally, tallyCount, type WorkerStatus } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { type ChildLimits, machineMemory, type Traces, usedMemory } from '@steelyard/service-process';
import { mayPass, type ServiceStore } from '@steelyard/store';
import type { Logger } from 'pino';
import { runAttempt } from './attempt.js';
import { clearAttempts } from './attempt-folders.js';
import { type AttemptOutcome, traceAttempt } from './attempt-trace.js';
import { announced, foundIn, PROBE_ENTRY, probe } from './devices.js';
import { INSPECT_ENTRY, type InspectionLimits, LIMITS } from './inspect-process.js';
import { inspect } from './inspection.js';
import { logEnd, openJobLog } from './job-log.js';
import { openPredicting, PREDICT_ENTRY, PREDICTION } from './predict-process.js';
import { openTrainers, TRAINER_ENTRY } from './trainer-process.js';
import { version } from './version.js';

/** How long a trainer that was asked to stop may take to write its checkpoint, in milliseconds. */
const GRACE = 10_000;
/** The share of the memory of the machine that a trainer may take unless configured. */
const SHARE = 0.9;
/** What the queue may take beyond that, in milliseconds, in which the trainer is killed and its job handed back. */
const HANDING_BACK = 2000;

export type WorkerOptions = {
	queue: Queue;
	store: ServiceStore;
	log: Logger;
	/** Where the spans of attempts go; nowhere unless given. */
	traces?: Traces | null;
	/** How many jobs are trained at the same time; 1 unless given, and always on a GPU. */
	concurrency?: number;
	/** By which jobs ask for it; none unless given. */
	labels?: readonly string[];
	/** The bytes of memory that the trainer of one job may take. Where null or not given nine tenths of those of the machine, or any with a GPU, whose driver maps much that it does not take. */
	jobMemory?: number | null;
	/** The seconds for which a job may run in all its attempts. Where null or not given, only its spec limits it. */
	jobSeconds?: number | null;
	/** Path of the module that a trainer process runs. */
	trainerEntry?: string;
	/** Path of the module that the process runs which tries the devices. */
	probeEntry?: string;
	/** Path of the module that an inspector process runs. */
	inspectEntry?: string;
	/** What the inspection of one uploaded model may take; LIMITS unless given. */
	inspection?: InspectionLimits;
	/** Path of the module that the process runs which predicts. */
	predictEntry?: string;
	/** What a request for predictions may take; PREDICTION unless given. */
	prediction?: ChildLimits;
	/** How many processes the system has ended because memory ran out; what the system counts, unless given. */
	oomKills?: () => number | null;
	/** How long a trainer that was asked to stop may take, in milliseconds; 10,000 unless given. */
	graceMs?: number;
	/** As in the queue's WorkOptions. */
	lockMs?: number;
	retryMs?: number;
};

export type Worker = {
	readonly status: WorkerStatus;
	/** Takes no more jobs. Those that are running write a checkpoint and go back to the queue. Resolves within about 15 s. */
	close(): Promise<void>;
};

/**
 * Tries the devices, then takes jobs and uploaded models from the queue, trains or inspects each in a process of its own, and predicts in one. The caller closes the queue
 * and the store.
 */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
	const {
		queue,
		store,
		log,
		traces = null,
		graceMs = GRACE,
		trainerEntry = TRAINER_ENTRY,
		probeEntry = PROBE_ENTRY,
		lockMs,
		retryMs,
	} = options;
	const { inspectEntry = INSPECT_ENTRY, inspection: limits = LIMITS } = options;
	const probed = await probe(probeEntry);
	const { cuda, webgpu } = probed;
	log.info({}, foundIn(probed));
	if (cuda.detail !== null) log.debug({ detail: cuda.detail }, "the CUDA provider's own words");
	if (webgpu.detail !== null) log.debug({ detail: webgpu.detail }, 'the words of WebGPU');
	const devices = announced(probed);
	let { concurrency = 1 } = options;
	if (devices.cuda.available && concurrency > 1) {
		log.warn({ concurrency }, 'one job at a time trains with CUDA');
		concurrency = 1;
	}
	const memory = options.jobMemory ?? (devices.cuda.available ? null : Math.floor(SHARE * machineMemory()));
	const status: WorkerStatus = {
		id: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
		pid: process.pid,
		started_at: Math.floor(Date.now() / 1000),
		version,
		devices,
		cores: availableParallelism(),
		memory_bytes: machineMemory(),
		job_memory_bytes: memory ?? machineMemory(),
		labels: [...(options.labels ?? [])],
		slots: concurrency,
		jobs: [],
	};
	const announce = () =>
		queue.workers.announce(() => ({
			...status,
			memory_used_bytes: usedMemory(),
			free_slots: Math.max(0, concurrency - status.jobs.length),
			jobs: [...status.jobs],
		}));
	const announceJobs = () => announce().catch((error: unknown) => log.warn({ err: error }, 'the jobs at hand could not be announced'));
	/** Nobody waits for it: Redis takes it before what comes later, and where Redis is away no job is held up. */
	const count = (tally: Tally) => {
		if (Object.keys(tally).length > 0)
			queue.tally.add(tally).catch((error: unknown) => log.warn({ err: error }, 'what was measured is not counted'));
	};
	const countEnd = (how: AttemptOutcome) => {
		const tally: Tally = {};
		tallyCount(tally, 'attempts', 1, how);
		count(tally);
	};
	await announce();
	const trainers = openTrainers(trainerEntry, memory, options.oomKills);
	trainers.prepare();

	const consuming = { log, ...(lockMs === undefined ? {} : { lockMs }) };
	// Models are inspected beside the jobs, behind which an upload would wait for hours.
	const inspecting = queue.inspections.work({
		...consuming,
		process: (id, signal) => inspect({ store, entry: inspectEntry, limits }, id, signal, log.child({ model: id })),
	});
	const predicting = openPredicting({
		store,
		entry: options.predictEntry ?? PREDICT_ENTRY,
		limits: options.prediction ?? PREDICTION,
		onLine: (line) => log.debug({ line }, 'the process that predicts wrote'),
	});
	const answering = await queue.predictions.work(status.id, (order) => predicting.predict(order));
	const work = queue.work({
		...consuming,
		...(retryMs === undefined ? {} : { retryMs }),
		...(typeof options.jobSeconds === 'number' ? { maxSeconds: options.jobSeconds } : {}),
		concurrency,
		abilities: abilitiesOf(status),
		async process(id, attempt) {
			const attemptLog = log.child(logFieldsOf(attempt.job));
			const { request_id: request } = attempt.job;
			const jobLog = openJobLog({ store, id, attempt: attempt.attempt, log: attemptLog });
			jobLog.write(
				'info',
				'worker',
				`attempt ${attempt.attempt} begins, by version ${version}${request === undefined ? '' : `, of a job that request ${request} posted`}`,
			);
			const trace = traceAttempt(traces, attempt.job);
			status.jobs.push(id);
			void announceJobs();
			try {
				const end = await runAttempt(
					{ queue, store, devices: probed, trainers, memory, graceMs, count },
					id,
					attempt,
					attemptLog,
					jobLog,
					trace,
				);
				logEnd(jobLog, end, attempt.signal.aborted ? (attempt.signal.reason as Error).message : null);
				const how = end.status === 'retry' ? 'crashed' : end.status;
				countEnd(how);
				trace.end(how, 'error' in end ? end.error.code : undefined);
				return end;
			} catch (error) {
				const how = attempt.signal.aborted ? 'stopped' : mayPass(error) ? 'crashed' : 'failed';
				countEnd(how);
				trace.end(how, how === 'stopped' ? undefined : error instanceof ProblemError ? error.code : 'internal');
				jobLog.write('error', 'worker', `the attempt failed: ${error instanceof Error ? error.message : String(error)}`);
				throw error;
			} finally {
				await jobLog.close().catch((error: unknown) => attemptLog.warn({ err: error }, 'the log of the job could not be closed'));
				status.jobs.splice(status.jobs.indexOf(id), 1);
				void announceJobs();
				trainers.prepare();
			}
		},
		ended: (job) => clearAttempts(store, job),
	});

	return {
		status,
		async close() {
			await Promise.all([work.close(graceMs + HANDING_BACK), inspecting.close(HANDING_BACK), answering.close(HANDING_BACK)]);
			await predicting.close();
			await trainers.close();
			await queue.workers.withdraw(status.id);
		},
	};
}
