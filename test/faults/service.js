import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, launchRedis, serverOnPath } from '@steelyard/redis';
import { openProxy } from './proxy.js';

const ENTRIES = {
	api: fileURLToPath(import.meta.resolve('@steelyard/api/main')),
	worker: fileURLToPath(new URL('worker.js', import.meta.url)),
};
/** Milliseconds before a part that has ended is started again. */
const PAUSE = 200;

/** Resolves once `condition` holds, with what it gives. Throws Error after `longestMs` milliseconds, with what it threw last. */
export async function until(/** @type {string} */ what, /** @type {() => Promise<any>} */ condition, longestMs = 120_000) {
	let last = null;
	for (const end = Date.now() + longestMs; Date.now() < end; await delay(50)) {
		try {
			const found = await condition();
			if (found) return found;
		} catch (error) {
			last = error;
		}
	}
	throw new Error(`waited ${longestMs / 1000} s for: ${what}${last === null ? '' : ` (${last.message})`}`, { cause: last });
}

/** The processes that live, each with its parent, its command line and its environment (Linux). */
export async function processes() {
	const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
	return Promise.all(
		ids.map(async (pid) => {
			const read = (/** @type {string} */ file) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
			const [status, command, environment] = await Promise.all([read('status'), read('cmdline'), read('environ')]);
			return { pid, parent: Number(/^PPid:\t(\d+)/m.exec(status)?.[1]), command, environment };
		}),
	);
}

/** Sends a signal to a process that may have gone meanwhile. */
export function signal(/** @type {number | undefined} */ pid, /** @type {NodeJS.Signals} */ name) {
	try {
		if (pid !== undefined) process.kill(pid, name);
	} catch (error) {
		if (error.code !== 'ESRCH') throw error;
	}
}

/** The process of the Redis of a data folder; undefined where there is none now. */
export const redisPid = async (/** @type {string} */ home) =>
	JSON.parse(await readFile(join(home, 'redis/server.json'), 'utf8').catch(() => '{}')).pid;

/**
 * Starts Redis, the API and two workers on a data folder, each a process of its own that is started again when it ends. The API and the workers reach Redis through
 * `proxy`. `redisKind`: the program where there is one (`binary`), or the one in JavaScript. `disk`: that of the data folder, if it has one of its own. `clock`: what the
 * processes tell the time by, if not the system.
 */
export async function openService(/** @type {string} */ home, { redisKind = 'binary', disk = null, clock = null } = {}) {
	const { STEELYARD_API_KEY: _, ...inherited } = process.env;
	const env = { ...inherited, ...clock?.env };
	// The memory allocator of the server program asks for the time before the library can answer that sets it.
	const redis = await launchRedis(redisKind === 'binary' ? { home, binary: serverOnPath(), env: inherited } : { home, binary: null, env });
	await mkdir(join(home, 'logs'), { recursive: true });
	const connection = connect(redis.options);
	connection.on('error', () => {});
	const proxy = await openProxy(redis.options);
	let closing = false;
	let port = 0;

	/** Starts a part and keeps it. `child` is its newest process, `started` whether one has ever started, `ended` resolves after the last of them. */
	function keep(/** @type {'api' | 'worker'} */ name, /** @type {string} */ log) {
		const part = { child: null, started: false, ended: Promise.resolve() };
		const run = async () => {
			while (!closing) {
				const file = await open(join(home, 'logs', log), 'a');
				const child = fork(ENTRIES[name], {
					env: { ...env, STEELYARD_HOME: home, HOST: '127.0.0.1', PORT: String(port), STEELYARD_REDIS: JSON.stringify(proxy.options) },
					execArgv: [],
					stdio: ['ignore', file.fd, file.fd, 'ipc'],
				});
				part.child = child;
				const gone = once(child, 'exit');
				child.once('message', (message) => {
					if (name === 'api') port = Number(new URL(message.address).port);
					part.started = true;
				});
				await file.close();
				await gone;
				if (!closing) await delay(PAUSE);
			}
		};
		part.ended = run();
		return part;
	}

	const api = keep('api', 'api.log');
	const workers = [keep('worker', 'worker-0.log'), keep('worker', 'worker-1.log')];
	const close = async () => {
		if (closing) return;
		closing = true;
		connection.disconnect();
		for (const { child } of [...workers, api]) signal(child?.pid, 'SIGCONT');
		for (const { child } of workers) child?.kill('SIGTERM');
		await Promise.all(workers.map(({ ended }) => ended));
		api.child?.kill('SIGTERM');
		await api.ended;
		await proxy.close();
		await redis.close();
	};
	try {
		await until('the start of the parts', async () => [api, ...workers].every(({ started }) => started));
	} catch (error) {
		await close();
		throw error;
	}
	return {
		home,
		redis,
		proxy,
		disk,
		clock,
		connection,
		get url() {
			return `http://127.0.0.1:${port}`;
		},
		/** The ids of the processes that live; `trainers` by worker. */
		async pids() {
			const found = await processes();
			const trainersOf = (/** @type {number | undefined} */ worker) =>
				found.filter(({ parent, command }) => parent === worker && command.includes('trainer-child')).map(({ pid }) => pid);
			const ofWorkers = workers.map(({ child }) => child?.pid);
			return {
				service: undefined,
				redis: await redisPid(home),
				api: api.child?.pid,
				workers: ofWorkers,
				trainers: ofWorkers.map(trainersOf),
			};
		},
		close,
	};
}
