import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis, type RedisOptions } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HomeLockedError, launchRedis, optionsOf, type RedisHandle, RedisStartError, RedisUnsuitableError } from '../src/index.js';
import { BINARY, ended, freePort, isAlive, remove, startGiven, temporaryFolder, until } from './servers.js';

const LAUNCHER = fileURLToPath(new URL('fixtures/launcher.mjs', import.meta.url));

let home: string;
const handles: RedisHandle[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
	home = await temporaryFolder();
});
afterEach(async () => {
	for (const handle of handles.splice(0)) await handle.close();
	for (const child of children.splice(0)) {
		child.kill('SIGKILL');
		await ended(child);
	}
	// What a killed starter has left: a next start would end it.
	const left = await recorded().catch(() => null);
	if (left !== null && (await isAlive(left))) process.kill(left, 'SIGKILL');
	await remove(home);
});

async function launch(options: Parameters<typeof launchRedis>[0]): Promise<RedisHandle> {
	const handle = await launchRedis(options);
	handles.push(handle);
	return handle;
}

async function on<T>(options: RedisOptions, use: (redis: Redis) => Promise<T>): Promise<T> {
	const redis = new Redis({ ...options, maxRetriesPerRequest: 0, retryStrategy: null, replyMapping: 'legacy' });
	redis.on('error', () => {});
	try {
		return await use(redis);
	} finally {
		redis.disconnect();
	}
}

/** Another process that launches a Redis and is there until it is killed. */
async function launchElsewhere(binary: string | null): Promise<{ child: ChildProcess; options: RedisOptions }> {
	const child = fork(LAUNCHER, [JSON.stringify({ home, binary })], { execArgv: [] });
	children.push(child);
	const [message] = (await once(child, 'message')) as [{ options: RedisOptions }];
	return { child, options: message.options };
}

const recorded = async () => (JSON.parse(await readFile(join(home, 'redis/server.json'), 'utf8')) as { pid: number }).pid;

const embedded = [
	{ kind: 'binary' as const, binary: BINARY, absent: BINARY === null },
	{ kind: 'javascript' as const, binary: null, absent: false },
];
for (const { kind, binary, absent } of embedded) {
	describe.skipIf(absent)(`an embedded Redis, ${kind}`, () => {
		it('answers on a private socket under the data folder and on no port, and leaves nothing behind', async () => {
			const redis = await launch({ home, binary });
			expect(redis.kind).toBe(kind);
			expect(redis.options.path).toBe(join(home, 'redis/redis.sock'));
			expect(redis.options.port).toBeUndefined();
			expect((await stat(join(home, 'redis'))).mode & 0o077).toBe(0);
			expect(await on(redis.options, (one) => one.ping())).toBe('PONG');
			if (kind === 'binary') {
				expect(await on(redis.options, (one) => one.config('GET', 'port'))).toEqual(['port', '0']);
				expect(await on(redis.options, (one) => one.config('GET', 'maxmemory-policy'))).toEqual(['maxmemory-policy', 'noeviction']);
				expect(redis.note).toBeNull();
			} else expect(redis.note).toMatch(/do not survive a restart/);
			const pid = await recorded();
			await redis.close();
			await redis.close();
			expect(await isAlive(pid)).toBe(false);
			expect(await readdir(join(home, 'redis'))).not.toContain('redis.sock');
			expect(await readdir(join(home, 'redis'))).not.toContain('server.json');
		});

		it('is not given to a second start, which is told the process that has it', async () => {
			const { child } = await launchElsewhere(binary);
			await expect(launch({ home, binary })).rejects.toThrow(HomeLockedError);
			await expect(launch({ home, binary })).rejects.toThrow(`process ${child.pid}`);
		});

		it('is started anew after its starter was killed, with one server and not two', async () => {
			const { child, options } = await launchElsewhere(binary);
			const orphan = await recorded();
			await on(options, (redis) => redis.set('kept', 'yes'));
			child.kill('SIGKILL');
			await ended(child);
			if (kind === 'javascript') await until(async () => !(await isAlive(orphan)));
			const redis = await launch({ home, binary });
			expect(await isAlive(orphan)).toBe(false);
			expect(await recorded()).not.toBe(orphan);
			expect(await on(redis.options, (one) => one.get('kept'))).toBe(kind === 'binary' ? 'yes' : null);
		});

		it('starts where a power cut has torn its records', async () => {
			await (await launch({ home, binary })).close();
			await writeFile(join(home, 'redis/server.json'), '{"pid": 1');
			for (const name of await readdir(join(home, 'redis/lock'))) await writeFile(join(home, 'redis/lock', name), '');
			const redis = await launch({ home, binary });
			expect(await on(redis.options, (one) => one.ping())).toBe('PONG');
		});

		it('is found by its socket where the start was killed before it was written down', async () => {
			const { child } = await launchElsewhere(binary);
			const orphan = await recorded();
			child.kill('SIGKILL');
			await ended(child);
			await remove(join(home, 'redis/server.json'));
			await launch({ home, binary });
			await until(async () => !(await isAlive(orphan)));
			expect(await recorded()).not.toBe(orphan);
		});

		it('has its socket in a short private folder where the path of the data folder is too long', async () => {
			const long = join(home, 'x'.repeat(60), 'y'.repeat(60));
			await mkdir(long, { recursive: true });
			const redis = await launch({ home: long, binary });
			const socket = redis.options.path as string;
			expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
			expect((await stat(dirname(socket))).mode & 0o777).toBe(0o700);
			expect(await on(redis.options, (one) => one.ping())).toBe('PONG');
			await redis.close();
			await expect(stat(dirname(socket))).rejects.toMatchObject({ code: 'ENOENT' });
		});

		it('is started again when it ends by itself, on the same socket', async () => {
			const redis = await launch({ home, binary });
			const first = await recorded();
			await on(redis.options, (one) => one.set('kept', 'yes'));
			process.kill(first, 'SIGKILL');
			await until(async () => (await recorded()) !== first && (await on(redis.options, (one) => one.ping()).catch(() => null)) === 'PONG');
			expect(await on(redis.options, (one) => one.get('kept'))).toBe(kind === 'binary' ? 'yes' : null);
			const second = await recorded();
			await redis.close();
			expect(await isAlive(second)).toBe(false);
		});

		it('is not started again when it ends while it is closed', async () => {
			const redis = await launch({ home, binary });
			process.kill(await recorded(), 'SIGKILL');
			await redis.close();
			expect(await readdir(join(home, 'redis'))).not.toContain('server.json');
			expect((await launch({ home, binary })).kind).toBe(kind);
		});

		it('is in a process group of its own, which the Ctrl-C of a terminal does not reach', async () => {
			await launch({ home, binary });
			const pid = await recorded();
			// A negative id names a group: that of this number exists when the server leads it.
			expect(() => process.kill(-pid, 0)).not.toThrow();
		});
	});
}

