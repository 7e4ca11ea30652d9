import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchRedis, type Log, lockHome, openQueue } from '@steelyard/queue';
import { openStore } from '@steelyard/store';

export type ServiceOptions = {
	/** The data folder. */
	home: string;
	host?: string;
	/** 0 takes a free one. */
	port?: number;
	/** Told what a person should know: notices, and children that died. */
	notify?: (message: string) => void;
	env?: NodeJS.ProcessEnv;
};

export type Service = {
	/** Where the API listens. */
	readonly url: string;
	/** Stops training after a checkpoint, then the API, then Redis; leaves no process behind. */
	close(): Promise<void>;
	/** Ends every process at once. */
	kill(): void;
};

/** Longest that a part may take to come up, and to end when told to, in milliseconds. */
const START = 120_000;
const STOP = { api: 7000, worker: 20_000 };
/** Pause before a part that died is started again; doubles with every death up to the longest. */
const PAUSE = { first: 500, longest: 30_000 };

type Part = 'api' | 'worker';
/** A small young generation: uploads and downloads are short-lived buffers, and V8 would let them take 30 MB more before it looks. */
const HEAP = ['--max-semi-space-size=2'];
const entryOf = (part: Part): string => fileURLToPath(import.meta.resolve(`@steelyard/${part}/main`));

/** A service that did not come up, with the last lines of what it said. */
export class ServiceStartError extends Error {
	override readonly name = 'ServiceStartError';
	readonly code = 'service_start';
}

/** One forked part; `ready` resolves with its first message. */
async function start(part: Part, env: NodeJS.ProcessEnv, logFile: string): Promise<{ child: ChildProcess; message: Record<string, unknown> }> {
	const log = await open(logFile, 'a');
	const from = (await log.stat()).size;
	const child = fork(entryOf(part), { env, execArgv: HEAP, stdio: ['ignore', log.fd, log.fd, 'ipc'] });
	await log.close();
	return new Promise((ready, refuse) => {
		const timer = setTimeout(() => child.kill('SIGKILL'), START);
		child.once('message', (message) => {
			clearTimeout(timer);
			child.off('exit', died);
			ready({ child, message: message as Record<string, unknown> });
		});
		const died = async (): Promise<void> => {
			clearTimeout(timer);
			const file = await open(logFile, 'r');
			const said = (await file.readFile('utf8')).slice(from).trim().split('\n');
			await file.close();
			const words = said.filter((line) => !line.startsWith('{')).join('\n') || said.slice(-3).join('\n');
			refuse(new ServiceStartError(`the ${part} did not start: ${words}`));
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
export async function startService({ home: folder, host = '127.0.0.1', port = 8080, notify = () => {}, env = process.env }: ServiceOptions): Promise<Service> {
	const home = resolve(folder);
	const logs = join(home, 'logs');
	await mkdir(logs, { recursive: true });
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

	const close = async (): Promise<void> => {
		closing = true;
		for (const pause of pauses) clearTimeout(pause);
		await end(children.worker, STOP.worker);
		await end(children.api, STOP.api);
		await redis.close();
		await lock.release();
	};

	const partEnv = (bound: number): NodeJS.ProcessEnv => ({
		...env,
		STEELYARD_HOME: home,
		HOST: host,
		PORT: String(bound),
		...(redis.kind === 'url' ? {} : { REDIS_URL: '', STEELYARD_REDIS: JSON.stringify(redis.options) }),
	});
	const keep = (part: Part, child: ChildProcess, bound: number, deaths = 0): void => {
		children[part] = child;
		const born = performance.now();
		child.once('exit', (code, signal) => {
			if (closing) return;
			const count = performance.now() - born > PAUSE.longest ? 0 : deaths;
			const wait = Math.min(PAUSE.longest, PAUSE.first * 2 ** count);
			notify(`the ${part} ended with ${signal ?? `code ${code}`}; it is started again in ${wait / 1000} s (see ${join(logs, `${part}.log`)})`);
			const again = (): void => {
				pauses.delete(timer);
				start(part, partEnv(bound), join(logs, `${part}.log`)).then(
					({ child: next }) => (closing ? end(next, 0) : keep(part, next, bound, count + 1)),
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
		});
	};

	try {
		if (redis.kind !== 'url') {
			// This installation's own Redis: what ran when it was killed runs nowhere now.
			const queue = await openQueue({ redis: redis.options, store: await openStore(home) });
			await queue.jobs.rebuild({ alone: true });
			await queue.close();
		}
		const [api, worker] = await Promise.allSettled([
			start('api', partEnv(port), join(logs, 'api.log')),
			start('worker', partEnv(port), join(logs, 'worker.log')),
		]);
		if (api.status === 'fulfilled') children.api = api.value.child;
		if (worker.status === 'fulfilled') children.worker = worker.value.child;
		if (api.status === 'rejected') throw api.reason;
		if (worker.status === 'rejected') throw worker.reason;
		const url = api.value.message['address'] as string;
		const bound = Number(new URL(url).port);
		keep('api', api.value.child, bound);
		keep('worker', worker.value.child, bound);
		return {
			url,
			close,
			kill() {
				closing = true;
				for (const child of Object.values(children)) child.kill('SIGKILL');
			},
		};
	} catch (error) {
		await close();
		throw error;
	}
}
