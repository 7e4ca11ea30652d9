import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startService } from '@steelyard/cli';
import { createClient } from '@steelyard/client';
import { processes } from '../faults/service.js';

const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));

const isApi = (/** @type {{ parent: number, command: string }} */ { parent, command }) =>
	parent === process.pid && command.includes('/api/');

/** Bytes of memory that a process has in use now. */
async function residentBytes(/** @type {number} */ pid) {
	const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
	return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}

/** Seconds of processor time that a process has taken; the kernel counts in hundredths. */
async function processorSeconds(/** @type {number} */ pid) {
	const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
	const [user = 0, system = 0] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
	return (user + system) / 100;
}

/** Starts the service on a data folder of its own, with a dataset in it. `close` leaves nothing. */
export async function openService() {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-load-'));
	const service = await startService({ home, port: 0 });
	const client = createClient({ url: service.url });
	const { id: dataset } = await client.datasets.create(await openAsBlob(SAMPLE), 'spam-mail.zip');
	/** A spec whose job trains a small model by itself, on one thread, for so many epochs. */
	const spec = (/** @type {number} */ epochs, more = {}) => ({
		dataset,
		model: { family: 'mlp-fusion', hidden: 4 },
		weighting: { preset: 'uniform' },
		training: { epochs, early_stopping: null, threads: 1 },
		...more,
	});
	return {
		url: service.url,
		client,
		spec,
		/** Bytes of memory of the API, the worker, the largest of its trainers, beside which one may wait for the next job, and Redis. */
		async memory() {
			const found = await processes();
			const of = async (/** @type {(one: { pid: number, parent: number, command: string }) => boolean} */ is) =>
				Math.max(0, ...(await Promise.all(found.filter(is).map(({ pid }) => residentBytes(pid)))));
			const worker = found.find(({ parent, command }) => parent === process.pid && command.includes('/worker/'))?.pid;
			return {
				api: await of(isApi),
				worker: await of(({ pid }) => pid === worker),
				trainers: await of(({ parent, command }) => parent === worker && command.includes('trainer-child')),
				redis: await of(({ parent, command }) => parent === process.pid && command.includes('redis')),
			};
		},
		/** Seconds of processor time that the API has taken. */
		apiSeconds: async () => processorSeconds((await processes()).find(isApi)?.pid ?? 0),
		async close() {
			await service.close();
			await rm(home, { recursive: true, force: true });
		},
	};
}
