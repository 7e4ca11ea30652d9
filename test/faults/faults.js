import { openAsBlob } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@steelyard/client';
import { isFinal } from '@steelyard/contracts';
import { check } from './check.js';
import { hasClock, openClock } from './clock.js';
import { openDisk } from './disk.js';
import { play } from './play.js';
import { scheduleOf } from './schedule.js';
import { openServed } from './served.js';
import { openService, until } from './service.js';

const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));
const newHome = () => mkdtemp(join(tmpdir(), 'steelyard-faults-'));

/** What the jobs of a schedule train: a small model that takes some seconds, so that it can be hit, and one with unimodal models. */
const specsOf = (/** @type {string} */ dataset) => {
	const model = { family: 'mlp-fusion', hidden: 4 };
	const training = { epochs: 12, batch_size: 32, early_stopping: null, threads: 1 };
	return [
		{ dataset, model, weighting: { preset: 'uniform' }, training: { ...training, seed: 1 } },
		{ dataset, model, weighting: { preset: 'btw', refresh_epochs: 2 }, training: { ...training, epochs: 6, seed: 2 } },
		{ dataset, model, weighting: { preset: 'uniform' }, training: { ...training, seed: 3 } },
	];
};

/**
 * What schedules are played with: the folder of the datasets, the specs, and the sha256 of the model.onnx of each.
 * @typedef {{ dataset: string, specs: any[], expected: string[], close(): Promise<void> }} Prepared
 */

/**
 * Uploads the dataset and trains every spec undisturbed. `close` removes what it made.
 * @returns {Promise<Prepared>}
 */
export async function prepare() {
	const home = await newHome();
	const close = () => rm(home, { recursive: true, force: true });
	const service = await openService(home);
	/** @type {Prepared | null} */
	let prepared = null;
	try {
		const client = createClient(service);
		const { id } = await client.datasets.create(await openAsBlob(SAMPLE), 'spam-mail.zip');
		const specs = specsOf(id);
		const jobs = await Promise.all(specs.map((spec) => client.jobs.create(spec)));
		const expected = await Promise.all(
			jobs.map((job) =>
				until('an undisturbed job', async () => {
					const { status, artifacts, error } = await client.jobs.get(job.id);
					if (isFinal(status) && status !== 'succeeded') throw new Error(`${job.id} is ${status}: ${error?.message}`);
					return artifacts.find(({ name }) => name === 'model.onnx')?.sha256;
				}),
			),
		);
		prepared = { dataset: join(home, 'datasets'), specs, expected, close };
		return prepared;
	} finally {
		await service.close();
		if (prepared === null) await close();
	}
}

/** The faults that this machine cannot have. */
async function impossible() {
	const home = await newHome();
	const disk = await openDisk(home);
	await disk?.close();
	await rm(home, { recursive: true });
	return [...(disk === null ? ['fill the disk'] : []), ...(hasClock ? [] : ['set the clock'])];
}

/** Plays the schedule of a seed on a data folder of its own, a copy of which is kept where something is wrong. Resolves with the schedule, the jobs and what is wrong. */
export async function runSchedule(/** @type {number} */ seed, /** @type {Prepared} */ { dataset, specs, expected }) {
	const schedule = scheduleOf(seed, specs.length, await impossible());
	const has = (/** @type {string} */ fault) => schedule.steps.some((step) => step.fault === fault);
	const home = await newHome();
	const disk = has('fill the disk') ? await openDisk(home) : null;
	const clock = has('set the clock') ? await openClock(`${home}.clock`) : null;
	await cp(dataset, join(home, 'datasets'), { recursive: true });
	const open = schedule.served ? openServed : openService;
	const service = await open(home, { redisKind: schedule.redis, disk, clock });
	let outcome;
	try {
		outcome = await check(service, await play(service, schedule, specs), expected);
	} catch (error) {
		outcome = { records: [], wrong: [error.stack] };
		await service.close();
	}
	await rm(`${home}.clock`, { force: true });
	const kept = `${home}-kept`;
	if (outcome.wrong.length > 0) await cp(home, kept, { recursive: true });
	await disk?.close();
	await rm(home, { recursive: true, force: true });
	return { ...outcome, schedule, kept };
}
