import { launchRedis, openQueue, type QueueOptions } from '@steelyard/queue';
import { openStore } from '@steelyard/store';
import pino from 'pino';
import { ConfigError, readConfig } from './config.js';
import { startWorker } from './worker.js';

/** What the process tells the one that forked it, once it takes jobs. */
export type WorkerMessage = { type: 'ready' };

/** Longest life after the order to end, in milliseconds: a checkpoint is written, the job handed back, Redis let go. */
const LAST = 18_000;

async function main(): Promise<void> {
	const config = readConfig(process.env);
	const log = pino({ name: 'worker', level: config.logLevel });
	const closers: (() => Promise<unknown>)[] = [];
	let ending = false;

	async function end(reason: string, code: number): Promise<void> {
		// Asked twice: trainers go with this process, and their jobs are taken up again from their last checkpoints.
		if (ending) return reason === 'SIGTERM' || reason === 'SIGINT' ? process.exit(1) : undefined;
		ending = true;
		log.info({ reason }, 'ending');
		setTimeout(() => {
			log.error('did not end in time');
			process.exit(1);
		}, LAST).unref();
		for (const close of closers.reverse()) await close().catch((error: unknown) => log.error({ err: error }, 'could not close'));
		process.exit(code);
	}
	process.on('SIGTERM', () => void end('SIGTERM', 0));
	if (process.send === undefined) process.on('SIGINT', () => void end('SIGINT', 0));
	else {
		// A terminal's Ctrl-C reaches the whole group: the parent hears it too, and says when.
		process.on('SIGINT', () => {});
		// Redis goes with the parent or is ended by the next start, which also queues again what runs here now: nobody is left to hand it back to.
		const alone = () => {
			log.error('the parent has gone');
			process.exit(1);
		};
		process.on('disconnect', alone);
		if (!process.connected) alone();
	}
	process.on('uncaughtException', (error) => {
		log.fatal({ err: error }, 'a fault outside any job');
		void end('a fault', 1);
	});

	log.info({ home: config.home, concurrency: config.concurrency }, 'starting');
	const store = await openStore(config.home);
	let redis: QueueOptions['redis'];
	if ('options' in config.redis) redis = config.redis.options;
	else {
		const launched = await launchRedis({ home: config.home, url: config.redis.url, log });
		if (launched.note !== null) log.warn({ kind: launched.kind }, launched.note);
		closers.push(() => launched.close());
		redis = launched.options;
	}
	const queue = await openQueue({ redis, prefix: config.prefix, store, log });
	closers.push(() => queue.close());
	if (ending) return;
	const worker = await startWorker({ queue, store, log, concurrency: config.concurrency, inspection: config.inspection });
	closers.push(() => worker.close());
	log.info({ worker: worker.status.id }, 'taking jobs');
	process.send?.({ type: 'ready' } satisfies WorkerMessage);
}

main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
	process.exit(1);
});
