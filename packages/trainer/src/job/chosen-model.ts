import type { Parameters } from '../model/architecture.js';
import { isBetter } from '../report/metrics.js';
import { uniformWeigher } from '../weighting/uniform/uniform.js';
import type { Weigher } from '../weighting/weigher.js';
import type { FitOutcome } from './fit-model.js';
import type { Job } from './job.js';
import { metricOf } from './metric-of.js';

/** The fusion model that a job exports, and how it is weighed. */
export type ChosenModel = {
	readonly parameters: Parameters;
	/** Counted from 0. */
	readonly epoch: number;
	readonly weigher: Weigher<unknown>;
	/** Of the weigher; null where it has none. */
	readonly statistics: unknown;
	/** Whether it is the best epoch before the first refresh, with weight 1 for every modality, because the weighted one is worse on validation. */
	readonly guarded: boolean;
};

/** The best weighted epoch; where the weighting guards against itself and an epoch before the first refresh was better on validation, that one. */
export function chosenModel({ spec, weigher, state }: Job, outcome: Extract<FitOutcome, { status: 'done' }>): ChosenModel {
	const { parameters, bestEpoch, score, passedOver } = outcome;
	if (passedOver !== null && passedOver.parameters !== null && score !== null && isBetter(metricOf(spec), passedOver.score, score)) {
		return { parameters: passedOver.parameters, epoch: passedOver.epoch, weigher: uniformWeigher, statistics: null, guarded: true };
	}
	return { parameters, epoch: bestEpoch, weigher, statistics: state.header.bestStatistics, guarded: false };
}
