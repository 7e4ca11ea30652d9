import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startService } from '@steelyard/cli';
import { createClient } from '@steelyard/client';
import { parseJobSpec } from '@steelyard/contracts';
import { idsFrom, jobKeys, openStore } from '@steelyard/store';

/** How often each list is asked for. */
const TIMES = 9;
/** How many records are written, or files of them, at the same time. */
const TOGETHER = 50;
/** Files that a job leaves beside its record. */
const FILES = 12;

const half = { macro_f1: 0.5, weighted_f1: 0.5, auroc: 0.5, auprc: 0.5 };
/** Metrics of the job number `i` of `count`, in no order. @param {number} i @param {number} count */
const metricsOf = (i, count) => ({ loss: ((i * 7919) % count) / count, accuracy: ((i * 104_729) % count) / count, ...half });

/** The record of a job that has succeeded, as large as one with three modalities and two warnings has. @param {number} i @param {number} count @param {number} now unix seconds */
function recordOf(i, count, now) {
	const created_at = now - count + i;
	const metrics = metricsOf(i, count);
	const splits = { train: metrics, validation: metrics, test: metrics };
	const modalities = ['text', 'audio', 'labs'];
	const of = (/** @type {unknown} */ value) => Object.fromEntries(modalities.map((name) => [name, value]));
	return {
		id: `${idsFrom('job', created_at * 1000)}${String(i).padStart(16, '0')}`,
		...{ object: 'job', project: 'default', status: 'succeeded', stage: null, progress: 1, epoch: 12, step: 1000, eta_seconds: null },
		...{
			metrics,
			modality_weights: of(1),
			created_at,
			started_at: created_at,
			finished_at: created_at,
			attempt: 1,
			cancel_requested: false,
		},
		device: { provider: 'cpu', note: null },
		spec: {
			...parseJobSpec({ dataset: `ds_${i % 20}`, weighting: { preset: 'btw' } }),
			...{ name: `run ${i}`, metadata: { study: String(i % 100), seed: String(i) } },
		},
		result: {
			...{
				metrics: splits,
				warnings: [],
				unimodal: of(splits),
				modality_weights: of({ mean: 1, p10: 1, p90: 1, mutual_information: 0.1 }),
			},
			...{ best_epoch: 3, epochs: 12, parameters: 10_000, seconds: 12.5, device: 'cpu', device_note: null },
		},
		artifacts: Array.from({ length: FILES }, (_, k) => ({
			...{ name: `artifact-${k}.json`, bytes: 2, sha256: 'a'.repeat(64), content_type: 'application/json' },
		})),
		error: null,
	};
}

/** The lists that are asked for, by what is wanted of them. @type {Readonly<Record<string, import('@steelyard/client').JobsPage>>} */
const WANTED = {
	'the newest 20': {},
	'the newest 100': { limit: 100 },
	'20 of a study of a hundredth': { metadata: { study: '7' } },
	'one by its seed': { metadata: { seed: '3' } },
	'none, by a name': { name: 'nobody has this' },
	'20 by accuracy': { sort: 'test.accuracy' },
	'20 by loss, of a study': { sort: 'test.loss', order: 'asc', metadata: { study: '7' } },
};

/** Times lists of a service with so many jobs that have succeeded: milliseconds of the first search of all of them, and of each list the median of the times after. @param {{ jobs?: number }} [options] */
export async function lists({ jobs = 2000 } = {}) {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-lists-'));
	try {
		const store = await openStore(home);
		const now = Math.floor(Date.now() / 1000);
		for (let i = 0; i < jobs; i += TOGETHER)
			await Promise.all(
				Array.from({ length: Math.min(TOGETHER, jobs - i) }, async (_, k) => {
					const job = recordOf(i + k, jobs, now);
					await store.put(jobKeys.record(job.id), JSON.stringify(job));
					for (const { name } of job.artifacts) await store.put(jobKeys.artifact(job.id, 1, name), '{}');
				}),
			);
		const service = await startService({ home, port: 0 });
		try {
			const client = createClient({ url: service.url });
			/** @param {import('@steelyard/client').JobsPage} wanted */
			const timed = async (wanted) => {
				const begin = performance.now();
				const { data } = await client.jobs.list(wanted);
				return { ms: performance.now() - begin, found: data.length };
			};
			const first = (await timed({ sort: 'test.accuracy' })).ms;
			/** @type {Record<string, { ms: number, found: number }>} */
			const median = {};
			for (const [what, wanted] of Object.entries(WANTED)) {
				const times = [];
				for (let k = 0; k < TIMES; k++) times.push(await timed(wanted));
				median[what] = times.sort((a, b) => a.ms - b.ms)[Math.floor(TIMES / 2)] ?? { ms: Number.NaN, found: 0 };
			}
			return { jobs, 'first search': first, ...median };
		} finally {
			await service.close();
		}
	} finally {
		await rm(home, { recursive: true, force: true });
	}
}
