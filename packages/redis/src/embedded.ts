import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RedisOptions } from 'ioredis';
import { onConnection } from './connection.js';
import { lockHome } from './lock-home.js';
import { endProcess, identityOf } from './process-identity.js';
import { makeSocketPath, removeSocket, type SocketPath } from './socket-path.js';

/** How long a server may take until it answers, in milliseconds; it reads its append-only file first. */
const START = 60_000;
/** How long a server may take to write what it holds and end, in milliseconds. */
const STOP = 5000;

/** Milliseconds before a server that ended by itself is started again; doubled after every failed start, up to the longest. */
const PAUSE = 200;
const LONGEST_PAUSE = 10_000;

const SOCKET = 'redis.sock';

/** The compiled file, by a path that holds from `src` as well as from `dist`. */
const JAVASCRIPT_SERVER = fileURLToPath(new URL('../dist/javascript-server.js', import.meta.url));

/** What a start writes down about its server, for a next start that finds it orphaned. */
type ServerRecord = { pid: number; identity: string; socket: SocketPath };

export type EmbeddedOptions = {
	/** The data folder. */
	home: string;
	/** The program of the server; null for the one in JavaScript. */
	binary: string | null;
	/** The environment of the server. */
	env: NodeJS.ProcessEnv;
	/** Called with how a server ended that is started again. */
	died(how: string): void;
};

export type EmbeddedRedis = { options: RedisOptions; close(): Promise<void> };

/** A Redis server that could not be started. */
export class RedisStartError extends Error {
	override readonly name = 'RedisStartError';
	readonly code = 'redis_start';
}

const optionsFor = (socket: SocketPath): RedisOptions => ({ path: socket.path });

const answers = (options: RedisOptions) =>
	onConnection(options, (redis) => redis.ping()).then(
		() => true,
		() => false,
	);

/** What the start before wrote down; null where it ended in order, or where a power cut has torn the record, which no server outlives. */
async function recordIn(file: string): Promise<ServerRecord | null> {
	try {
		return JSON.parse(await readFile(file, 'utf8')) as ServerRecord;
	} catch {
		return null;
	}
}

/** Ends the server that a killed start has left. Only the holder of the folder's lock may call this: the server is then no living start's. */
async function endOrphan(folder: string, recordFile: string): Promise<void> {
	const record = await recordIn(recordFile);
	if (record !== null) {
		await endProcess(record.pid, record.identity, STOP);
		await removeSocket(record.socket);
	}
	await rm(recordFile, { force: true });
	// A start that was killed before it wrote its record has left a server that is known by its socket alone.
	const unrecorded = { path: join(folder, SOCKET), folder: null };
	if (await answers(optionsFor(unrecorded))) {
		// A server that shuts down closes the connection instead of answering.
		await onConnection(optionsFor(unrecorded), (redis) => redis.shutdown()).catch(() => null);
		for (const end = Date.now() + STOP; await answers(optionsFor(unrecorded)); await delay(20)) {
			if (Date.now() > end) throw new RedisStartError(`A Redis of an earlier start still answers on ${unrecorded.path}: end it first`);
		}
	}
	await removeSocket(unrecorded);
}

async function lastLines(file: string): Promise<string> {
	const text = await readFile(file, 'utf8').catch(() => '');
	return text.trim().split('\n').slice(-5).join('\n');
}

/** Where Redis keeps its append-only file: a folder, or before version 7 a file. */
const APPEND_ONLY = ['appendonlydir', 'appendonly.aof'];

/** Sets the append-only file aside where the server wrote that it cannot read it; gives the new name, or null. */
async function setDamagedFileAside(folder: string, logFile: string): Promise<string | null> {
	if (!/append only file|AOF/.test(await lastLines(logFile))) return null;
	for (const name of APPEND_ONLY) {
		const aside = join(folder, `${name}.damaged`);
		await rm(aside, { recursive: true, force: true });
		const moved = await rename(join(folder, name), aside).then(
			() => true,
			() => false,
		);
		if (moved) return aside;
	}
	return null;
}

/**
 * Starts the process of a server, the program or with `null` the one in JavaScript. It gets a process group of its own, which a terminal's Ctrl-C does
 * not reach: the worker ends first, and still needs Redis to hand its jobs back.
 */
function startProcess({ binary, env }: EmbeddedOptions, folder: string, socket: SocketPath, log: number): ChildProcess {
	if (binary === null)
		return fork(JAVASCRIPT_SERVER, [socket.path], { detached: true, env, execArgv: [], stdio: ['ignore', log, log, 'ipc'] });
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
	return spawn(binary, args, { cwd: folder, detached: true, env, stdio: ['ignore', log, log] });
}

/**
 * Starts a Redis server in `<home>/redis`, on a unix socket and never a port: the program `binary`, or with `null` the one in JavaScript. A server that
 * ends by itself is started again; so is one that cannot read its append-only file, without that file.
 * Throws HomeLockedError where another process has one there, RedisStartError where it does not come up.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRedis> {
	const { home, binary, died } = options;
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
	async function startServer(at: SocketPath): Promise<void> {
		const output = await open(logFile, 'w');
		if (closing.signal.aborted) {
			await output.close();
			throw new RedisStartError('Redis is to end');
		}
		const started = startProcess(options, folder, at, output.fd);
		child = started;
		let how: string | null = null;
		ended = once(started, 'exit').then(
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

	/** This process takes its server with it when it exits without closing. When it is killed it cannot, and the next start ends the orphan. */
	const killServer = () => void child?.kill('SIGKILL');
	process.on('exit', killServer);

	async function stopServer(): Promise<void> {
		if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
		child.kill('SIGTERM');
		const force = setTimeout(() => child?.kill('SIGKILL'), STOP);
		await ended;
		clearTimeout(force);
	}

	/** Starts the server again whenever it ends by itself, until it is closed. */
	async function keepRunning(at: SocketPath): Promise<void> {
		for (;;) {
			let how = await ended;
			for (let pause = PAUSE; !closing.signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
				died(how);
				await delay(pause, null, { signal: closing.signal }).catch(() => null);
				await removeSocket({ path: at.path, folder: null });
				try {
					await startServer(at);
					break;
				} catch (error) {
					how = (error as Error).message;
					await stopServer();
				}
			}
			if (closing.signal.aborted) return;
		}
	}

	let keeping: Promise<void> = Promise.resolve();
	async function close(): Promise<void> {
		closing.abort();
		await stopServer();
		await keeping;
		process.off('exit', killServer);
		if (socket !== null) await removeSocket(socket);
		await rm(recordFile, { force: true });
		await lock.release();
	}

	try {
		await endOrphan(folder, recordFile);
		socket = await makeSocketPath(folder, SOCKET);
		await startServer(socket).catch(async (error: unknown) => {
			const aside = await setDamagedFileAside(folder, logFile);
			if (aside === null) throw error;
			died(`could not read its append-only file, which is set aside as ${aside}; what it held is restored from the data folder`);
			await startServer(socket as SocketPath);
		});
		keeping = keepRunning(socket);
		return { options: optionsFor(socket), close };
	} catch (error) {
		await close();
		throw error;
	}
}
