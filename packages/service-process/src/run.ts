import { ProblemError } from '@steelyard/contracts';
import { openQueue, type Queue } from '@steelyard/queue';
import { addressOf, admitRedis, RedisUnsuitableError } from '@steelyard/redis';
import type { ServiceStore } from '@steelyard/store';
import pino, { type Logger } from 'pino';
import type { Static, TObject } from 'typebox';
import type { ServiceConfig } from './configuration.js';
import { ConfigError, readEnvironment, shownEnvironment } from './environment.js';
import { logOutput } from './log-output.js';
import { openServiceStore } from './open-store.js';
import { openTraces, type Traces } from './traces.js';

/** What a process of the service works with once Redis answers. The queue and the store are closed for it when it ends. */
export type ServiceParts<C extends ServiceConfig> = { config: C; queue: Queue; store: ServiceStore; log: Logger; traces: Traces | null };

/** A process that has started: the message that tells the parent so, and how its work is ended. */
export type Started = { message: object; close(): Promise<unknown> };

export type ServiceProcess<S extends TObject, C extends ServiceConfig> = {
	/** The name of its lines in the log, and of its spans in traces. */
	name: string;
	version: string;
	/** The environment variables that it reads. */
	environment: S;
	/** Its configuration, from variables that fit the schema. Throws ConfigError. */
	configOf(values: Static<S>): C;
	/** Longest that it may take to end, in milliseconds; it then exits with 1. */
	longestEndMs: number;
	/**
	 * Whether it may exit without closing anything because other processes take its work up again. It then does so when its parent has gone, and when
	 * it is told to end a second time; both exit with 1. Otherwise it closes in order, and a second order changes nothing.
	 */
	mayAbandonWork: boolean;
	/** The most milliseconds that its work waits for Redis at a time; as long as a worker can unless given. */
	longestWaitMs?: number;
	/** Starts its work. */
	start(parts: ServiceParts<C>): Promise<Started>;
};

/**
 * Runs a process of the service from its start to its end: reads the configuration and logs it without secrets, waits for Redis, opens the store and the
 * queue, starts the work, and sends the parent that forked it the message of `start`. SIGTERM ends it in order with code 0, as does SIGINT where it has
 * no parent, and the end of the parent. An error that nobody catches ends it with code 1, as does one during the start, which is written to stderr.
 */
export function runService<S extends TObject, C extends ServiceConfig>(service: ServiceProcess<S, C>): void {
	startService(service).catch((error: unknown) => {
		const isForTheUser = error instanceof ConfigError || error instanceof RedisUnsuitableError || error instanceof ProblemError;
		process.stderr.write(`${isForTheUser ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
		process.exit(1);
	});
}

async function startService<S extends TObject, C extends ServiceConfig>(service: ServiceProcess<S, C>): Promise<void> {
	const values = readEnvironment(service.environment, process.env);
	const config = service.configOf(values);
	const log = pino({ name: service.name, level: config.logLevel }, logOutput());
	const life = watchForTheEnd(service, log);

	log.info(
		{ configuration: shownEnvironment(service.environment, values), redis: config.redis && addressOf(config.redis.options) },
		'starting',
	);
	if (config.redis === null)
		throw new ConfigError('Set REDIS_URL, or start the whole service by "steelyard serve", which brings its own Redis');
	const { options, launchedByParent } = config.redis;
	const { store, close: closeStore } = await openServiceStore(config);
	life.onEnd(closeStore);
	const note = launchedByParent ? null : await admitRedis(options, config.prefix);
	if (note !== null) log.warn({}, note);
	const queue = await openQueue({
		...{ redis: options, prefix: config.prefix, store, log },
		...(config.projectRunning === null ? {} : { mostRunning: config.projectRunning }),
		...(service.longestWaitMs === undefined ? {} : { longestMs: service.longestWaitMs }),
	});
	life.onEnd(() => queue.close());
	if (life.isEnding()) return;
	const traces = await openTraces(config, { name: service.name, version: service.version, log });
	if (traces !== null) life.onEnd(() => traces.close());
	const { message, close } = await service.start({ config, queue, store, log, traces });
	life.onEnd(close);
	if (!life.isEnding()) process.send?.(message);
}

type Life = {
	/** Has something closed when the process ends; what was opened last is closed first. */
	onEnd(close: () => Promise<unknown>): void;
	isEnding(): boolean;
};

/** Ends the process when it is told to, when its parent has gone, and after an error that nobody caught. */
function watchForTheEnd(
	{ longestEndMs, mayAbandonWork }: Pick<ServiceProcess<TObject, ServiceConfig>, 'longestEndMs' | 'mayAbandonWork'>,
	log: Logger,
): Life {
	const closers: (() => Promise<unknown>)[] = [];
	let ending = false;

	async function end(reason: string, code: number): Promise<void> {
		if (ending) return;
		ending = true;
		log.info({ reason }, 'ending');
		setTimeout(() => {
			log.error('did not end in time');
			process.exit(1);
		}, longestEndMs).unref();
		for (const close of closers.reverse()) await close().catch((error: unknown) => log.error({ err: error }, 'could not close'));
		process.exit(code);
	}
	function onSignal(signal: NodeJS.Signals): void {
		if (ending && mayAbandonWork) process.exit(1);
		void end(signal, 0);
	}
	function onParentGone(): void {
		if (!mayAbandonWork) return void end('the parent has gone', 0);
		log.error('the parent has gone');
		process.exit(1);
	}

	// The parent asks from time to time, and kills a process that no longer answers.
	process.on('message', (message: { type?: string }) => message.type === 'ping' && process.send?.({ type: 'pong' }, () => {}));
	process.on('SIGTERM', onSignal);
	if (process.send === undefined) process.on('SIGINT', onSignal);
	else {
		// A terminal's Ctrl-C reaches the parent too, which then says when this process is to end.
		process.on('SIGINT', () => {});
		process.on('disconnect', onParentGone);
		if (!process.connected) onParentGone();
	}
	process.on('uncaughtException', (error) => {
		log.fatal({ err: error }, 'an error that nobody caught');
		void end('an error that nobody caught', 1);
	});
	return { onEnd: (close) => void closers.push(close), isEnding: () => ending };
}
