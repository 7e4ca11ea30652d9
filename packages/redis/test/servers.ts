import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { launchRedis, optionsOf, type RedisHandle } from '../src/index.js';
import { serverOnPath } from '../src/launch.js';
import { identityOf } from '../src/process-identity.js';

/** The server that is installed, or null: what needs it is then skipped. */
export const BINARY = serverOnPath();

export const temporaryFolder = () => mkdtemp(join(tmpdir(), 'steelyard-test-'));
export const remove = (folder: string) => rm(folder, { recursive: true, force: true });

export async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

/** Waits until something is so. */
export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
	while (!(await what())) await delay(10);
}

/** Whether a process runs; one that has ended and was not collected does not. */
export const isAlive = async (pid: number) => (await identityOf(pid)) !== null;

export async function ended(child: ChildProcess): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** A server as a user would have it, on a loopback port. */
export async function startGiven(
	settings: { requirepass?: string; 'maxmemory-policy'?: string } = {},
): Promise<{ url: string; close(): Promise<void> }> {
	const port = await freePort();
	const args = Object.entries({ port: String(port), bind: '127.0.0.1', save: '', appendonly: 'no', ...settings }).flatMap(
		([name, value]) => [`--${name}`, value],
	);
	const child = spawn(BINARY as string, args, { stdio: 'ignore' });
	const password = settings.requirepass;
	const probe = new Redis({
		port,
		...(password === undefined ? {} : { password }),
		host: '127.0.0.1',
		maxRetriesPerRequest: null,
		retryStrategy: () => 20,
		replyMapping: 'legacy',
	});
	probe.on('error', () => {});
	await probe.ping();
	probe.disconnect();
	return {
		url: `redis://127.0.0.1:${port}/3`,
		async close() {
			child.kill('SIGTERM');
			await ended(child);
		},
	};
}

/** The three ways to have a Redis. */
export const ways: { way: string; absent: boolean; start(home: string): Promise<RedisHandle> }[] = [
	{ way: 'redis-server', absent: BINARY === null, start: (home) => launchRedis({ home, binary: BINARY }) },
	{ way: 'js-redis-server', absent: false, start: (home) => launchRedis({ home, binary: null }) },
	{
		way: 'REDIS_URL',
		absent: BINARY === null,
		async start(home) {
			const given = await startGiven({ 'maxmemory-policy': 'noeviction' });
			const handle = await launchRedis({ home, given: optionsOf(given.url) });
			return { ...handle, close: given.close };
		},
	},
];
