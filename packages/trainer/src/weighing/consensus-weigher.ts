import type { TaskProfile } from '@steelyard/contracts';
import { type ConsensusStatistics, consensus, fitConsensus, joinConsensus, type WeightingConfig } from '@steelyard/weighting';
import { consensusGraph, joinedGraph } from './consensus-graph.js';
import type { Weigher, WeigherExamples } from './weigher.js';

const known = (statistics: ConsensusStatistics | null): ConsensusStatistics => {
	if (statistics === null) throw new RangeError('the consensus is fitted before anything is weighed');
	return statistics;
};

/** Consensus: the posterior probability that a modality can be trusted for the instance; the output is the mean of fused and late prediction. */
export function consensusWeigher({ crossFit, folds, epsilon }: WeightingConfig, task: TaskProfile): Weigher<ConsensusStatistics> {
	const form = { task: task.type, classes: task.outputs };
	const vote = (statistics: ConsensusStatistics, { unimodal, present }: WeigherExamples) =>
		consensus({ ...form, statistics, outputs: unimodal, present });
	return {
		models: crossFit ? folds : 1,
		needsOutputs: true,
		refreshes: { when: 'once' },
		modulation: null,
		smoothing: { initial: 1, step: 0, adapt: 'off' },
		async refresh(training) {
			const { unimodal, labels, present } = training;
			const statistics = fitConsensus({ ...form, outOfFold: unimodal, labels, present, epsilon });
			return { statistics, weights: vote(statistics, training).weights };
		},
		information: () => null,
		async weigh(examples, statistics) {
			const { weights, late } = vote(known(statistics), examples);
			return { weights, output: joinConsensus(task.type, task.outputs, await examples.fused(weights), late) };
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const { weights, late } = consensusGraph(g, task, known(statistics), { unimodal, present });
			return { weights, output: joinedGraph(g, task, fused(weights), late) };
		},
	};
}
