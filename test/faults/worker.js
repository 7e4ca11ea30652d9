// A worker as services/worker/src/main.ts starts it, but for its lock: it runs out after two seconds, so that a lost worker is missed soon.
import { runService } from '@steelyard/service-process';
import { Environment, readConfig, startWorker } from '@steelyard/worker';

/** After how many milliseconds without a sign of life the job of a worker is given to another. */
const LOCK = 2000;

runService({
	name: 'worker',
	environment: Environment,
	configOf: () => readConfig(process.env),
	longestEndMs: 18_000,
	mayAbandonWork: true,
	async start({ config, queue, store, log }) {
		const { concurrency, inspection } = config;
		const worker = await startWorker({ queue, store, log, concurrency, inspection, lockMs: LOCK });
		return { message: { type: 'ready' }, close: () => worker.close() };
	},
});
