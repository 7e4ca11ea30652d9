import type { Client, JobRequest } from '@steelyard/client';
import { serviceUrl } from '../session.js';

/** What is done with the sample, step by step. */
export const STEPS = [
	'Fetch the sample mail, 1.8 MB, from this service',
	'Upload it, and let the service read and check it',
	'Post a job that trains on it',
] as const;

/** How the sample is trained: as `npm run demo` does it, so that what is shown here is what is written there. */
const SPEC: Omit<JobRequest, 'dataset'> = {
	name: 'Sample mail',
	model: { family: 'mlp-fusion', hidden: 64 },
	weighting: { preset: 'consensus' },
	training: { epochs: 30, optimizer: { learning_rate: 5e-4, weight_decay: 0.01 } },
};

/** The dataset that an attempt which failed afterwards has uploaded: it is not uploaded twice. */
let uploaded: string | null = null;

/** Loads the sample and trains it; resolves with the id of the job. `onStep` is told which step begins. */
export async function trainSample({ datasets, jobs }: Client, onStep: (step: number) => void): Promise<string> {
	if (uploaded === null) {
		onStep(0);
		const answer = await fetch(`${serviceUrl}/sample/spam-mail.zip`);
		if (!answer.ok) throw new Error(`The sample mail was not served: ${answer.status} ${answer.statusText}`);
		const file = await answer.blob();
		onStep(1);
		uploaded = (await datasets.create(file, 'spam-mail.zip')).id;
	}
	onStep(2);
	const { id } = await jobs.create({ ...SPEC, dataset: uploaded });
	uploaded = null;
	return id;
}
