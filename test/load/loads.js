import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { isFinal } from '@steelyard/contracts';
import { until } from '../faults/service.js';
import { tinyDataset } from './tiny-dataset.js';

/** @typedef {Awaited<ReturnType<typeof import('./service.js').openService>>} Service */

const quantile = (/** @type {number[]} */ sorted, /** @type {number} */ share) =>
	sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

/** All jobs that the service has. */
async function allJobs(/** @type {Service} */ { client }) {
	const jobs = [];
	for (let after; ; ) {
		const page = await client.jobs.list({ limit: 100, ...(after === undefined ? {} : { after }) });
		jobs.push(...page.data);
		if (!page.has_more) return jobs;
		after = page.data.at(-1)?.id;
	}
}

/** Cancels what has not ended. */
async function cancelAll(/** @type {Service} */ service) {
	for (const { id, status } of await allJobs(service)) if (!isFinal(status)) await service.client.jobs.cancel(id).catch(() => null);
	await until('the end of all jobs', async () => (await allJobs(service)).every(({ status }) => isFinal(status)));
}

/** Begins a job that trains until it is cancelled; resolves once it trains. */
async function beginTraining(/** @type {Service} */ { client, spec }) {
	const { id } = await client.jobs.create(
		spec(100_000, { training: { epochs: 100_000, early_stopping: null, threads: 1, batch_size: 32 } }),
	);
	await until('the first steps', async () => ((await client.jobs.get(id)).step ?? 0) > 0);
	return id;
}

/** The optimizer steps of a job in a second, over some seconds; its epochs have `perEpoch` steps. */
async function speedOf(/** @type {Service} */ { client }, /** @type {string} */ id, /** @type {number} */ seconds) {
	const at = async () => {
		const { step } = await client.jobs.get(id);
		return { step: step ?? 0, time: performance.now() };
	};
	const from = await at();
	await delay(seconds * 1000);
	const to = await at();
	return ((to.step - from.step) / (to.time - from.time)) * 1000;
}

/** Posts jobs all at once and waits for their ends. Resolves with how many ended how, and how many jobs a second. */
export async function drain(/** @type {Service} */ service, { jobs = 500 } = {}) {
	const { client, spec } = service;
	const began = performance.now();
	const ids = [];
	for (let i = 0; i < jobs; i += 50)
		ids.push(...(await Promise.all(Array.from({ length: Math.min(50, jobs - i) }, () => client.jobs.create(spec(1))))).map(({ id }) => id));
	const posted = performance.now();
	await until(
		'the end of all jobs',
		async () => (await delay(500), (await allJobs(service)).every(({ status }) => isFinal(status))),
		3_600_000,
	);
	const ended = performance.now();
	const found = await allJobs(service);
	const known = new Set(found.filter(({ status, attempt }) => status === 'succeeded' && attempt === 1).map(({ id }) => id));
	return {
		posted: ids.length,
		'posts per second': ids.length / ((posted - began) / 1000),
		'succeeded at the first attempt': ids.filter((id) => known.has(id)).length,
		'not posted': found.length - ids.length,
		'jobs per second': ids.length / ((ended - began) / 1000),
	};
}

/** Sends requests at a steady rate while a job trains. Resolves with their latencies in milliseconds, and the speed of the job as a share of that without them. */
export async function requests(/** @type {Service} */ service, { perSecond = 300, seconds = 20 } = {}) {
	const { url, spec } = service;
	const running = await beginTraining(service);
	await delay(2000);
	const before = await speedOf(service, running, seconds);
	const agent = new Agent({ keepAlive: true, maxSockets: 64 });
	const latencies = { read: [], create: [] };
	const statuses = new Map();
	const body = JSON.stringify(spec(1));
	const reads = [
		`/v1/jobs/${running}`,
		'/v1/jobs?limit=20',
		`/v1/jobs/${running}/events?limit=20`,
		'/v1/datasets',
		`/v1/jobs/${running}/logs`,
	];
	const send = (/** @type {number} */ i) =>
		new Promise((done) => {
			const began = performance.now();
			const creates = i % 10 === 0;
			const sent = request(
				`${url}${creates ? '/v1/jobs' : reads[i % reads.length]}`,
				{ agent, method: creates ? 'POST' : 'GET', headers: creates ? { 'content-type': 'application/json' } : {} },
				(response) => {
					response.resume();
					response.once('end', () => {
						latencies[creates ? 'create' : 'read'].push(performance.now() - began);
						statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1);
						done(null);
					});
				},
			);
			sent.once('error', () => {
				statuses.set('error', (statuses.get('error') ?? 0) + 1);
				done(null);
			});
			sent.end(creates ? body : undefined);
		});
	const measured = speedOf(service, running, seconds);
	const sent = [];
	const processor = await service.apiSeconds();
	const began = performance.now();
	while (performance.now() - began < seconds * 1000) {
		const due = ((performance.now() - began) / 1000) * perSecond;
		while (sent.length < due) sent.push(send(sent.length));
		await delay(2);
	}
	await Promise.all(sent);
	const taken = (await service.apiSeconds()) - processor;
	const during = await measured;
	agent.destroy();
	await cancelAll(service);
	const of = (/** @type {number[]} */ ms) => {
		const sorted = ms.sort((a, b) => a - b);
		return { count: ms.length, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), slowest: sorted.at(-1) };
	};
	return {
		'requests per second': sent.length / seconds,
		statuses: Object.fromEntries(statuses),
		reads: of(latencies.read),
		creates: of(latencies.create),
		all: of([...latencies.read, ...latencies.create]),
		'processor time of the API, ms a request': (1000 * taken) / sent.length,
		'training speed': during / before,
	};
}

