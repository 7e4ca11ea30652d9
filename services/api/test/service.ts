import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobResource, ModelVerdict, Problem, WorkerStatus } from '@steelyard/contracts';
import { openQueue, type PredictionOrder, type Queue, type Work } from '@steelyard/queue';
import { launchRedis, type RedisHandle } from '@steelyard/redis';
import { type LocalStore, openStore } from '@steelyard/store';
import pino from 'pino';
import { expect, vi } from 'vitest';
import { type AppOptions, buildApp } from '../src/app.js';
import type { App } from '../src/fastify-app.js';
import { datasetArchive } from './archive.js';

export const silent = pino({ level: 'silent' });

export type Service = {
	app: App;
	queue: Queue;
	store: LocalStore;
	redis: RedisHandle;
	home: string;
	/** Another application over the same queue and store. */
	build(config: Partial<AppOptions['config']>, log?: AppOptions['log']): Promise<App>;
	close(): Promise<void>;
};

/** The application over an embedded Redis and a temporary folder. */
export async function openService(config: Partial<AppOptions['config']> = {}): Promise<Service> {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-api-'));
	const redis = await launchRedis({ home, binary: null });
	const store = await openStore(home);
	const queue = await openQueue({ redis: redis.options, store });
	const apps: App[] = [];
	const build = async (own: Partial<AppOptions['config']>, log = silent) => {
		const app = await buildApp({
			config: { host: '127.0.0.1', apiKey: null, uploadLimit: 1024 ** 2, modelLimit: 1024 ** 2, ...own },
			queue,
			store,
			log,
		});
		apps.push(app);
		await app.ready();
		return app;
	};
	return {
		app: await build(config),
		queue,
		store,
		redis,
		home,
		build,
		async close() {
			for (const app of apps) await app.close();
			await queue.close();
			await redis.close();
			await rm(home, { recursive: true, force: true });
		},
	};
}

/** Holds an answer to be a problem document of that code, and gives it. */
export function expectProblem(
	response: { statusCode: number; headers: Record<string, unknown>; body: string },
	status: number,
	code: string,
	param?: string | null,
): Problem {
	expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
	const problem: Problem = JSON.parse(response.body);
	expect({ ...problem, http: response.statusCode }).toMatchObject({
		http: status,
		status,
		code,
		type: `urn:steelyard:problem:${code}`,
		...(param === undefined ? {} : { param }),
	});
	expect(problem.title).toEqual(expect.any(String));
	expect(problem.detail.length).toBeGreaterThan(3);
	return problem;
}

/** Uploads a small dataset and gives its id. */
export async function addDataset(app: App, task: Parameters<typeof datasetArchive>[0] = 'binary'): Promise<string> {
	const response = await app.inject({
		method: 'POST',
		url: '/v1/datasets',
		headers: { 'content-type': 'application/zip' },
		payload: await datasetArchive(task),
	});
	expect(response.statusCode, response.body).toBe(201);
	return response.json().id;
}

/** Uploads what stands for a model, which nobody here reads, and gives its id. */
export async function addModel(app: App, bytes = 'a model'): Promise<string> {
	const response = await app.inject({
		method: 'POST',
		url: '/v1/models?filename=net.onnx',
		headers: { 'content-type': 'application/octet-stream' },
		payload: bytes,
	});
	expect(response.statusCode, response.body).toBe(202);
	return response.json().id;
}

/** Has a worker give the verdict that `verdict` makes on every model that is uploaded. */
export async function judgeModels(queue: Queue, verdict: (id: string) => ModelVerdict): Promise<Work> {
	return queue.inspections.work({ process: async (id) => verdict(id) });
}

/** Has a worker give these verdicts, by the id of the model, and resolves once they are there. */
export async function judge(queue: Queue, verdicts: Readonly<Record<string, ModelVerdict>>): Promise<void> {
	const judging = await judgeModels(queue, (id) => verdicts[id] ?? expect.unreachable(`no verdict on ${id} is foreseen`));
	for (const id of Object.keys(verdicts)) await vi.waitFor(async () => expect(await queue.inspections.verdict(id)).not.toBeNull());
	await judging.close(1000);
}

/** Puts a worker on the list that answers so what it is asked to predict. */
export async function answerPredictions(queue: Queue, answer: (order: PredictionOrder) => Promise<string>): Promise<Work> {
	await queue.workers.announce(worker('predicting', 'no GPU'));
	const work = await queue.predictions.work('predicting', answer);
	return {
		async close(graceMs) {
			await work.close(graceMs);
			await queue.workers.withdraw('predicting');
		},
	};
}

/** Posts a job and gives its record. */
export async function addJob(app: App, dataset: string, spec: object = {}): Promise<JobResource> {
	const response = await app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset, ...spec } });
	expect(response.statusCode, response.body).toBe(202);
	return response.json();
}

export const worker = (id: string, note: string | null): WorkerStatus => ({
	id,
	pid: 1,
	started_at: 1,
	version: '0',
	devices: {
		cpu: { available: true },
		cuda: { available: note === null, note },
		webgpu: { available: note === null, adapter: null, software: null, note },
	},
	jobs: [],
});
