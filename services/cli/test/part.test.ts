import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchPart } from '../src/part.js';
import { boundLog, LOG_LIMIT, openLog } from '../src/part-log.js';

const ANSWERING = fileURLToPath(new URL('fixtures/answering.mjs', import.meta.url));

describe('a part that is watched', () => {
	// Questions are asked when the test says so: a busy machine may leave some unanswered for a while.
	beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
	afterEach(() => void vi.useRealTimers());

	it('is killed once it leaves questions unanswered, and not before', async () => {
		const child = fork(ANSWERING, { execArgv: [] });
		const exit = once(child, 'exit');
		await once(child, 'message');
		watchPart(child, { everyMs: 1000 });
		for (let asked = 0; asked < 6; asked++) {
			const answer = once(child, 'message');
			vi.advanceTimersByTime(1000);
			await answer;
		}
		child.kill('SIGSTOP');
		vi.advanceTimersByTime(3000);
		expect(await exit).toEqual([null, 'SIGKILL']);
	});
});

describe('the log of a part', () => {
	let folder: string;
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), 'steelyard-log-'));
	});
	afterEach(() => rm(folder, { recursive: true }));

	it('is cut while its part writes to it, and what it held is kept once', async () => {
		const file = join(folder, 'api.log');
		const log = await openLog(file);
		await writeFile(file, Buffer.alloc(LOG_LIMIT, 'a'), { flag: 'a' });
		await boundLog(file);
		expect(await readdir(folder)).toEqual(['api.log']);
		for (const line of ['first\n', 'second\n']) {
			await writeFile(file, Buffer.alloc(LOG_LIMIT), { flag: 'a' });
			await boundLog(file);
			await writeFile(file, line, { flag: 'a' });
			expect(await readFile(file, 'utf8')).toBe(line);
		}
		expect((await readFile(`${file}.1`, 'utf8')).slice(0, 6)).toBe('first\n');
		expect(await readdir(folder)).toEqual(['api.log', 'api.log.1']);
		await log.close();
	});
});
