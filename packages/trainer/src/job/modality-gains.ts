import { counterRandom, shuffle } from '@steelyard/random';
import { RuntimeError } from '@steelyard/runtime';
import { withBorrowed } from '../model/borrowed.js';
import { labelsOf, presence, taken } from '../model/examples.js';
import type { Predictions } from '../report/predictions.js';
import { rowLosses } from '../report/row-losses.js';
import type { ModalityGain } from '../report/warnings.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import { EvaluationError } from './over-rows.js';

/** Rows that the model is run over for a modality at most, of which a row may be several. */
const MOST_RUNS = 1000;
const MOST_ROUNDS = 8;
/** With fewer rows the noise is not known either. */
const LEAST_ROWS = 20;

/** Whether the graph fails, as one may where the modalities of a row do not belong together. */
const isFailure = (error: unknown): boolean =>
	error instanceof EvaluationError || (error instanceof RuntimeError && error.code === 'run_failed');

/**
 * How much the loss of validation rows rises where they have a modality of other rows that have it, for each modality of several; the permutation importance of
 * Breiman 2001. Not of a modality that few rows have, nor where the graph fails on rows that are mixed so, nor where positions have labels.
 */
export async function modalityGains(
	{ modalities, task, loss, spec }: Pick<Job, 'modalities' | 'task' | 'loss' | 'spec'>,
	{ examples, evaluation }: Judged,
	predict: (examples: Judged['examples']) => Promise<Predictions>,
): Promise<ModalityGain[]> {
	const own = evaluation.predictions;
	if (modalities.length < 2 || own === null) return [];
	const before = rowLosses(task, loss, own, labelsOf(examples));
	const gains: ModalityGain[] = [];
	for (const modality of modalities) {
		const there = presence(examples, modality);
		const all = Uint32Array.from({ length: examples.rows.length }, (_, i) => i).filter((i) => there?.[i] !== 0);
		if (all.length < LEAST_ROWS) continue;
		const places = shuffle(all, counterRandom(spec.training.seed, `gain/${modality.name}`)).slice(0, MOST_RUNS);
		const count = places.length;
		const drawn = taken(examples, places);
		const rounds = Math.min(MOST_ROUNDS, Math.floor(MOST_RUNS / count));
		const rises = new Float64Array(count);
		try {
			// the places are in random order, so that their next neighbours are random rows
			for (let round = 1; round <= rounds; round++) {
				const donors = drawn.rows.map((_, i) => drawn.rows[(i + round) % count] as number);
				const predictions = await predict(withBorrowed(drawn, modality.name, donors));
				const after = rowLosses(task, loss, predictions, labelsOf(drawn));
				after.forEach((value, i) => void (rises[i] = (rises[i] as number) + (value - (before[places[i] as number] as number)) / rounds));
			}
		} catch (error) {
			if (isFailure(error)) continue;
			throw error;
		}
		const gain = rises.reduce((sum, rise) => sum + rise, 0) / count;
		const variance = rises.reduce((sum, rise) => sum + (rise - gain) ** 2, 0) / (count - 1);
		gains.push({ name: modality.name, gain, error: Math.sqrt(variance / count) });
	}
	return gains;
}
