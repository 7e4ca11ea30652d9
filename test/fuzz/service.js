// The API over a data folder of its own, and what comes of a file that is sent to it.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { buildApp } from '@steelyard/api';
import { openQueue } from '@steelyard/queue';
import { launchRedis } from '@steelyard/redis';
import { startBoundedChild } from '@steelyard/service-process';
import { openStore } from '@steelyard/store';
import pino from '../../services/api/node_modules/pino/pino.js';
import { INSPECT_ENTRY, LIMITS } from '../../services/worker/dist/inspect-process.js';
import { inspect } from '../../services/worker/dist/inspection.js';
import { archiveOf, written } from './archives.js';
import { KINDS, mutantOf } from './kinds.js';
import { children, peakBytes, processorSeconds } from './processes.js';
import { fitting, openSeeds, specs } from './seeds.js';

const INSPECTOR = fileURLToPath(new URL('inspector.js', import.meta.url));
const LINEAR = fileURLToPath(new URL('../../services/worker/test/fixtures/linear.onnx', import.meta.url));
const MEBIBYTE = 1024 ** 2;
/** What reading a dataset may take here: as in the service, but for the time. */
const READING = { ms: 60_000, bytes: 1024 * MEBIBYTE };
/** Seconds of the processor after which a file is said to hang. */
const LONGEST = 10;
/** One in so many models goes the whole way through the API, the queue and a process of its own, which starts the engine anew. */
const WHOLE_WAY = 25;
/** One in so many tables is only looked at. */
const LOOKED_AT = 5;

/** The programs that read what was sent, by where it is sent to. */
const READERS = { dataset: /read-child/, table: /read-child/, model: /inspect/, job: /^$/ };

/** Whether words tell that a process was ended over a limit, and whether they tell that it crashed or met a fault of ours. */
const isLimit = (words) => /was ended (after|when it had taken)/.test(words);
const isFault = (words) => /^The process that (read|inspected)|could not be inspected/.test(words);

