import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, SteelyardError } from '@steelyard/client';
import { isFinal } from '@steelyard/contracts';
import { signal, until } from './service.js';

/** Longest that an answer may take, in milliseconds, before the request is given up and sent again. */
const LONGEST_ANSWER = 15_000;
/** How long a worker is frozen at most, in milliseconds; its lock and the search for lost ones take some seconds. */
const LONGEST_FREEZE = 8000;

const mayPass = (/** @type {unknown} */ error) => error instanceof SteelyardError && [0, 503, 507].includes(error.status);

/** Seconds by which the clock is set. */
const HOUR = 3600;

/** A client whose requests end. */
export const clientOf = (/** @type {{ url: string }} */ { url }) =>
	createClient({ url, fetch: (address, init) => fetch(address, { ...init, signal: AbortSignal.timeout(LONGEST_ANSWER) }) });

/** Sends a request until it is answered by other than that the service is away. */
export async function answered(/** @type {string} */ what, /** @type {() => Promise<any>} */ send) {
	const answer = await until(`an answer to ${what}`, async () => {
		try {
			return { value: await send() };
		} catch (error) {
			if (mayPass(error)) return null;
			return { error };
		}
	});
	if ('error' in answer) throw answer.error;
	return answer.value;
}

/**
 * Plays a schedule against a service. Resolves with its history: by job its key, the number of its spec, the ids that were given for the key, and what was
 * asked of it with the answers; once all jobs have ended or two minutes have passed.
 */
