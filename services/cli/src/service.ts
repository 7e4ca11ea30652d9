import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Log, launchRedis, lockHome, openQueue } from '@steelyard/queue';
import { openStore } from '@steelyard/store';

export type ServiceOptions = {
	/** The data folder. */
	home: string;
	host?: string;
	/** 0 takes a free one. */
	port?: number;
	/** Told what a person should know: notices, and children that died. */
	notify?: (message: string) => void;
	/** Where the parts log: to `<home>/logs/<part>.log`, or to this process's stderr. `LOG` unless given, else to files. */
	log?: 'file' | 'stderr';
	env?: NodeJS.ProcessEnv;
};

export type Service = {
	/** Where the API listens. */
	readonly url: string;
	/** Stops training after a checkpoint, then the API, then Redis; leaves no process behind. */
	close(): Promise<void>;
};

/** Longest that a part may take to come up, and to end when told to, in milliseconds. */
const START = 120_000;
const STOP = { api: 7000, worker: 20_000 };
/** A log of more bytes is set aside when its part starts, in place of the one before it. */
const LOG_LIMIT = 16 * 1024 ** 2;
/** Bytes of a log that tell why its part did not start. */
const TAIL = 64 * 1024;
/** Pause before a part that died is started again; doubles with every death up to the longest. */
const PAUSE = { first: 500, longest: 30_000 };

type Part = 'api' | 'worker';
/** A small young generation: uploads and downloads are short-lived buffers, and V8 would let them take 30 MB more before it looks. */
const HEAP = ['--max-semi-space-size=2'];
const ENTRIES: Readonly<Record<Part, () => string>> = {
	api: () => import.meta.resolve('@steelyard/api/main'),
	worker: () => import.meta.resolve('@steelyard/worker/main'),
};
const entryOf = (part: Part): string => fileURLToPath(ENTRIES[part]());

/** A service that did not come up, with the last lines of what it said. */
export class ServiceStartError extends Error {
	override readonly name = 'ServiceStartError';
	readonly code = 'service_start';
}

async function openLog(file: string): Promise<{ fd: number; end: number; close(): Promise<void> }> {
	const size = await stat(file).then(
		(found) => found.size,
		() => 0,
	);
	if (size > LOG_LIMIT) await rename(file, `${file}.1`);
	const log = await open(file, 'a');
	return { fd: log.fd, end: (await log.stat()).size, close: () => log.close() };
}

/** What was written to a log after byte `from` for people to read: what is no JSON, or where there is none the last lines. */
async function wordsIn(file: string, from: number): Promise<string> {
	const log = await open(file, 'r');
	try {
		const start = Math.max(from, (await log.stat()).size - TAIL);
		const { buffer, bytesRead } = await log.read(Buffer.alloc(TAIL), 0, TAIL, start);
		const said = buffer.toString('utf8', 0, bytesRead).trim().split('\n');
		return said.filter((line) => !line.startsWith('{')).join('\n') || said.slice(-3).join('\n');
	} finally {
		await log.close();
	}
}

type Start = {
	part: Part;
	env: NodeJS.ProcessEnv /** null: this process's stderr. */;
	logFile: string | null /** Told of the process while it is not ready yet. */;
	forked(child: ChildProcess): void;
};

/** Forks one part; resolves with its first message, which says that it is ready. Throws ServiceStartError. */
async function start({ part, env, logFile, forked }: Start): Promise<{ child: ChildProcess; message: Record<string, unknown> }> {
	const log = logFile === null ? null : await openLog(logFile);
	const sink = log?.fd ?? 2;
	const child = fork(entryOf(part), { env, execArgv: HEAP, stdio: ['ignore', sink, sink, 'ipc'] });
	forked(child);
	await log?.close();
	return new Promise((ready, refuse) => {
		const timer = setTimeout(() => child.kill('SIGKILL'), START);
		child.once('message', (message) => {
			clearTimeout(timer);
			child.off('exit', died);
			ready({ child, message: message as Record<string, unknown> });
		});
		const died = async (code: number | null, signal: NodeJS.Signals | null): Promise<void> => {
			clearTimeout(timer);
			const words =
				logFile === null
					? `it ended with ${signal ?? `code ${code}`}`
					: await wordsIn(logFile, log?.end ?? 0).catch((error: Error) => error.message);
			const reason = words.includes('EADDRINUSE')
				? `${env['HOST']}:${env['PORT']} is in use: end what listens there, or choose another port by --port or PORT`
				: words;
			refuse(new ServiceStartError(`the ${part} did not start: ${reason}`));
		};
		child.once('exit', died);
		child.once('error', refuse);
	});
}

