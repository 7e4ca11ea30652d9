// The jobs that the pictures show, trained by the service that is given.
import { openAsBlob } from 'node:fs';
import { join } from 'node:path';
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
	return { refreshed, readmission, visits: visits.id, voted: compared.at(-1), compared };
}
