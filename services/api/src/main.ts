import './small-heap.js';
import { launchRedis, openQueue } from '@steelyard/queue';
import { openStore } from '@steelyard/store';
import type { RedisOptions } from 'ioredis';
import pino from 'pino';
import { ConfigError, readConfig, shownConfig } from './config.js';
import { type Server, startServer } from './server.js';

/** What the process tells the one that forked it. */
export type ApiMessage = { type: 'listening'; address: string };

/** Longest life after the order to end, in milliseconds. */
const LAST = 5000;

async function main(): Promise<void> {
	const config = readConfig(process.env);
	const log = pino({ name: 'api', level: config.logLevel });
	const closers: (() => Promise<unknown>)[] = [];
	let ending = false;

	async function end(reason: string, code: number): Promise<void> {
		if (ending) return;
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
		process.on('disconnect', () => void end('the parent has gone', 0));
		if (!process.connected) return end('the parent has gone', 0);
	}
	process.on('uncaughtException', (error) => {
		log.fatal({ err: error }, 'a fault outside any request');
		void end('a fault', 1);
	});

	log.info(shownConfig(config), 'starting');
	if (config.redis === null)
		throw new ConfigError('Set REDIS_URL, or start the whole service by "steelyard serve", which brings its own Redis');
	const store = await openStore(config.home);
	let redis: RedisOptions;
	if ('options' in config.redis) redis = config.redis.options;
	else {
		const launched = await launchRedis({ home: config.home, url: config.redis.url, log });
		if (launched.note !== null) log.warn({ kind: launched.kind }, launched.note);
		closers.push(() => launched.close());
		redis = launched.options;
	}
	const queue = await openQueue({ redis, prefix: config.prefix, store, log });
	closers.push(() => queue.close());
	// A Redis that was lost, or that keeps nothing, learns of the jobs before anybody asks for them.
	const queued = await queue.jobs.rebuild();
	if (queued > 0) log.warn({ queued }, 'jobs were queued again from their records in the store');
	const models = await queue.inspections.rebuild();
	if (models > 0) log.warn({ models }, 'models were queued for inspection again');
	const server: Server = await startServer({ config, port: config.port, queue, store, log });
	closers.push(() => server.close(LAST - 1000));
	if (ending) return;
	log.info({ address: server.address }, 'listening');
	process.send?.({ type: 'listening', address: server.address } satisfies ApiMessage);
}

main().catch((error: unknown) => {
	process.stderr.write(`${error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
	process.exit(1);
});
