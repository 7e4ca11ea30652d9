import { candidatesOf, isSingle } from '@steelyard/contracts';
import type { TrainOptions, TrainOutcome } from './face.js';
import { finish } from './finish.js';
import { trainModels } from './train-models.js';
import { trainCandidates } from './weighting-candidates.js';

/**
 * Trains one job from its spec to its artifacts; see TrainOptions. A function of spec, dataset, thread count, machine type and version, also across a stop
 * and a resume. Throws ProblemError for what the user can mend, and what the packages below throw.
 */
export async function train(options: TrainOptions): Promise<TrainOutcome> {
	if (isSingle(options.spec)) return trainModels(options, finish);
	const started = performance.now();
	const trained = await trainCandidates(options, candidatesOf(options.spec));
	if (trained.status === 'stopped') return trained;
	return trainModels(trained.options, (job, ending) => finish(job, { ...ending, started, weightingChoice: trained.choice }));
}