async function end(child: ChildProcess | undefined, milliseconds: number): Promise<void> {
	if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
	const gone = new Promise((done) => child.once('exit', done));
	child.kill('SIGTERM');
	const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
	await gone;
	clearTimeout(timer);
}

/**
 * Starts the whole service on one machine: Redis unless REDIS_URL names one, the API and a worker, each a process of its own. A part that dies is started
 * again. Throws HomeLockedError, RedisStartError, RedisUnsuitableError or ServiceStartError, whose messages say what to do.
 */
export async function startService({
	home: folder,
	host = '127.0.0.1',
	port = 8080,
	notify = () => {},
	env = process.env,
	log: logTo,
}: ServiceOptions): Promise<Service> {
	const home = resolve(folder);
	const logs = (logTo ?? env['LOG']) === 'stderr' ? null : join(home, 'logs');
	await mkdir(logs ?? home, { recursive: true });
	const logOf = (part: Part): string | null => (logs === null ? null : join(logs, `${part}.log`));
	const lock = await lockHome(home);
	const children: Partial<Record<Part, ChildProcess>> = {};
	const pauses = new Set<NodeJS.Timeout>();
	let closing = false;
	const log: Log = { info() {}, warn: (_, message) => notify(message), error: (_, message) => notify(message) };
	const redis = await launchRedis({ home, env, log }).catch(async (error: unknown) => {
		await lock.release();
		throw error;
	});
	if (redis.note !== null) notify(redis.note);

	/** A process that leaves without closing takes its parts with it. */
	const leave = (): void => {
		for (const child of Object.values(children)) child.kill('SIGKILL');
	};
	process.on('exit', leave);

	const close = async (): Promise<void> => {
		closing = true;
		for (const pause of pauses) clearTimeout(pause);
		// Also what is only just starting.
		await end(children.worker, STOP.worker);
		await end(children.api, STOP.api);
		await redis.close();
		process.off('exit', leave);
		await lock.release();
	};

	const partEnv = (bound: number): NodeJS.ProcessEnv => ({
		...env,
		STEELYARD_HOME: home,
		HOST: host,
		PORT: String(bound),
		...(redis.kind === 'url' ? {} : { REDIS_URL: '', STEELYARD_REDIS: JSON.stringify(redis.options) }),
	});
	const begin = (part: Part, bound: number) =>
		start({
			part,
			env: partEnv(bound),
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
		// It may have died while the other part was still coming up.
		if (child.exitCode !== null || child.signalCode !== null) died(child.exitCode, child.signalCode);
		else child.once('exit', died);
	};

	try {
		if (redis.kind !== 'url') {
			// This installation's own Redis: what ran when it was killed runs nowhere now.
			const prefix = env['STEELYARD_PREFIX'];
			const queue = await openQueue({ redis: redis.options, store: await openStore(home), ...(prefix ? { prefix } : {}) });
			await queue.jobs.rebuild({ alone: true });
			await queue.inspections.rebuild({ alone: true });
			await queue.close();
		}
		const [api, worker] = await Promise.allSettled([begin('api', port), begin('worker', port)]);
		if (api.status === 'rejected') throw api.reason;
		if (worker.status === 'rejected') throw worker.reason;
		const url = api.value.message['address'] as string;
		const bound = Number(new URL(url).port);
		keep('api', api.value.child, bound);
		keep('worker', worker.value.child, bound);
		return {
			url,
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}