export async function play(/** @type {any} */ service, /** @type {any} */ { steps }, /** @type {object[]} */ specs) {
	const client = clientOf(service);
	/** @type {{ key: string, spec: number, ids: Set<string>, asked: { what: string, done: boolean }[] }[]} */
	const jobs = [];
	/** Faults that last, by what they befall: one ends before the next of its kind begins. */
	const lasting = { worker: Promise.resolve(), redis: Promise.resolve(), disk: Promise.resolve() };
	const last = (/** @type {'worker' | 'redis' | 'disk'} */ what, /** @type {() => Promise<void>} */ fault) => {
		lasting[what] = lasting[what].then(fault);
	};
	const during = async (/** @type {number} */ ms, /** @type {() => unknown} */ begin, /** @type {() => unknown} */ end) => {
		await begin();
		await delay(ms);
		await end();
	};
	/** A fault of Redis, or of the way to it, that ends by itself. */
	const onRedis = (/** @type {() => unknown} */ begin, /** @type {() => unknown} */ end) => async (/** @type {any} */ step) =>
		last('redis', () => during(step.forMs, begin, end));
	const network = (/** @type {import('./proxy.js').Network} */ state) =>
		onRedis(
			() => service.proxy.become(state),
			() => service.proxy.become('open'),
		);
	/** Tells Redis something; one that was killed meanwhile, once it is back. */
	const call = (/** @type {string[]} */ ...command) =>
		until(`${command}`, async () => (await service.connection.call(...command)) !== null);
	const dump = join(service.home, 'redis', 'dump.rdb');

	const post = async (/** @type {{ key: string, spec: number, ids: Set<string> }} */ job) => {
		const { id } = await answered('a post', () => client.jobs.create(specs[job.spec], { idempotencyKey: job.key }));
		job.ids.add(id);
	};
	const begin = async (/** @type {any} */ { spec, job }, copies = 1) => {
		const made = { key: `job-${job}`, spec, ids: new Set(), asked: [] };
		jobs[job] = made;
		await Promise.all(Array.from({ length: copies }, () => post(made)));
	};
	const idOf = (/** @type {any} */ { job }) => [...jobs[job].ids][0];
	const ask = async (/** @type {any} */ step, /** @type {'cancel' | 'pause' | 'resume'} */ what) => {
		const done = await answered(`${what}`, () => client.jobs[what](idOf(step))).then(
			() => true,
			(error) => {
				if (error instanceof SteelyardError && error.status === 409) return false;
				throw error;
			},
		);
		jobs[step.job].asked.push({ what, done });
	};
	/** The worker of a number, counted on from the first where there are fewer. */
	const workerPid = async (/** @type {number} */ worker) => {
		const { workers } = await service.pids();
		return workers[worker % workers.length];
	};
	const freeze = async (/** @type {any} */ { worker }) => {
		const pid = await workerPid(worker);
		signal(pid, 'SIGSTOP');
		await delay(LONGEST_FREEZE);
		signal(pid, 'SIGCONT');
	};

	/** @type {Record<string, (step: any) => Promise<unknown>>} */
	const acts = {
		post: (step) => begin(step),
		'post twice': (step) => begin(step, 3),
		'post again': ({ job }) => post(jobs[job]),
		'kill the trainer': async ({ worker }) => {
			const { trainers } = await service.pids();
			for (const pid of trainers[worker % trainers.length] ?? []) signal(pid, 'SIGKILL');
		},
		'kill a worker': async ({ worker }) => signal(await workerPid(worker), 'SIGKILL'),
		'kill the API': async () => signal((await service.pids()).api, 'SIGKILL'),
		'kill Redis': async () => signal((await service.pids()).redis, 'SIGKILL'),
		'kill the service': async () => signal((await service.pids()).service, 'SIGKILL'),
		'kill everything': async () => {
			const { service: parent, redis, api, workers } = await service.pids();
			for (const pid of [parent, redis, api, ...workers]) signal(pid, 'SIGKILL');
		},
		'freeze a worker': async (step) => last('worker', () => freeze(step)),
		'end a worker': async ({ worker }) => signal(await workerPid(worker), 'SIGTERM'),
		'empty Redis': () => until('an emptied Redis', async () => (await service.connection.flushall()) === 'OK'),
		'cut Redis off': network('away'),
		'stall the network': network('stalled'),
		'lose the network': network('half-open'),
		'load Redis': network('loading'),
		'read-only Redis': onRedis(
			() => call('REPLICAOF', '127.0.0.1', '1'),
			() => call('REPLICAOF', 'NO', 'ONE'),
		),
		'full Redis': onRedis(
			() => call('CONFIG', 'SET', 'maxmemory', '1'),
			() => call('CONFIG', 'SET', 'maxmemory', '0'),
		),
		'unsaved Redis': onRedis(
			async () => {
				// It cannot take the place of a folder.
				await mkdir(dump);
				await call('CONFIG', 'SET', 'save', '3600 1');
				await call('BGSAVE', 'SCHEDULE');
			},
			async () => {
				await rmdir(dump);
				await call('CONFIG', 'SET', 'save', '');
			},
		),
		'fill the disk': async ({ forMs }) => last('disk', () => during(forMs, service.disk.fill, service.disk.clear)),
		'set the clock': async ({ forMs }) => service.clock.set(forMs % 2 === 0 ? HOUR : -HOUR),
		pause: (step) => ask(step, 'pause'),
		resume: (step) => ask(step, 'resume'),
		cancel: (step) => ask(step, 'cancel'),
		'cancel at the end': async (step) => {
			const near = async () => {
				const { status, stage, progress } = await client.jobs.get(idOf(step));
				return status !== 'running' && status !== 'queued' ? true : progress > 0.9 || stage === 'evaluating' || stage === 'exporting';
			};
			await until('the end of a job', near, 30_000).catch(() => null);
			await ask(step, 'cancel');
		},
	};
	for (const step of steps) {
		await delay(step.afterMs);
		await acts[step.fault](step);
	}
	await Promise.all(Object.values(lasting));
	await until('the end of all jobs', async () => {
		const found = await Promise.all(jobs.map((_, job) => client.jobs.get(idOf({ job }))));
		for (const [job, { status }] of found.entries()) if (status === 'paused') await ask({ job }, 'resume');
		return found.every(({ status }) => isFinal(status));
	});
	return jobs;
}
