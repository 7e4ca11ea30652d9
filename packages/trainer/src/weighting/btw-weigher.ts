import type { TaskProfile } from '@steelyard/contracts';
import { usesDivergence, type WeightingConfig } from '@steelyard/weighting';
import { NO_STATISTICS, refresh, type WeightingStatistics, weigh } from './btw.js';
import { divergencesGraph, instanceWeightsGraph, modalityWeightsGraph } from './btw-graph.js';
import type { Refreshes, Weigher } from './weigher.js';

/** WeightingStatistics as JSON has them. */
export type PlainStatistics = { mi: number[] | null; min: number[]; max: number[]; sigma: WeightingStatistics['sigma'] };

const plain = ({ mi, min, max, sigma }: WeightingStatistics): PlainStatistics => ({
	mi: mi && [...mi],
	min: [...min],
	max: [...max],
	sigma,
});

const fromPlain = ({ mi, min, max, sigma }: PlainStatistics): WeightingStatistics => ({
	mi: mi && Float64Array.from(mi),
	min: Float64Array.from(min),
	max: Float64Array.from(max),
	sigma,
});

function refreshesOf({ refresh: when, refreshSteps, refreshEpochs }: WeightingConfig): Refreshes {
	if (when === 'on-improvement') return { when: 'improvement' };
	return refreshSteps === null ? { when: 'epochs', every: refreshEpochs } : { when: 'steps', every: refreshSteps };
}

/** BTW: the weights of one instance from its divergences, those of a modality from its mutual information, or both. */
export function btwWeigher(config: WeightingConfig, task: TaskProfile, seed: number): Weigher<PlainStatistics> {
	return {
		models: config.crossFit ? config.folds : 1,
		needsOutputs: usesDivergence(config),
		refreshes: refreshesOf(config),
		modulation: null,
		smoothing: config.smoothing,
		async refresh(training) {
			const { statistics, weights } = await refresh(config, task, training, seed);
			return { statistics: plain(statistics), weights };
		},
		information: (statistics) => statistics?.mi ?? null,
		weigh: (examples, statistics) => weigh(config, task, examples, statistics && fromPlain(statistics)),
		graph(g, { unimodal, present, fused }, given) {
			const statistics = given === null ? NO_STATISTICS : fromPlain(given);
			const first = modalityWeightsGraph(g, config, statistics, present);
			if (!usesDivergence(config)) return { weights: first, output: fused(first) };
			const D = divergencesGraph(g, task, statistics, { unimodal, fused: fused(first) });
			const weights = instanceWeightsGraph(g, config, statistics, D, present);
			return { weights, output: fused(weights), divergence: g.mul(D, present) };
		},
	};
}