/** Starts the service. `judge` sends one mutant; `strays` gives what is wrong on the disk. */
export async function openService() {
	const root = await mkdtemp(join(tmpdir(), 'steelyard-fuzz-'));
	const outside = join(root, 'outside');
	// Deep, so that a path that leads out of the folder by some `..` ends where it is looked for.
	const home = join(root, 'a/b/c/d/home');
	await mkdir(outside);
	await mkdir(home, { recursive: true });
	const redis = await launchRedis({ home, binary: null });
	const store = await openStore(home);
	const queue = await openQueue({ redis: redis.options, store });
	const logged = [];
	const lines = new Writable({
		write(line, _, done) {
			logged.push(line.toString());
			done();
		},
	});
	const log = pino({ level: 'error' }, lines);
	const app = await buildApp({
		config: { host: '127.0.0.1', apiKey: null, uploadLimit: 64 * MEBIBYTE, modelLimit: 64 * MEBIBYTE, reading: READING },
		queue,
		store,
		log,
	});
	await app.ready();
	const inspecting = await queue.inspections.work({
		process: (id, signal) => inspect({ store, entry: INSPECT_ENTRY, limits: LIMITS }, id, signal, pino({ level: 'silent' })),
	});
	const seeds = await openSeeds();
	let inspector = null;

	const send = (method, url, type, payload) => app.inject({ method, url, payload, headers: type === null ? {} : { 'content-type': type } });
	async function verdictOf(id) {
		for (;;) {
			const model = (await send('GET', `/v1/models/${id}`, null)).json();
			if (model.status !== 'inspecting') return model;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
	const outcomeOf = ({ statusCode, headers, body }) => {
		if (statusCode < 300) return 'accepted';
		if (statusCode >= 500 || !String(headers['content-type']).startsWith('application/problem+json')) return `${statusCode} ${body}`;
		const { code, detail } = JSON.parse(body);
		if (!code || !detail || code === 'internal' || isFault(detail)) return body;
		return isLimit(detail) ? 'over a limit' : 'refused';
	};

	const to = {
		async dataset(bytes) {
			const answer = await send('POST', '/v1/datasets', 'application/zip', bytes);
			if (answer.statusCode === 201) await send('DELETE', `/v1/datasets/${answer.json().id}`, null);
			return outcomeOf(answer);
		},
		async table(bytes, seed, filename) {
			const url = `/v1/${seed % LOOKED_AT === 0 ? 'table-previews' : 'datasets'}?filename=${filename}&label=readmitted`;
			const answer = await send('POST', url, 'application/octet-stream', bytes);
			if (answer.statusCode === 201) await send('DELETE', `/v1/datasets/${answer.json().id}`, null);
			return outcomeOf(answer);
		},
		async job(bytes) {
			const answer = await send('POST', '/v1/jobs', 'application/json', bytes);
			if (answer.statusCode === 202) {
				const { id } = answer.json();
				await send('POST', `/v1/jobs/${id}/cancel`, null);
				await send('DELETE', `/v1/jobs/${id}`, null);
			}
			return outcomeOf(answer);
		},
		async model(bytes, seed) {
			return seed % WHOLE_WAY === 0 ? to.wholeModel(bytes) : to.inspector(bytes);
		},
		async wholeModel(bytes) {
			const answer = await send('POST', '/v1/models?filename=net.onnx', 'application/octet-stream', bytes);
			if (answer.statusCode !== 202) return outcomeOf(answer);
			const { id, status, error } = await verdictOf(answer.json().id);
			await send('DELETE', `/v1/models/${id}`, null);
			if (status === 'ready') return 'accepted';
			return isLimit(error.message) ? 'over a limit' : isFault(error.message) || error.message === '' ? error.message : 'refused';
		},
		async inspector(bytes) {
			const path = join(root, 'model');
			await writeFile(path, bytes);
			if (!inspector?.isAlive) inspector = startBoundedChild({ entry: INSPECTOR, limits: LIMITS });
			const end = await inspector.run({ path });
			if (end.type === 'late' || end.type === 'too big') return 'over a limit';
			if (end.type === 'crashed') return `the process that inspected it ended: ${JSON.stringify(end)}`;
			// It keeps much of what it has taken once.
			if (((await inspector.peak()) ?? 0) > LIMITS.bytes / 4) await inspector.end();
			return end.answer.outcome;
		},
	};

	async function added(files) {
		const answer = await send('POST', '/v1/datasets', 'application/zip', written(archiveOf(files)));
		if (answer.statusCode !== 201) throw new Error(`a seed is refused: ${answer.body}`);
		return answer.json().id;
	}
	const { id: model } = (await send('POST', '/v1/models?filename=net.onnx', 'application/octet-stream', await readFile(LINEAR))).json();
	const { status } = await verdictOf(model);
	if (status !== 'ready') throw new Error(`the model is ${status}`);
	const ids = { sample: await added(seeds.datasets[0]), fitting: await added(fitting()), model };
	// The folder of jobs comes with the first.
	const outcome = await to.job(JSON.stringify(specs(ids)[0]));
	if (outcome !== 'accepted') throw new Error(`a seed is refused: ${outcome}`);

	/** The paths of all files and folders below the root, but for those of the data folder. */
	const around = async () =>
		(await readdir(root, { recursive: true })).filter((path) => !path.startsWith(`${relative(root, home)}/`)).sort();
	await writeFile(join(root, 'model'), '');
	const expected = { around: await around(), home: (await readdir(home)).sort() };

	return {
		root,
		send,
		parts: { seeds, outside, ids },
		/** Sends the mutant of a seed. Resolves with what came of it, in words where that is a fault, and what it took: seconds of the processor, and the most bytes of the process that read it or one before. */
		async judge(kind, seed) {
			const bytes = mutantOf(kind, seed, { seeds, outside, ids });
			const before = processorSeconds();
			let outcome = await to[KINDS[kind].to](bytes, seed, KINDS[kind].filename);
			const seconds = processorSeconds() - before;
			const faults = logged.splice(0);
			if (faults.length > 0) outcome = faults.join('');
			else if (seconds > LONGEST && outcome !== 'over a limit') outcome = `it took ${seconds} s of the processor`;
			const left = await readdir(store.path('uploads')).catch(() => []);
			if (left.length > 0) outcome = `it left in uploads: ${left}`;
			return { kind, seed, outcome, seconds, bytes: Math.max(0, ...children(READERS[KINDS[kind].to]).map(peakBytes)) };
		},
		/** What is on the disk that was not there before, and not a part of the data folder. */
		async strays() {
			const found = [...(await around()), ...(await readdir(home)).map((name) => `home/${name}`)];
			const known = new Set([...expected.around, ...expected.home.map((name) => `home/${name}`)]);
			return found.filter((path) => !known.has(path)).concat((await readdir(outside)).map((name) => `outside/${name}`));
		},
		async close() {
			await inspector?.end();
			await inspecting.close(1000);
			await app.close();
			await queue.close();
			await redis.close();
			if (existsSync(root)) await rm(root, { recursive: true, force: true });
		},
	};
}
