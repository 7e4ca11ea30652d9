import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFinal } from '@steelyard/contracts';
import { openQueue } from '@steelyard/queue';
import { openStore } from '@steelyard/store';
import { answered, clientOf } from './play.js';
import { processes, until } from './service.js';

/** What of a data folder is not the store's. */
const BESIDE = ['redis', 'lock', 'logs'];
const sha256 = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');

/** The files of a data folder below it. */
async function filesOf(/** @type {string} */ home) {
	const entries = await readdir(home, { recursive: true, withFileTypes: true });
	return entries
		.filter((entry) => entry.isFile())
		.map(({ parentPath, name }) => join(parentPath, name).slice(home.length + 1))
		.filter((file) => !BESIDE.includes(/** @type {string} */ (file.split('/')[0])));
}

/** The statuses that a job may have in the end, by what was asked of it last and what was answered. */
function allowed(/** @type {{ what: string, done: boolean }[]} */ asked) {
	if (!asked.some(({ what }) => what === 'cancel')) return ['succeeded'];
	const last = asked.filter(({ what }) => what !== 'pause').at(-1);
	return last?.what === 'cancel' && last.done ? ['cancelled'] : ['succeeded', 'cancelled'];
}

/** What is wrong with the events of a job. */
function wrongEvents(/** @type {any[]} */ events, /** @type {string} */ status, /** @type {number} */ resumed) {
	const ends = events.flatMap((event, i) => (event.type === 'status' && isFinal(event.status) ? [{ i, status: event.status }] : []));
	const wrong = [];
	if (ends.length < 1 || ends.length > 1 + resumed) wrong.push(`${ends.length} events of its end, with ${resumed} resumptions`);
	if (ends.some((end, i) => end.status !== (i === ends.length - 1 ? status : 'cancelled')))
		wrong.push(`it is ${status}, but its ends are ${ends.map((end) => end.status)}`);
	if (ends.length > 0 && ends.at(-1)?.i !== events.length - 1) wrong.push(`an event after its end: ${JSON.stringify(events.at(-1))}`);
	return wrong;
}

/** What BullMQ and the sets of jobs that wait for something still hold. */
async function leftInRedis(/** @type {any} */ redis) {
	const left = [];
	for (const key of await redis.keys('steelyard:2:*')) {
		const of = key.slice('steelyard:2:'.length);
		if (/^deliveries:training[^:]*:job_/.test(of) || /^(using:|unsaved$|ended$|status:[^:]+:(queued|running|paused)$|waiting:)/.test(of))
			left.push(of);
		else if (/^deliveries:training[^:]*:(wait|active|paused|failed|completed|delayed|prioritized)$/.test(of))
			left.push(`${of} ${await redis.type(key)}`);
	}
	return left;
}

/** The files of the store that should not be there, and those that should. */
function wrongFiles(/** @type {string[]} */ files, /** @type {any[]} */ records) {
	const wrong = files.filter((file) => !/^(datasets|jobs|audit)\//.test(file)).map((file) => `left over: ${file}`);
	for (const { id, status, attempt, artifacts } of records) {
		const own = files
			.filter((file) => file.startsWith(`jobs/${id}/`))
			.map((file) => file.slice(`jobs/${id}/`.length))
			// An attempt that nobody could take has no log.
			.filter((file) => !/^logs\/\d+\.jsonl$/.test(file));
		const kept = ['job.json', 'request.json', 'events.jsonl'];
		if (status === 'succeeded') kept.push('result.json', ...artifacts.map((/** @type {any} */ { name }) => `attempts/${attempt}/${name}`));
		wrong.push(...kept.filter((file) => !own.includes(file)).map((file) => `missing: ${id}/${file}`));
		const checkpoints = own.filter((file) => status === 'cancelled' && /^attempts\/\d+\/checkpoints\/[^/]+\.safetensors$/.test(file));
		const spare = own.filter((file) => !kept.includes(file) && file !== checkpoints[0]);
		// The result of a job whose cancellation was answered while it was written.
		wrong.push(...spare.filter((file) => status !== 'cancelled' || file !== 'result.json').map((file) => `left over: ${id}/${file}`));
	}
	wrong.push(
		...files
			.filter((file) => file.startsWith('jobs/') && !records.some(({ id }) => file.startsWith(`jobs/${id}/`)))
			.map((file) => `of no job: ${file}`),
	);
	return wrong;
}

/**
 * Checks what has become of a played schedule and closes the service. Resolves with the records of the jobs, and with what is wrong, in words.
 * `expected`: the sha256 of model.onnx by the number of the spec.
 */
export async function check(/** @type {any} */ service, /** @type {any[]} */ jobs, /** @type {string[]} */ expected) {
	const { home, redis, connection } = service;
	const client = clientOf(service);
	/** @type {string[]} */
	const wrong = [];
	const records = [];
	const listed = await answered('a list', () => client.jobs.list({ limit: 100 }));
	const known = new Set(jobs.flatMap(({ ids }) => [...ids]));
	for (const { id } of listed.data) if (!known.has(id)) wrong.push(`${id} was made, and no post was answered with it`);
	const queue = await openQueue({ redis: redis.options, store: await openStore(home) });
	for (const { ids, key, spec, asked } of jobs) {
		if (ids.size !== 1) wrong.push(`${key} made ${ids.size} jobs`);
		const [id] = ids;
		const record = await answered('a job', () => client.jobs.get(id));
		records.push(record);
		const { status, attempt, artifacts, error } = record;
		if (!allowed(asked).includes(status)) wrong.push(`${id} is ${status} (${error?.message}) after ${JSON.stringify(asked)}`);
		const resumed = asked.filter((/** @type {any} */ { what, done }) => what === 'resume' && done).length;
		wrong.push(...wrongEvents(await queue.events.read(id, { limit: 10_000 }), status, resumed).map((words) => `${id}: ${words}`));
		for (const { name, sha256: named } of artifacts) {
			const found = sha256(await readFile(join(home, 'jobs', id, 'attempts', String(attempt), name)));
			if (found !== named) wrong.push(`${id}: ${name} is ${found}, and its record says ${named}`);
		}
		const model = artifacts.find((/** @type {any} */ { name }) => name === 'model.onnx');
		if (status === 'succeeded' && model?.sha256 !== expected[spec])
			wrong.push(`${id}: model.onnx is ${model?.sha256}, that of an undisturbed run ${expected[spec]}`);
	}
	await queue.close();
	/** @type {string[]} */
	let left = [];
	await until('nothing left over', async () => {
		left = [
			...(await leftInRedis(connection)),
			...wrongFiles(
				(await filesOf(home)).filter((file) => !file.startsWith('.tmp/')),
				records,
			),
		];
		return left.length === 0;
	}).catch(() => wrong.push(...left));
	await service.close();
	// What killed processes were writing goes with the next start.
	await openStore(home);
	wrong.push(...(await filesOf(home)).filter((file) => file.startsWith('.tmp/')).map((file) => `left over: ${file}`));
	const alive = (await processes()).filter(
		({ pid, command, environment }) => pid !== process.pid && (command + environment).includes(home),
	);
	wrong.push(...alive.map(({ pid, command }) => `process ${pid} lives: ${command.replaceAll('\0', ' ')}`));
	return { records, wrong };
}
