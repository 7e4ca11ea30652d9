import type { TaskProfile, WeightingSpecOf } from '@steelyard/contracts';
import { qmfWeights, type Reals, type SigmaChoice, uniformWeights, unimodalDeviations } from '@steelyard/weighting';
import { type JudgedExamples, NO_SMOOTHING, type Weigher, type WeightingPresetOf } from '../weigher.js';
import { type QmfStatistics, qmfGraph } from './qmf-graph.js';

type QmfConfig = Required<Omit<WeightingSpecOf<'qmf'>, 'preset' | 'refresh_epochs'>> & {
	/** Deviations of the unimodal models of a regression; a job has no such choice. */
	readonly sigma: SigmaChoice;
};

function qmfWeigher({ cross_fit, folds, sigma: choice }: QmfConfig, task: TaskProfile): Weigher<QmfStatistics> {
	const weightsOf = ({ unimodal, present }: Pick<JudgedExamples<Reals>, 'unimodal' | 'present'>, { sigma }: QmfStatistics) =>
		qmfWeights({ task: task.type, classes: task.outputs, outputs: unimodal, present, ...(sigma === null ? {} : { sigma }) });
	return {
		models: cross_fit ? folds : 1,
		needsOutputs: true,
		refreshes: { when: 'once' },
		guard: false,
		modulation: null,
		smoothing: NO_SMOOTHING,
		async refresh(training) {
			const statistics = { sigma: task.type === 'regression' ? unimodalDeviations(choice, training) : null };
			return { statistics, weights: weightsOf(training, statistics) };
		},
		information: () => null,
		async weigh(examples, statistics) {
			const weights = statistics === null ? uniformWeights(examples.count, examples.present) : weightsOf(examples, statistics);
			return { weights, output: await examples.fused(weights) };
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const weights = qmfGraph(g, task, statistics ?? { sigma: null }, { unimodal, present });
			return { weights, output: fused(weights) };
		},
	};
}

/** Weights by the energy of the unimodal models' outputs, after QMF (Zhang et al. 2023). */
export const qmf: WeightingPresetOf<QmfConfig> = {
	method: { fitsLabels: false, weighsGradients: false, weigher: qmfWeigher },
	defaults: { cross_fit: false, folds: 5, sigma: 'residual' },
};
