import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once as onceEvent } from 'node:events';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RedisOptions } from 'ioredis';
import { lockHome } from './lock-home.js';
import { endProcess, identityOf } from './process-identity.js';
import { once } from './redis-facts.js';
import { makeSocketPath, removeSocket, type SocketPath } from './socket-path.js';

/** How long a server may take until it answers, an append-only file to be read included, in milliseconds. */
const START = 60_000;
/** How long a server may take to write what it holds and end, in milliseconds. */
const STOP = 5000;

/** Milliseconds before a server that ended by itself is started again, at first and at most. */
const PAUSE = 200;
const LONGEST_PAUSE = 10_000;

const SOCKET = 'redis.sock';

/** Seen from the sources as from what is built. */
const JAVASCRIPT_SERVER = fileURLToPath(new URL('../dist/javascript-server.js', import.meta.url));

/** What a start leaves for the next, which may find that this one was killed. */
type ServerRecord = { pid: number; identity: string; socket: SocketPath };

export type EmbeddedRedis = { options: RedisOptions; close(): Promise<void> };

/** A Redis server that could not be started. */
export class RedisStartError extends Error {
	override readonly name = 'RedisStartError';
	readonly code = 'redis_start';
}

const optionsFor = (socket: SocketPath): RedisOptions => ({ path: socket.path });

const answers = (options: RedisOptions) =>
	once(options, (redis) => redis.ping()).then(
		() => true,
		() => false,
	);

/** Ends the server of a start that was killed. Only the holder of the folder's lock may do this: no other start can own it. */
async function endOrphan(folder: string, recordFile: string): Promise<void> {
	const text = await readFile(recordFile, 'utf8').catch(() => null);
	if (text !== null) {
		const { pid, identity, socket } = JSON.parse(text) as ServerRecord;
		await endProcess(pid, identity, STOP);
		await removeSocket(socket);
		await rm(recordFile, { force: true });
	}
	// Killed before it could write its record: the server is known by its socket alone.
	const nameless = { path: join(folder, SOCKET), folder: null };
	if (await answers(optionsFor(nameless))) {
		// It answers by going away.
		await once(optionsFor(nameless), (redis) => redis.shutdown()).catch(() => null);
		for (const end = Date.now() + STOP; await answers(optionsFor(nameless)); await delay(20)) {
			if (Date.now() > end) throw new RedisStartError(`A Redis of an earlier start still answers on ${nameless.path}: end it first`);
		}
	}
	await removeSocket(nameless);
}

async function lastLines(file: string): Promise<string> {
	const text = await readFile(file, 'utf8').catch(() => '');
	return text.trim().split('\n').slice(-5).join('\n');
}

/** Both servers get a process group of their own: a terminal's Ctrl-C is for the worker first, which still has things to tell them. */
function begin(binary: string | null, folder: string, socket: SocketPath, log: number): ChildProcess {
	if (binary === null) return fork(JAVASCRIPT_SERVER, [socket.path], { detached: true, execArgv: [], stdio: ['ignore', log, log, 'ipc'] });
	const settings = {
		port: '0',
		unixsocket: socket.path,
		unixsocketperm: '700',
		dir: './',
		appendonly: 'yes',
		save: '',
		'maxmemory-policy': 'noeviction',
		daemonize: 'no',
	};
	const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
	return spawn(binary, args, { cwd: folder, detached: true, stdio: ['ignore', log, log] });
}

/**
 * Starts a Redis of our own below `<home>/redis`, on a unix socket and never a port: the binary, or with `null` the one in JavaScript. One that
 * ends by itself is started again, after `died` was called with how it ended.
 * Throws HomeLockedError where another start has one there, RedisStartError where it does not come up.
 */
export async function startEmbedded(home: string, binary: string | null, died: (how: string) => void): Promise<EmbeddedRedis> {
	const folder = resolve(home, 'redis');
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const recordFile = join(folder, 'server.json');
	const logFile = join(folder, 'redis.log');
	const lock = await lockHome(folder);
	const closing = new AbortController();
	let socket: SocketPath | null = null;
	let child: ChildProcess | null = null;
	/** Resolves with how the child ended. */
	let ended: Promise<string> = Promise.resolve('was not started');

	/** Starts a server and waits until it answers. */
	async function up(at: SocketPath): Promise<void> {
		const output = await open(logFile, 'w');
		if (closing.signal.aborted) {
			await output.close();
			throw new RedisStartError('Redis is to end');
		}
		const started = begin(binary, folder, at, output.fd);
		child = started;
		let how: string | null = null;
		ended = onceEvent(started, 'exit').then(
			([code, signal]: unknown[]) => {
				how = code === null ? `was ended by ${String(signal)}` : `ended with code ${String(code)}`;
				return how;
			},
			(error: Error) => {
				how = `could not be run: ${error.message}`;
				return how;
			},
		);
		await output.close();
		if (started.pid !== undefined) {
			const record: ServerRecord = { pid: started.pid, identity: (await identityOf(started.pid)) ?? '', socket: at };
			await writeFile(`${recordFile}.new`, JSON.stringify(record));
			await rename(`${recordFile}.new`, recordFile);
		}
		for (const end = Date.now() + START; !(await answers(optionsFor(at))); await Promise.race([ended, delay(10)])) {
			const name = binary ?? 'the Redis in JavaScript';
			if (how !== null) throw new RedisStartError(`${name} ${String(how)}\n${await lastLines(logFile)}`.trim());
			if (Date.now() > end)
				throw new RedisStartError(`${name} does not answer after ${START / 1000} s\n${await lastLines(logFile)}`.trim());
		}
	}

	/** A process that leaves without closing takes its server with it; one that is killed cannot, and the next start clears up. */
	const leave = () => void child?.kill('SIGKILL');
	process.on('exit', leave);

	async function down(): Promise<void> {
		if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
		child.kill('SIGTERM');
		const force = setTimeout(() => child?.kill('SIGKILL'), STOP);
		await ended;
		clearTimeout(force);
	}

	/** Has a server that ends by itself started again, until there is none to have. */
	async function keepUp(at: SocketPath): Promise<void> {
		for (;;) {
			let how = await ended;
			for (let pause = PAUSE; !closing.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
				died(how);
				await delay(pause, null, { signal: closing.signal }).catch(() => null);
				await removeSocket({ path: at.path, folder: null });
				try {
					await up(at);
					break;
				} catch (error) {
					how = (error as Error).message;
					await down();
				}
			}
			if (closing.signal.aborted) return;
		}
	}

	let kept: Promise<void> = Promise.resolve();
	async function close(): Promise<void> {
		closing.abort();
		await down();
		await kept;
		process.off('exit', leave);
		if (socket !== null) await removeSocket(socket);
		await rm(recordFile, { force: true });
		await lock.release();
	}

	try {
		await endOrphan(folder, recordFile);
		socket = await makeSocketPath(folder, SOCKET);
		await up(socket);
		kept = keepUp(socket);
		return { options: optionsFor(socket), close };
	} catch (error) {
		await close();
		throw error;
	}
}
