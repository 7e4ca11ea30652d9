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
 * Starts a Redis of our own below `<home>/redis`, on a unix socket and never a port: the binary, or with `null` the one in JavaScript.
 * Throws HomeLockedError where another start has one there, RedisStartError where it does not come up. `died` is called if it ends by itself.
 */
export async function startEmbedded(home: string, binary: string | null, died: (how: string) => void): Promise<EmbeddedRedis> {
	const folder = resolve(home, 'redis');
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const recordFile = join(folder, 'server.json');
	const logFile = join(folder, 'redis.log');
	const lock = await lockHome(folder);
	let socket: SocketPath | null = null;
	let child: ChildProcess | null = null;
	let ended: Promise<unknown> = Promise.resolve();
	let closing = false;

	async function close(): Promise<void> {
		closing = true;
		if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
			child.kill('SIGTERM');
			const force = setTimeout(() => child?.kill('SIGKILL'), STOP);
			await ended;
			clearTimeout(force);
		}
		if (socket !== null) await removeSocket(socket);
		await rm(recordFile, { force: true });
		await lock.release();
	}

	try {
		await endOrphan(folder, recordFile);
		socket = await makeSocketPath(folder, SOCKET);
		let failure: string | null = null;
		const output = await open(logFile, 'w');
		const started = begin(binary, folder, socket, output.fd);
		child = started;
		ended = onceEvent(started, 'exit').then(
			([code, signal]: unknown[]) => {
				failure = code === null ? `was ended by ${String(signal)}` : `ended with code ${String(code)}`;
			},
			(error: Error) => {
				failure = `could not be run: ${error.message}`;
			},
		);
		await output.close();
		if (started.pid !== undefined) {
			const record: ServerRecord = { pid: started.pid, identity: (await identityOf(started.pid)) ?? '', socket };
			await writeFile(`${recordFile}.new`, JSON.stringify(record));
			await rename(`${recordFile}.new`, recordFile);
		}
		for (const end = Date.now() + START; !(await answers(optionsFor(socket))); await Promise.race([ended, delay(10)])) {
			const name = binary ?? 'the Redis in JavaScript';
			if (failure !== null) throw new RedisStartError(`${name} ${String(failure)}\n${await lastLines(logFile)}`.trim());
			if (Date.now() > end)
				throw new RedisStartError(`${name} does not answer after ${START / 1000} s\n${await lastLines(logFile)}`.trim());
		}
		void ended.then(() => {
			if (!closing) died(failure ?? 'ended');
		});
		return { options: optionsFor(socket), close };
	} catch (error) {
		await close();
		throw error;
	}
}
