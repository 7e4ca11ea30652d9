import { spawn } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HomeLockedError, lockHome } from '../src/index.js';
import { identityOf } from '../src/process-identity.js';
import { ended, remove, temporaryFolder } from './servers.js';

let home: string;
beforeEach(async () => {
	home = await temporaryFolder();
});
afterEach(() => remove(home));

it('a folder is held by one at a time, until it is let go', async () => {
	const lock = await lockHome(home);
	await expect(lockHome(home)).rejects.toThrow(HomeLockedError);
	await expect(lockHome(home)).rejects.toThrow(`${home} is in use by process ${process.pid}`);
	await lock.release();
	await lock.release();
	await (await lockHome(home)).release();
	expect(await readdir(join(home, 'lock'))).toHaveLength(1);
});

it.skipIf(process.platform === 'win32')('a folder that is absent is made for its user alone', async () => {
	const absent = join(home, 'data');
	await (await lockHome(absent)).release();
	expect((await stat(absent)).mode & 0o777).toBe(0o700);
});

it('what a dead process held is taken over by one of many that try', async () => {
	const dead = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
	const identity = await identityOf(dead.pid as number);
	await mkdir(join(home, 'lock'));
	await writeFile(join(home, 'lock/4'), JSON.stringify({ pid: dead.pid, identity }));
	await expect(lockHome(home)).rejects.toThrow(`process ${dead.pid}`);
	dead.kill('SIGKILL');
	await ended(dead);
	const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockHome(home)));
	expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
	expect(await readdir(join(home, 'lock'))).toEqual(['5']);
});

it('what a process held is taken over when its id belongs to another by now', async () => {
	await mkdir(join(home, 'lock'));
	await writeFile(join(home, 'lock/1'), JSON.stringify({ pid: process.pid, identity: 'another boot/1' }));
	await lockHome(home);
});

it('of many that come and go, never two hold a folder', async () => {
	let holders = 0;
	let held = 0;
	async function comeAndGo(): Promise<void> {
		for (let turn = 0; turn < 15; turn++) {
			const lock = await lockHome(home).catch((error: unknown) => {
				if (error instanceof HomeLockedError) return null;
				throw error;
			});
			if (lock === null) continue;
			expect(++holders).toBe(1);
			held++;
			await readdir(home);
			holders--;
			await lock.release();
		}
	}
	await Promise.all(Array.from({ length: 8 }, comeAndGo));
	expect(held).toBeGreaterThan(0);
});