describe('the choice of a Redis', () => {
	it.skipIf(BINARY === null)('starts without an append-only file that it cannot read, and keeps the file', async () => {
		const before = await launch({ home, binary: BINARY });
		await on(before.options, (redis) => redis.set('kept', 'yes'));
		await before.close();
		const files = await readdir(join(home, 'redis/appendonlydir'));
		const log = files.find((name) => name.endsWith('.incr.aof')) as string;
		const whole = await readFile(join(home, 'redis/appendonlydir', log));
		await writeFile(join(home, 'redis/appendonlydir', log), Buffer.concat([Buffer.from('torn'), whole]));
		const said: string[] = [];
		const after = await launch({ home, binary: BINARY, log: { info() {}, warn() {}, error: (_, message) => said.push(message) } });
		expect(await on(after.options, (redis) => redis.get('kept'))).toBeNull();
		expect(said).toEqual([expect.stringMatching(/append-only file, which is set aside as .*appendonlydir\.damaged/)]);
		expect(await readdir(join(home, 'redis/appendonlydir.damaged'))).toEqual(files);
	});

	it.skipIf(BINARY === null)('takes the program that is named, or what PATH has', async () => {
		const named = await launch({ home, binary: BINARY as string });
		expect(named.kind).toBe('binary');
		await named.close();
		expect((await launch({ home, env: { PATH: dirname(BINARY as string) } })).kind).toBe('binary');
	});

	it('takes the one in JavaScript where there is no other', async () => {
		expect((await launch({ home, env: { PATH: home } })).kind).toBe('javascript');
	});

	it('says what a server said that did not start, and lets the folder go', async () => {
		const broken = join(home, 'broken-server');
		await writeFile(broken, '#!/bin/sh\necho no such luck\nexit 3\n', { mode: 0o755 });
		const failure = await launch({ home, binary: broken }).catch((error: unknown) => error);
		expect(failure).toBeInstanceOf(RedisStartError);
		expect((failure as Error).message).toMatch(/ended with code 3\nno such luck/);
		await expect(launch({ home, binary: join(home, 'absent') })).rejects.toThrow(/could not be run: .*ENOENT/);
		expect((await launch({ home, binary: null })).kind).toBe('javascript');
	});
});

describe('a given Redis', () => {
	it.skipIf(BINARY === null)('is used as it is, and is not ended', async () => {
		const given = await startGiven({ requirepass: 'a/b' });
		const url = given.url.replace('//', '//:a%2Fb@');
		const redis = await launch({ home, given: optionsOf(url) });
		expect(redis).toMatchObject({ kind: 'url', note: null, options: { db: 3, password: 'a/b' } });
		await redis.close();
		expect(await on(redis.options, (one) => one.ping())).toBe('PONG');
		await given.close();
	});

	it.skipIf(BINARY === null)('is refused with a policy under which jobs can vanish', async () => {
		const given = await startGiven({ 'maxmemory-policy': 'allkeys-lru' });
		const failure = await launch({ home, given: optionsOf(given.url) }).catch((error: unknown) => error);
		await given.close();
		expect(failure).toBeInstanceOf(RedisUnsuitableError);
		expect((failure as Error).message).toMatch(/allkeys-lru.*CONFIG SET maxmemory-policy noeviction/);
	});

	it('is refused with the system’s reason where nothing answers, and its password is not shown', async () => {
		const port = await freePort();
		const failure = await launch({ home, given: optionsOf(`redis://me:secret@127.0.0.1:${port}`) }).catch((error: unknown) => error);
		expect(failure).toBeInstanceOf(RedisUnsuitableError);
		expect((failure as Error).message).toMatch(/ECONNREFUSED/);
		expect((failure as Error).message).not.toMatch(/secret/);
	});
});
