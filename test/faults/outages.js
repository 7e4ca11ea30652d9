// Outages of Redis, one after another, against real processes: `node test/faults/outages.js [--seconds 1,6,30] [--kinds away,half-open]`. For each kind and length it prints how slow the
// slowest answer meanwhile was, with which statuses, and how long after the end of the outage a job was posted and running again.
import { openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createClient } from '@steelyard/client';
import { openService, signal, until } from './service.js';

const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));

/** How each kind of outage begins and ends. */
const kindsOf = (/** @type {any} */ service) => {
	const network = (/** @type {import('./proxy.js').Network} */ state) => ({
		begin: async () => service.proxy.become(state),
		end: async () => service.proxy.become('open'),
	});
	const refusing = (/** @type {string[]} */ begin, /** @type {string[]} */ end) => ({
		begin: () => service.connection.call(...begin),
		end: () => service.connection.call(...end),
	});
	const dump = join(service.home, 'redis', 'dump.rdb');
	return {
		away: network('away'),
		stalled: network('stalled'),
		'half-open': network('half-open'),
		LOADING: network('loading'),
		READONLY: refusing(['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
		OOM: refusing(['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
		MISCONF: {
			begin: async () => {
				await mkdir(dump);
				await service.connection.call('CONFIG', 'SET', 'save', '3600 1');
				await service.connection.call('BGSAVE');
				await until('a save that failed', async () => /rdb_last_bgsave_status:err/.test(await service.connection.info('persistence')));
			},
			end: async () => {
				await rmdir(dump);
				await service.connection.call('CONFIG', 'SET', 'save', '');
			},
		},
		frozen: {
			begin: async () => signal((await service.pids()).redis, 'SIGSTOP'),
			end: async () => signal((await service.pids()).redis, 'SIGCONT'),
		},
	};
};

/** Opens a service with a dataset, on which outages are tried. */
export async function openTrial() {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-outages-'));
	const service = await openService(home);
	const client = createClient(service);
	const { id: dataset } = await client.datasets.create(await openAsBlob(SAMPLE), 'spam-mail.zip');
	const spec = { dataset, model: { family: 'mlp-fusion', hidden: 4 }, training: { epochs: 1, threads: 1 } };
	const send = async (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) => {
		const began = performance.now();
		const { status } = await fetch(`${service.url}${path}`, { ...init, signal: AbortSignal.timeout(60_000) });
		return { status, ms: performance.now() - began };
	};
	const post = (/** @type {string} */ key) =>
		send('/v1/jobs', {
			method: 'POST',
			body: JSON.stringify(spec),
			headers: { 'content-type': 'application/json', 'idempotency-key': key },
		});
	const kinds = kindsOf(service);
	let outages = 0;

	return {
		kinds: /** @type {(keyof typeof kinds)[]} */ (Object.keys(kinds)),
		/**
		 * Has one outage. Resolves with the statuses that were answered meanwhile, the milliseconds of the slowest answer, and the milliseconds from the end of the outage
		 * until a job that was posted then was running.
		 */
		async outage(/** @type {keyof typeof kinds} */ kind, /** @type {number} */ seconds) {
			await kinds[kind].begin();
			const key = `outage-${outages++}`;
			const answers = [];
			for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(100))
				answers.push(...(await Promise.all([send('/v1/jobs'), send('/readyz'), post(`${key}-meanwhile-${answers.length}`)])));
			const ended = performance.now();
			await kinds[kind].end();
			const job = await until('a post', async () => {
				try {
					return await client.jobs.create(spec, { idempotencyKey: key });
				} catch (error) {
					if (error.status === 503) return null;
					throw error;
				}
			});
			await until('a job that runs', async () => {
				const found = await client.jobs.get(job.id).catch(() => null);
				return found !== null && found.status !== 'queued';
			});
			const back = performance.now() - ended;
			await until('the end of all jobs', async () => {
				const { data } = await client.jobs.list({ limit: 100 });
				return data.every(({ status }) => status === 'succeeded');
			});
			return {
				statuses: [...new Set(answers.map(({ status }) => status))].sort(),
				slowest: Math.max(...answers.map(({ ms }) => ms)),
				back,
			};
		},
		async close() {
			await service.close();
			await rm(home, { recursive: true, force: true });
		},
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { values } = parseArgs({ options: { seconds: { type: 'string', default: '1,6,30' }, kinds: { type: 'string' } } });
	const lengths = values.seconds.split(',').map(Number);
	const trial = await openTrial();
	console.log('| outage | seconds | answers meanwhile | slowest answer | running again after |\n| --- | --- | --- | --- | --- |');
	const kinds = trial.kinds.filter((kind) => values.kinds === undefined || values.kinds.split(',').includes(kind));
	for (const kind of kinds)
		for (const seconds of lengths) {
			const { statuses, slowest, back } = await trial.outage(kind, seconds);
			console.log(`| ${kind} | ${seconds} | ${statuses.join(', ')} | ${(slowest / 1000).toFixed(2)} s | ${(back / 1000).toFixed(2)} s |`);
		}
	await trial.close();
}
