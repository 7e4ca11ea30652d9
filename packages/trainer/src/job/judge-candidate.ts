import { counterRandom, shuffle } from '@steelyard/random';
import { withBorrowed } from '../model/borrowed.js';
import { type Examples, labelsOf } from '../model/examples.js';
import { inMemory } from '../model/in-memory.js';
import { resampledMetric, resamplesOf, resamplingWords } from '../report/bootstrap.js';
import type { JudgedCandidate } from '../report/weighting-choice.js';
import { chosenModel } from './chosen-model.js';
import type { Ending } from './ending.js';
import type { Job } from './job.js';
import { openFile } from './judged-splits.js';
import { metricOf } from './metric-of.js';
import { NOTHING_FITTED, trainedFile } from './trained-file.js';

/** Orders of the rows in which each modality is judged. */
export const SHUFFLES = 5;

const finite = (value: number | null | undefined): number | null =>
	value === null || value === undefined || !Number.isFinite(value) ? null : value;

/** The mean of some values; null where one of them is undefined. */
const meanOf = (values: readonly (number | null)[]): number | null =>
	values.some((value) => value === null) ? null : values.reduce<number>((sum, value) => sum + (value as number), 0) / values.length;

/**
 * What a trained model does on the validation rows, as they are and with each modality in turn from other rows, by running the file that it would be exported as. The
 * orders and the resamples are functions of the seed alone, so that all candidates are judged alike.
 */
export async function judgeCandidate(job: Job, { outcome }: Ending): Promise<Omit<JudgedCandidate, 'preset'>> {
	const { spec, validation, modalities, task, loss } = job;
	const { seed } = spec.training;
	const metric = metricOf(spec);
	const file = trainedFile(job, chosenModel(job, outcome), NOTHING_FITTED);
	const { session, evaluate } = await openFile(job, file);
	try {
		const { metrics, predictions } = await evaluate(validation);
		const count = validation.rows.length;
		const rows = predictions && { task, loss, predictions, labels: labelsOf(validation) };
		const resampled = rows && resampledMetric(rows, metric, resamplesOf(count, resamplingWords(seed, count), seed));
		const held = inMemory(validation, modalities);
		const shuffled: Record<string, number | null> = {};
		for (const { name } of modalities) {
			const values: (number | null)[] = [];
			for (let round = 0; round < SHUFFLES; round++)
				values.push(finite((await evaluate(inOtherOrder(held, name, seed, round))).metrics[metric]));
			shuffled[name] = meanOf(values);
		}
		return { clean: finite(metrics[metric]), resampled, shuffled };
	} finally {
		await session.release();
	}
}

/** The examples with one modality of other rows. */
function inOtherOrder(examples: Examples, modality: string, seed: number, round: number): Examples {
	const random = counterRandom(seed, `weighting-choice/shuffle/${modality}/${round}`);
	return withBorrowed(examples, modality, shuffle(examples.rows.slice(), random));
}
