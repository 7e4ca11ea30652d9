import { once } from 'node:events';
import { projectOf, type Readiness, type WorkerStatus } from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
import { folders, type ServiceStore } from '@steelyard/store';
import { Type } from 'typebox';
import type { App } from '../fastify-app.js';
import type { Caller } from '../keys/caller.js';
import { ref } from '../schemas/components.js';

/** With fewer free bytes than this a job could not keep its model, so none should begin. */
const LEAST_FREE = 64 * 1024 ** 2;

/** Longest that a store may take to answer, in milliseconds. */
const LONGEST_ANSWER = 2000;

/** Says whether the store and the disk of its files will do. Never rejects. */
async function storeHealth(store: ServiceStore): Promise<Readiness['store']> {
	const late = AbortSignal.timeout(LONGEST_ANSWER);
	try {
		const { free } = await store.files.space();
		// Whether it is there does not matter, but that there is an answer.
		await Promise.race([store.stat(`${folders.uploads}/probe`), once(late, 'abort').then(() => late.throwIfAborted())]);
		return { ok: free >= LEAST_FREE, free_bytes: free, note: free >= LEAST_FREE ? null : `only ${free} bytes are free` };
	} catch (error) {
		// The message has the path of the folder or the address of the bucket, which whoever reaches the port would read.
		const code = late.aborted ? `no answer within ${LONGEST_ANSWER / 1000} s` : ((error as NodeJS.ErrnoException).code ?? 'unknown error');
		return { ok: false, free_bytes: null, note: `the store cannot be read (${code})` };
	}
}

/** A worker as a caller may see it: with the jobs of its project, of every project for an admin, and with none for who has no key. */
async function shownTo(caller: Caller | null, queue: Queue, worker: WorkerStatus): Promise<WorkerStatus> {
	if (caller?.scope === 'admin') return worker;
	if (caller === null) return { ...worker, jobs: [] };
	const found = await Promise.all(worker.jobs.map((id) => queue.jobs.get(id)));
	return { ...worker, jobs: found.flatMap((job) => (job !== null && projectOf(job) === caller.project ? [job.id] : [])) };
}

/** The routes that say how the service is. */
export async function healthRoutes(app: App, { queue, store }: { queue: Queue; store: ServiceStore }): Promise<void> {
	app.route({
		method: 'GET',
		url: '/healthz',
		config: { open: true },
		schema: {
			operationId: 'getHealth',
			summary: 'Whether the process answers',
			tags: ['service'],
			response: { 200: Type.Object({ ok: Type.Boolean() }, { description: 'It does' }) },
		},
		handler: () => ({ ok: true }),
	});
	app.route({
		method: 'GET',
		url: '/readyz',
		config: { open: true },
		schema: {
			operationId: 'getReadiness',
			summary: 'Whether jobs can be taken and their results kept, and which workers there are',
			tags: ['service'],
			response: { 200: ref('Readiness'), 503: ref('Readiness') },
		},
		handler: async ({ caller }, reply) => {
			const redis = await queue.health();
			const [kept, all] = await Promise.all([storeHealth(store), redis.ok ? queue.workers.list() : []]);
			const workers = await Promise.all(all.map((worker) => shownTo(caller, queue, worker)));
			const readiness: Readiness = { ready: redis.ok && kept.ok, redis, store: kept, workers };
			reply.code(readiness.ready ? 200 : 503);
			return readiness;
		},
	});
}
