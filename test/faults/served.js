import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect, serverOnPath } from '@steelyard/redis';
import { processes, redisPid, until } from './service.js';

const COMMAND = fileURLToPath(new URL('../../services/cli/bin/steelyard.js', import.meta.url));
/** Milliseconds before the service that has ended is started again. */
const PAUSE = 200;

/**
 * Starts the service as its users do, by `steelyard serve`, which starts Redis, the API and one worker, and keeps them; and starts it again when it ends. As `openService`, but
 * that nothing stands between Redis and the rest.
 */
export async function openServed(/** @type {string} */ home, { redisKind = 'binary', disk = null, clock = null } = {}) {
	const { STEELYARD_API_KEY: _, ...inherited } = process.env;
	await mkdir(join(home, 'logs'), { recursive: true });
	// The memory allocator of the server program asks for the time before the library can answer that sets it.
	const program = join(home, 'logs', 'redis-server');
	await writeFile(program, `#!/bin/sh\nunset LD_PRELOAD\nexec ${serverOnPath()} "$@"\n`, { mode: 0o700 });
	// No program is found on a path without folders, and the one in JavaScript takes its place.
	const env = { ...inherited, ...clock?.env, ...(redisKind === 'binary' ? { REDIS_SERVER_BIN: program } : { PATH: '' }) };
	let closing = false;
	let port = 0;
	/** @type {import('node:child_process').ChildProcess | null} */
	let child = null;

	async function run() {
		while (!closing) {
			const log = await open(join(home, 'logs', 'serve.log'), 'a');
			child = spawn(process.execPath, [COMMAND, 'serve', '--home', home, '--port', String(port), '--json'], {
				env,
				stdio: ['ignore', 'pipe', log.fd],
			});
			child.stdout?.setEncoding('utf8').once('data', (line) => {
				port = Number(new URL(JSON.parse(line).url).port);
			});
			await log.close();
			await once(child, 'exit');
			if (!closing) await delay(PAUSE);
		}
	}
	const ended = run();
	// It ends all that it has started.
	const end = () => child?.kill('SIGTERM');
	process.once('exit', end);
	const close = async () => {
		if (closing) return;
		closing = true;
		connection.disconnect();
		process.off('exit', end);
		end();
		await ended;
	};
	const options = { path: join(home, 'redis', 'redis.sock') };
	const connection = connect(options);
	connection.on('error', () => {});
	try {
		await until('the start of the service', async () => port > 0);
	} catch (error) {
		await close();
		throw error;
	}
	return {
		home,
		redis: { options },
		proxy: null,
		disk,
		clock,
		connection,
		get url() {
			return `http://127.0.0.1:${port}`;
		},
		/** The ids of the processes that live. */
		async pids() {
			const found = await processes();
			const part = (/** @type {string} */ name) =>
				found.filter(({ parent, command }) => parent === child?.pid && command.includes(`/${name}/`)).map(({ pid }) => pid);
			const workers = part('worker');
			return {
				service: child?.pid,
				redis: await redisPid(home),
				api: part('api')[0],
				workers,
				trainers: workers.map((worker) =>
					found.filter(({ parent, command }) => parent === worker && command.includes('trainer-child')).map(({ pid }) => pid),
				),
			};
		},
		close,
	};
}
