import { runService } from '@steelyard/service-process';
import { configOf, Environment } from './config.js';
import { version } from './version.js';
import { startWorker } from './worker.js';

/** What the process sends to the one that forked it, once it takes jobs. */
export type WorkerMessage = { type: 'ready' };

runService({
	name: 'worker',
	version,
	environment: Environment,
	configOf,
	// A checkpoint is written, the job handed back, Redis let go.
	longestEndMs: 18_000,
	// Its jobs are taken up again from their last checkpoints. Where the parent has gone, Redis goes with it or is ended by the next start, which also
	// queues again what ran here: nobody is left to hand it back to.
	mayAbandonWork: true,
	async start({ config, queue, store, log, traces }) {
		const { concurrency, labels, inspection, prediction, jobMemory, jobSeconds } = config;
		const worker = await startWorker({ queue, store, log, traces, concurrency, labels, inspection, prediction, jobMemory, jobSeconds });
		log.info({ worker: worker.status.id }, 'taking jobs');
		const message: WorkerMessage = { type: 'ready' };
		return { message, close: () => worker.close() };
	},
});
