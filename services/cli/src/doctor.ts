import { stat } from 'node:fs/promises';
import type { Client } from '@steelyard/client';
import type { Readiness } from '@steelyard/contracts';
import { admitRedis, type RedisOptions, serverOnPath } from '@steelyard/redis';
import { namedRedis, type RedisVariables } from '@steelyard/service-process';
import { listDamaged, openStore, spaceOf } from '@steelyard/store';
import { probeDevices } from './probe-devices.js';
import { bytesText, countText } from './units.js';

/** What was looked at, what was found, and where something is wrong what to do: `notice` may be meant so, `fault` keeps jobs from being trained. */
export type Finding = { name: string; state: 'fine' | 'notice' | 'fault'; found: string; fix: string | null };

export type Patient = {
	/** The data folder. */
	home: string;
	/** Of the service, which may be running or not. */
	client: Client;
	url: string;
	version: string;
	/** The bytes of the disk that the service keeps for running jobs; null where that follows from its size. */
	reserve: number | null;
	env: NodeJS.ProcessEnv;
};

/** Seconds by which two clocks may differ. */
const CLOCK_DIFFERENCE = 5;

const fine = (name: string, found: string): Finding => ({ name, state: 'fine', found, fix: null });
const notice = (name: string, found: string, fix: string): Finding => ({ name, state: 'notice', found, fix });
const fault = (name: string, found: string, fix: string): Finding => ({ name, state: 'fault', found, fix });

/** The data folder, its disk, and the records that were set aside in it. */
async function lookAtHome({ home, reserve }: Pick<Patient, 'home' | 'reserve'>): Promise<Finding[]> {
	const before = await stat(home).catch(() => null);
	if (before === null) return [notice('data folder', `${home} is not there yet`, 'the first start makes it')];
	try {
		const store = await openStore(home);
		await store.put('uploads/doctor', '');
		await store.remove('uploads/doctor');
		const { free, total, kept } = await spaceOf(store.files, reserve);
		const damaged = await listDamaged(store);
		return [
			(before.mode & 0o077) === 0
				? fine('data folder', home)
				: notice('data folder', `other users of this machine can read ${home}`, `chmod 700 ${home}`),
			free >= kept
				? fine('disk', `${bytesText(free)} of ${bytesText(total)} are free, ${bytesText(kept)} of them for jobs that run`)
				: fault(
						'disk',
						`only ${bytesText(free)} of ${bytesText(total)} are free, and ${bytesText(kept)} are kept for jobs that run: new ones are refused`,
						'delete datasets, models or jobs that are no longer needed',
					),
			damaged.length === 0
				? fine('records', 'none is damaged')
				: notice(
						'records',
						`${countText(damaged.length)} damaged and set aside: ${damaged.join(', ')}`,
						'restore them from a backup without ".damaged" at the end of their names, or delete them',
					),
		];
	} catch (error) {
		return [
			fault('data folder', `${home} cannot be written to: ${(error as Error).message}`, 'make it writable, or name another one by --home'),
		];
	}
}

/** The Redis that the service would have. */
async function lookAtRedis(env: NodeJS.ProcessEnv): Promise<Finding> {
	const { REDIS_SERVER_BIN: binary, PATH: path } = env;
	if (env['REDIS_URL']) {
		try {
			const note = await admitRedis(namedRedis(env as RedisVariables) as RedisOptions, env['STEELYARD_PREFIX'] || undefined);
			return note === null ? fine('Redis', 'REDIS_URL names one that will do') : notice('Redis', note, 'ask whoever runs it');
		} catch (error) {
			return fault('Redis', (error as Error).message, 'start it, or mend REDIS_URL; without REDIS_URL the service starts its own');
		}
	}
	const found = binary || serverOnPath(path ?? '');
	return found === null
		? notice('Redis', 'no redis-server or valkey-server on PATH: the one in JavaScript is used, which is slower', 'install redis-server')
		: fine('Redis', `${found} is started with the service`);
}

async function lookAtDevices(): Promise<Finding> {
	const { cuda, webgpu } = await probeDevices();
	if (cuda.available) return fine('GPU', 'CUDA works');
	if (webgpu.available && webgpu.isSoftware === false)
		return fine('GPU', `WebGPU works on ${webgpu.name ?? 'a GPU'}; with an NVIDIA GPU, npm run cuda brings CUDA`);
	return notice(
		'GPU',
		`jobs train on the CPU: ${cuda.note} (${cuda.detail})`,
		'where there is a GPU: npm run cuda, or its driver of Vulkan',
	);
}

function lookAtReadiness({ ready, redis, store, workers }: Readiness, version: string): Finding[] {
	const others = [...new Set(workers.map((worker) => worker.version))].filter((one) => one !== version);
	return [
		ready
			? fine('service', `ready, with Redis ${redis.version ?? ''}`.trim())
			: fault(
					'service',
					`not ready: ${[redis, store].flatMap(({ ok, note }) => (ok ? [] : [note ?? ''])).join('; ')}`,
					'see the logs in the data folder',
				),
		workers.length > 0
			? fine('workers', `${countText(workers.length)}, with ${countText(workers.flatMap(({ jobs }) => jobs).length)} jobs at hand`)
			: fault('workers', 'none is alive: jobs wait', 'start one; "npm start" does'),
		...(others.length > 0
			? [notice('versions', `this command is ${version}, and workers are ${others.join(', ')}`, 'install the same version everywhere')]
			: []),
	];
}

/** The difference between the clock of the service and that of this machine. */
async function lookAtClock(url: string): Promise<Finding> {
	const asked = Date.now();
	const date = (await fetch(new URL('/healthz', url))).headers.get('date');
	// The header is cut to whole seconds.
	const difference = Math.round((Date.parse(date ?? '') + 500 - (asked + Date.now()) / 2) / 1000);
	return Math.abs(difference) <= CLOCK_DIFFERENCE
		? fine('clock', 'agrees with that of the service')
		: notice('clock', `differs from that of the service by ${countText(difference)} s`, 'set both by NTP');
}

async function lookAtService({ client, url, version }: Patient): Promise<Finding[]> {
	const readiness = await client.ready().catch(() => null);
	if (readiness === null) return [notice('service', `none answers at ${url}`, 'start it by "npm start", or name another one by --url')];
	return [...lookAtReadiness(readiness, version), await lookAtClock(url)];
}

/** Looks at all that the service needs on this machine, and at the service itself where it runs. */
export async function examine(patient: Patient): Promise<Finding[]> {
	return [
		fine('version', `${patient.version} on Node.js ${process.versions.node}`),
		...(await lookAtHome(patient)),
		await lookAtRedis(patient.env),
		await lookAtDevices(),
		...(await lookAtService(patient)),
	];
}
