import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isFinal, type JobEvent, type JobResource, type ModelVerdict, parseJobSpec } from '@steelyard/contracts';
import { openQueue, type Queue } from '@steelyard/queue';
import { launchRedis, type RedisHandle } from '@steelyard/redis';
import { createId, type LocalStore, openStore } from '@steelyard/store';
import pino from 'pino';
import { vi } from 'vitest';
import { startWorker, type Worker, type WorkerOptions } from '../src/worker.js';

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** A queue over an embedded Redis and a temporary folder, and what the workers on it have logged. */
export type Service = {
	home: string;
	redis: RedisHandle;
	store: LocalStore;
	queue: Queue;
	lines: Record<string, unknown>[];
	work(options?: Partial<WorkerOptions>): Promise<Worker>;
	/** Posts a job for the stand-in trainer. */
	post(act: string, spec?: object): Promise<string>;
	/** Stores a model and queues it for inspection. */
	upload(bytes: Uint8Array | string): Promise<string>;
	/** What inspection came to. */
	verdict(id: string): Promise<ModelVerdict>;
	get(id: string): Promise<JobResource>;
	/** The job once `condition` holds. */
	when(id: string, condition: (job: JobResource) => boolean): Promise<JobResource>;
	end(id: string): Promise<JobResource>;
	events(id: string): Promise<JobEvent[]>;
	close(): Promise<void>;
};

export async function openService(): Promise<Service> {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-worker-'));
	const redis = await launchRedis({ home, binary: null });
	const store = await openStore(home);
	const queue = await openQueue({ redis: redis.options, store });
	const workers: Worker[] = [];
	const lines: Record<string, unknown>[] = [];
	const log = pino(
		{ level: 'debug' },
		new Writable({
			write(chunk: Buffer, _, done) {
				lines.push(JSON.parse(chunk.toString()));
				done();
			},
		}),
	);

	const get = async (id: string): Promise<JobResource> => {
		const job = await queue.jobs.get(id);
		if (job === null) throw new Error(`there is no job ${id}`);
		return job;
	};
	const when: Service['when'] = (id, condition) =>
		vi.waitFor(
			async () => {
				const job = await get(id);
				if (!condition(job)) throw new Error(`${id} is ${job.status} in attempt ${job.attempt}: ${JSON.stringify(job.error)}`);
				return job;
			},
			{ timeout: 30_000, interval: 20 },
		);
	return {
		home,
		redis,
		store,
		queue,
		lines,
		get,
		when,
		end: (id) => when(id, (job) => isFinal(job.status)),
		events: (id) => queue.events.read(id, { limit: 1000 }),
		async work(options = {}) {
			const worker = await startWorker({
				queue,
				store,
				log,
				trainerEntry: fixture('trainer.mjs'),
				probeEntry: fixture('probe.mjs'),
				inspectEntry: fixture('inspector.mjs'),
				...options,
			});
			workers.push(worker);
			return worker;
		},
		async upload(bytes) {
			const id = createId('mdl');
			await store.put(`models/${id}/model.onnx`, bytes);
			await store.put(`models/${id}/model.json`, '{}');
			await queue.inspections.enqueue(id);
			return id;
		},
		verdict: (id) =>
			vi.waitFor(
				async () => {
					const verdict = await queue.inspections.verdict(id);
					if (verdict === null) throw new Error(`${id} has no verdict`);
					return verdict;
				},
				{ timeout: 30_000, interval: 20 },
			),
		async post(act, spec = {}) {
			const id = createId('job');
			await queue.jobs.create({
				id,
				object: 'job',
				status: 'queued',
				stage: null,
				progress: 0,
				epoch: null,
				step: null,
				eta_seconds: null,
				metrics: null,
				modality_weights: null,
				project: 'ward',
				request_id: `request-${act.replaceAll(/\W/g, '-')}`,
				created_at: Math.floor(Date.now() / 1000),
				started_at: null,
				finished_at: null,
				attempt: 0,
				cancel_requested: false,
				device: null,
				spec: parseJobSpec({ dataset: 'ds_1', metadata: { act }, ...spec }),
				result: null,
				artifacts: [],
				error: null,
			});
			await queue.enqueue(id);
			return id;
		},
		async close() {
			await Promise.all(workers.map((worker) => worker.close()));
			await queue.close();
			await redis.close();
			await rm(home, { recursive: true, force: true });
		},
	};
}

/** Processes of a stand-in that a process, this one unless given, has started (Linux). */
export async function childrenOf(entry: string, parent = process.pid): Promise<number[]> {
	const found: number[] = [];
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
		const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
		if (!(await read('cmdline')).includes(fixture(entry))) continue;
		if ((await read('status')).includes(`\nPPid:\t${parent}\n`)) found.push(pid);
	}
	return found;
}

/** Whether a process lives. */
export function lives(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
