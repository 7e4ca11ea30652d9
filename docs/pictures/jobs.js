// The jobs that the pictures show, trained by the service that is given.
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { corruptedSample } from '../../services/cli/dist/sample.js';

/** @typedef {import('../../packages/client/dist/index.js').Client} Client */

/** As `npm run demo` breaks it: in 30 % of the mails the body is that of another one. */
const BROKEN = { modality: 'body', share: 0.3, seed: 7 };

/** Posts a job, and resolves with its id once it has succeeded. Throws Error where it fails. */
async function trained(client, spec) {
	const { id } = await client.jobs.create(spec);
	for await (const event of client.jobs.events(id))
		if (event.type === 'status' && event.status === 'failed') throw new Error(event.error.message);
	return id;
}

/** Posts a sweep, and resolves with its id once it has ended. */
async function swept(client, spec) {
	const { id } = await client.sweeps.create(spec);
	while ((await client.sweeps.get(id)).finished_at === null) await pause(1000);
	return id;
}

/**
 * Looks for the best settings of a job on the visits.
 * @param {Client} client
 * @param {string} dataset
 */
export const sweepVisits = (client, dataset) =>
	swept(client, {
		name: 'Readmission, how it learns best',
		job: { dataset, training: { epochs: 9, early_stopping: null } },
		...{ metric: 'accuracy', direction: 'maximise', pruning: { type: 'asha' }, budget: { trials: 30 } },
		space: {
			'training.optimizer.learning_rate': { type: 'log-uniform', low: 0.0001, high: 0.1 },
			'training.batch_size': { type: 'choice', values: [16, 32, 64] },
			'weighting.preset': { type: 'choice', values: ['uniform', 'consensus'] },
			'training.optimizer.weight_decay': { type: 'log-uniform', low: 0.0001, high: 0.1, when: { 'weighting.preset': 'uniform' } },
		},
	});

/** As the demo trains, so that the losses fall for longer than an epoch. */
const MODEL = { family: 'mlp-fusion', hidden: 64 };
const OPTIMIZER = { learning_rate: 5e-4, weight_decay: 0.01 };

/**
 * Trains what the pictures show; resolves with the ids of jobs and datasets by what they are.
 * @param {Client} client
 * @param {{samples: string, folder: string}} where the folder of the sample files, and one for what is written on the way
 */
export async function trainJobs(client, { samples, folder }) {
	const upload = join(folder, 'mail-with-shuffled-bodies.zip');
	await corruptedSample(upload, BROKEN);
	const mail = await client.datasets.create(await openAsBlob(upload), 'mail-with-shuffled-bodies.zip');
	const visits = await client.datasets.create(await openAsBlob(join(samples, 'visits.csv')), 'visits.csv', { label: 'readmitted' });
	const onMail = (name, weighting, training) =>
		trained(client, {
			...{ dataset: mail.id, name, model: MODEL, weighting, training: { optimizer: OPTIMIZER, ...training } },
			evaluation: { robustness_rows: mail.splits.test.rows },
		});
	const compared = [];
	for (const preset of ['uniform', 'consensus'])
		for (const seed of [1, 2]) compared.push(await onMail(`Mail, ${preset}, seed ${seed}`, { preset }, { seed, epochs: 20 }));
	const refreshed = await onMail('Mail, BTW', { preset: 'btw', refresh_epochs: 2, guard: false }, { epochs: 30, early_stopping: null });
	const readmission = await trained(client, { dataset: visits.id, name: 'Readmission', weighting: { preset: 'consensus' } });
	const sweep = await sweepVisits(client, visits.id);
	return { refreshed, readmission, visits: visits.id, voted: compared.at(-1), compared, sweep };
}
