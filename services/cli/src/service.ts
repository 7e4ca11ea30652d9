import type { ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openQueue } from '@steelyard/queue';
import { type Log, launchRedis, lockHome } from '@steelyard/redis';
import { bucketOf, namedRedis, openServiceStore, readEnvironment } from '@steelyard/service-process';
import { makeFolder } from '@steelyard/store';
import { checkAddress } from './check-address.js';
import { StartEnvironment } from './environment.js';
import { endPart, type Part, ServiceStartError, startPart, watchPart } from './part.js';
import { boundLog } from './part-log.js';

export type ServiceOptions = {
	/** The data folder. */
	home: string;
	host?: string;
	/** 0 takes a free one. */
	port?: number;
	/** Called with what a person should know: notices, and parts that died. */
	notify?: (message: string) => void;
	/** Where the parts log: to `<home>/logs/<part>.log`, or to this process's stderr. As the variable LOG says unless given. */
	log?: 'file' | 'stderr';
	/** The environment that the service reads and its parts inherit; that of this process unless given. */
	env?: NodeJS.ProcessEnv;
};

export type Service = {
	/** Where the API listens. */
	readonly url: string;
	/** Stops training after a checkpoint, then the API, then Redis; leaves no process behind. */
	close(): Promise<void>;
};

/** Longest that a part may take to end when it is told to, in milliseconds. */
const LONGEST_END = { api: 7000, worker: 20_000 };
/** Milliseconds between two looks at the sizes of the logs. */
const BOUND_LOGS_EVERY = 10_000;
/** Milliseconds before a part that died is started again; doubled with every death, up to the longest. */
const PAUSE = { first: 500, longest: 30_000 };

/**
 * Starts the whole service on one machine: Redis unless REDIS_URL names one, the API and a worker, each a process of its own. A part that dies is started
 * again. Throws ConfigError, HomeLockedError, RedisStartError, RedisUnsuitableError or ServiceStartError, whose messages say what to do.
 */
export async function startService({
	home: folder,
	host = '127.0.0.1',
	port = 8080,
	notify = () => {},
	env = process.env,
	log: logTo,
}: ServiceOptions): Promise<Service> {
	const { REDIS_SERVER_BIN, STEELYARD_PREFIX, STEELYARD_STORE, STEELYARD_CACHE_BYTES, LOG, ...named } = readEnvironment(
		StartEnvironment,
		env,
	);
	const bucket = STEELYARD_STORE === undefined ? null : bucketOf(STEELYARD_STORE);
	const namedByUser = namedRedis(named) ?? undefined;
	const home = resolve(folder);
	const logs = (logTo ?? LOG) === 'stderr' ? null : join(home, 'logs');
	await checkAddress(host, port).catch((error: Error) => {
		throw new ServiceStartError(error.message);
	});
	await makeFolder(home);
	if (logs !== null) await mkdir(logs, { recursive: true, mode: 0o700 });
	const logOf = (part: Part): string | null => (logs === null ? null : join(logs, `${part}.log`));
	const lock = await lockHome(home);
	const children: Partial<Record<Part, ChildProcess>> = {};
	const pauses = new Set<NodeJS.Timeout>();
	let closing = false;
	const log: Log = { info() {}, warn: (_, message) => notify(message), error: (_, message) => notify(message) };
	const { STEELYARD_API_KEY: _key, ...withoutKey } = env;
	const redis = await launchRedis({
		home,
		given: namedByUser,
		prefix: STEELYARD_PREFIX,
		binary: REDIS_SERVER_BIN,
		env: withoutKey,
		log,
	}).catch(async (error: unknown) => {
		await lock.release();
		throw error;
	});
	if (redis.note !== null) notify(redis.note);

	/** This process takes its parts with it when it exits without closing. */
	const killParts = (): void => {
		for (const child of Object.values(children)) child.kill('SIGKILL');
	};
	process.on('exit', killParts);

	const bounding = setInterval(() => {
		for (const part of ['api', 'worker'] as const) {
			const file = logOf(part);
			if (file !== null) void boundLog(file).catch((error: Error) => notify(`the log of the ${part} could not be cut: ${error.message}`));
		}
	}, BOUND_LOGS_EVERY);
	bounding.unref();

	const close = async (): Promise<void> => {
		closing = true;
		clearInterval(bounding);
		for (const pause of pauses) clearTimeout(pause);
		// The worker before Redis, to which it hands its jobs back. This ends parts too that are only just starting.
		await endPart(children.worker, LONGEST_END.worker);
		await endPart(children.api, LONGEST_END.api);
		await redis.close();
		process.off('exit', killParts);
		await lock.release();
	};

	const partEnv = (part: Part, bound: number): NodeJS.ProcessEnv => ({
		...(part === 'api' ? env : withoutKey),
		STEELYARD_HOME: home,
		HOST: host,
		PORT: String(bound),
		// A part waits for a Redis that the user named, and checks it; the one that was launched here is up.
		STEELYARD_REDIS: redis.kind === 'url' ? '' : JSON.stringify(redis.options),
	});
	const begin = (part: Part, bound: number) =>
		startPart({
			part,
			env: partEnv(part, bound),
			logFile: logOf(part),
			forked(child) {
				children[part] = child;
				if (closing) child.kill('SIGKILL');
			},
		});
	const keep = (part: Part, child: ChildProcess, bound: number, deaths = 0): void => {
		const born = performance.now();
		const died = (code: number | null, signal: NodeJS.Signals | null): void => {
			if (closing) return;
			const count = performance.now() - born > PAUSE.longest ? 0 : deaths;
			const wait = Math.min(PAUSE.longest, PAUSE.first * 2 ** count);
			const see = logs === null ? '' : ` (see ${logOf(part)})`;
			notify(`the ${part} ended with ${signal ?? `code ${code}`}; it is started again in ${wait / 1000} s${see}`);
			const again = (): void => {
				pauses.delete(timer);
				begin(part, bound).then(
					({ child: next }) => keep(part, next, bound, count + 1),
					(error: Error) => {
						if (closing) return;
						notify(error.message);
						const later = setTimeout(again, PAUSE.longest);
						pauses.add(later);
					},
				);
			};
			const timer = setTimeout(again, wait);
			pauses.add(timer);
		};
		watchPart(child);
		// It may have died while the other part was still coming up.
		if (child.exitCode !== null || child.signalCode !== null) died(child.exitCode, child.signalCode);
		else child.once('exit', died);
	};

	try {
		if (redis.kind !== 'url') {
			// This installation's own Redis: what ran when it was killed runs nowhere now.
			const { store, close: closeStore } = await openServiceStore({ home, bucket, cacheBytes: STEELYARD_CACHE_BYTES });
			const queue = await openQueue({ redis: redis.options, store, prefix: STEELYARD_PREFIX });
			try {
				await queue.jobs.rebuild({ alone: true });
				await queue.inspections.rebuild({ alone: true });
			} finally {
				// Its connections would keep a process alive that has nothing more to do.
				await queue.close();
				await closeStore();
			}
		}
		const [api, worker] = await Promise.allSettled([begin('api', port), begin('worker', port)]);
		if (api.status === 'rejected') throw api.reason;
		if (worker.status === 'rejected') throw worker.reason;
		const url = api.value.message['address'] as string;
		const bound = Number(new URL(url).port);
		keep('api', api.value.child, bound);
		keep('worker', worker.value.child, bound);
		return { url, close };
	} catch (error) {
		await close();
		throw error;
	}
}
