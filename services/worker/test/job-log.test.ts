import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StoredLogLine } from '@steelyard/contracts';
import { type LocalStore, openStore } from '@steelyard/store';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJobLog } from '../src/job-log.js';
import { withoutPaths } from '../src/without-paths.js';

let home: string;
let store: LocalStore;
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), 'steelyard log '));
	store = await openStore(home);
});
afterEach(() => rm(home, { recursive: true, force: true }));

const silent = pino({ level: 'silent' });
const opened = (most?: number) => openJobLog({ store, id: 'job_1', attempt: 3, log: silent, ...(most === undefined ? {} : { most }) });
const text = () => readFile(store.path('jobs/job_1/logs/3.jsonl'), 'utf8');
const lines = async (): Promise<StoredLogLine[]> =>
	(await text())
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));

describe('the log of an attempt', () => {
	it('has its lines in order, with time, level and source', async () => {
		const log = opened();
		log.write('info', 'worker', 'attempt 3 begins');
		log.write('warn', 'stderr', 'out of luck');
		await log.close();
		expect(await lines()).toEqual([
			{ at: expect.any(Number), level: 'info', source: 'worker', message: 'attempt 3 begins' },
			{ at: expect.any(Number), level: 'warn', source: 'stderr', message: 'out of luck' },
		]);
	});

	it('has no path of the machine, and nothing that a terminal would obey', async () => {
		const log = opened();
		log.write('error', 'stderr', `ENOENT: open '${store.path('datasets/ds_1/x.npy')}' at ${import.meta.url}:3:1 \u001b[31mred\u0007`);
		await log.close();
		const [line] = await lines();
		expect(line?.message).toBe("ENOENT: open '…/datasets/ds_1/x.npy' at …/services/worker/test/job-log.test.ts:3:1  [31mred ");
		expect(await text()).not.toContain(home);
	});

	it('is bounded: what a trainer writes too much is left out, which it says, and what the worker says is still there', async () => {
		const log = opened(4096);
		for (let i = 0; i < 10_000; i++) log.write('info', 'stdout', `line ${i} é`);
		log.write('error', 'worker', 'the attempt failed');
		await log.close();
		expect(Buffer.byteLength(await text())).toBeLessThanOrEqual(4096);
		const all = await lines();
		expect(all[0]?.message).toBe('line 0 é');
		expect(all.filter(({ message }) => message.includes('is left out'))).toHaveLength(1);
		expect(all.at(-1)?.message).toBe('the attempt failed');
	});

	it('cuts a line that is too long', async () => {
		const log = opened();
		log.write('info', 'stdout', 'x'.repeat(1e6));
		await log.close();
		expect((await lines())[0]?.message.length).toBe(2001);
	});

	it('loses lines where it cannot be written, and nothing else', async () => {
		await writeFile(join(home, 'jobs'), 'no folder');
		const log = opened();
		log.write('info', 'worker', 'attempt 3 begins');
		await log.close();
		await rm(join(home, 'jobs'));
		log.write('info', 'worker', 'it goes on');
		await log.close();
		expect((await text()).trim()).toMatch(/^\{.*"it goes on"\}$/);
	});
});

describe('a text without paths', () => {
	it.each([
		[`in ${homedir()}/secret place/file.npy`, 'in …/secret place/file.npy'],
		[`at ${fileURLToPath(import.meta.url)}:3`, 'at …/services/worker/test/job-log.test.ts:3'],
		['Error: /tmp/one/two.onnx, /usr/lib/x.so (/etc/passwd)', 'Error: …/two.onnx, …/x.so (…/passwd)'],
		['file:///usr/share/app/index.js:3:5', '…/index.js:3:5'],
	])('has of "%s" the part that says no place', (said, left) => {
		expect(withoutPaths(said)).toBe(left);
	});

	it('leaves names of nodes, web addresses and fractions as they are', () => {
		for (const said of ['node /encoder/layer.0/MatMul has no gradient', 'see https://onnx.ai/onnx/operators', '3/4 of the rows', 'a / b'])
			expect(withoutPaths(said)).toBe(said);
	});
});