/** Opens event streams of a job that trains, half of which are never read. Resolves with the bytes of memory of the API before (`api`) and at most with them, and how many of the read ones got events to the end. */
export async function streams(/** @type {Service} */ service, { count = 200, seconds = 20 } = {}) {
	const { url, client } = service;
	const id = await beginTraining(service);
	const { api } = await service.memory();
	const { hostname, port } = new URL(url);
	const sockets = Array.from({ length: count }, (_, i) => {
		const socket = connect(Number(port), hostname);
		const one = { socket, read: i % 2 === 0, tail: '' };
		socket.on('error', () => {});
		socket.write(`GET /v1/jobs/${id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`);
		if (one.read) socket.setEncoding('utf8').on('data', (text) => (one.tail = (one.tail + text).slice(-20_000)));
		else socket.pause();
		return one;
	});
	let most = api;
	for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(500)) most = Math.max(most, (await service.memory()).api);
	await client.jobs.cancel(id);
	const readers = sockets.filter(({ read }) => read);
	await until('the end of the streams that are read', async () => readers.every(({ tail }) => tail.includes('"status":"cancelled"')));
	for (const { socket } of sockets) socket.destroy();
	return { streams: count, 'read to the end': readers.length, api, most };
}

/** Trains a tiny model for very many epochs. Resolves with the bytes of memory of everything at a tenth of the job and near its end. */
export async function epochs(/** @type {Service} */ service, { epochs: count = 100_000 } = {}) {
	const { client } = service;
	const { id: dataset } = await client.datasets.create(await tinyDataset(), 'tiny.zip');
	const { id } = await client.jobs.create({
		dataset,
		model: { family: 'mlp-fusion', hidden: 4 },
		weighting: { preset: 'uniform' },
		training: { epochs: count, early_stopping: null, threads: 1 },
	});
	const reached = (/** @type {number} */ progress) =>
		until(`progress ${progress}`, async () => (await client.jobs.get(id)).progress >= progress, 3_600_000);
	await reached(0.1);
	const early = await service.memory();
	await reached(0.9);
	const late = await service.memory();
	const ended = await until(
		'the end',
		async () => {
			const job = await client.jobs.get(id);
			return isFinal(job.status) && job;
		},
		3_600_000,
	);
	return { status: ended.status, epochs: count, early, late };
}

/** Uses the service as colleagues do, again and again, for so many seconds and at least three times. Resolves with the bytes of memory of its parts in the first and in the last third of that time. */
export async function soak(/** @type {Service} */ service, { seconds = 60 } = {}) {
	const { client, spec } = service;
	let rounds = 0;
	const end = Date.now() + seconds * 1000;
	const round = async () => {
		const made = await Promise.all(
			Array.from({ length: 4 }, (_, i) =>
				client.jobs.create(spec(2, { training: { epochs: 2, seed: rounds * 4 + i, early_stopping: null, threads: 1 } })),
			),
		);
		await client.jobs.cancel(/** @type {any} */ (made[3]).id);
		const seen = [];
		for await (const event of client.jobs.events(/** @type {any} */ (made[0]).id)) seen.push(event);
		for (const { id } of made) {
			const job = await until('the end of a job', async () => {
				const found = await client.jobs.get(id);
				return isFinal(found.status) && found;
			});
			if (job.status === 'succeeded') {
				const model = await client.jobs.download(id, 'model.onnx');
				await model.arrayBuffer();
				await client.jobs.metrics(id);
			} else if (id !== made[3]?.id) throw new Error(`${id} is ${job.status}: ${job.error?.message}`);
			await client.jobs.list({ limit: 20 });
			await client.jobs.remove(id);
		}
		rounds++;
	};
	const measured = [];
	while (Date.now() < end || rounds < 3) {
		await round();
		measured.push(await service.memory());
	}
	// The least of each third is compared, for collectors take their time.
	const third = Math.ceil(measured.length / 3);
	const least = (/** @type {typeof measured} */ of) => {
		const smallest = (/** @type {'api' | 'worker' | 'redis'} */ part) => Math.min(...of.map((one) => one[part]));
		return { api: smallest('api'), worker: smallest('worker'), redis: smallest('redis') };
	};
	return { rounds, jobs: 4 * rounds, first: least(measured.slice(0, third)), last: least(measured.slice(-third)) };
}
