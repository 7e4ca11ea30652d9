import { openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@steelyard/client';
import { openServed } from './served.js';
import { signal, until } from './service.js';

const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/visits.csv', import.meta.url));
/** Milliseconds that a sweep may take. */
const LONGEST = 20 * 60_000;

/** A sweep of some trials, few of which are trained to their end. */
const sweepOf = (/** @type {string} */ dataset, /** @type {number} */ trials) => ({
	job: {
		dataset,
		model: { family: /** @type {const} */ ('mlp-fusion'), hidden: 4 },
		training: { epochs: 9, early_stopping: null },
		evaluation: { robustness: false },
	},
	metric: 'auroc',
	direction: /** @type {const} */ ('maximise'),
	space: {
		'training.optimizer.learning_rate': { type: /** @type {const} */ ('log-uniform'), low: 1e-4, high: 1e-1 },
		'weighting.preset': { type: /** @type {const} */ ('choice'), values: ['uniform', 'consensus'] },
	},
	search: { type: /** @type {const} */ ('tpe'), startup: 4, candidates: 24 },
	pruning: { type: /** @type {const} */ ('asha'), minimum: 1, factor: 3 },
	budget: { trials },
});

/** What a sweep has found, without what differs between two runs of it: the ids of its jobs. */
const found = (/** @type {any} */ { trials, counts, status }) => ({
	...{ status, counts },
	trials: trials.map((/** @type {any} */ { job: _job, ...trial }) => trial),
});

/**
 * Runs a sweep while every process of the service is killed by SIGKILL, once after each of these shares of its trials have ended, and then the same sweep undisturbed. Resolves
 * with what both have found, and how many jobs each of them made for each decision that it has taken.
 */
export async function killedSweep({ trials = 30, kills = [0.2, 0.6] } = {}) {
	const home = await mkdtemp(join(tmpdir(), 'steelyard-sweep-'));
	const service = await openServed(home);
	try {
		const client = () => createClient({ url: service.url });
		const post = async (/** @type {any} */ spec) => {
			const answer = await fetch(`${service.url}/v1/sweeps`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(spec),
			});
			if (answer.status !== 202) throw new Error(await answer.text());
			return (await answer.json()).id;
		};
		const get = async (/** @type {string} */ id) => (await fetch(`${service.url}/v1/sweeps/${id}`)).json();
		const endOf = (/** @type {string} */ id) =>
			until(
				'the end of the sweep',
				async () => {
					const sweep = await get(id);
					return sweep.finished_at === null ? null : sweep;
				},
				LONGEST,
			);
		/** Has every process gone at once; whoever keeps the service starts it again. */
		const killAll = async () => {
			const pids = await service.pids();
			for (const pid of [pids.service, pids.redis, pids.api, ...pids.workers, ...pids.trainers.flat()]) signal(pid, 'SIGKILL');
		};

		const { id: dataset } = await client().datasets.create(await openAsBlob(SAMPLE), 'visits.csv', { label: 'readmitted' });
		const spec = sweepOf(dataset, trials);
		const id = await post(spec);
		for (const share of kills) {
			await until(
				'trials that have ended',
				async () => {
					const { counts } = await get(id);
					return counts.completed + counts.pruned >= share * trials && counts.running > 0;
				},
				LONGEST,
			);
			await killAll();
		}
		const disturbed = await endOf(id);
		const undisturbed = await endOf(await post(spec));
		/** @type {Record<string, number>} */
		const jobs = {};
		for (let after; after !== null; ) {
			const page = await client().jobs.list({ limit: 100, ...(after === undefined ? {} : { after }) });
			for (const { sweep } of page.data) if (sweep !== undefined) jobs[sweep.id] = (jobs[sweep.id] ?? 0) + 1;
			after = page.next;
		}
		return {
			disturbed: found(disturbed),
			undisturbed: found(undisturbed),
			jobs: { disturbed: jobs[disturbed.id], undisturbed: jobs[undisturbed.id] },
		};
	} finally {
		await service.close();
		await rm(home, { recursive: true, force: true });
	}
}
