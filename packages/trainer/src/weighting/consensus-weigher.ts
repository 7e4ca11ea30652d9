import type { TaskProfile } from '@steelyard/contracts';
import { type ConsensusStatistics, consensus, fitConsensus, fusedShare, joinConsensus, type WeightingConfig } from '@steelyard/weighting';
import { consensusGraph, fusedShareGraph, joinedGraph } from './consensus-graph.js';
import { evenWeights, type Weigher, type WeigherExamples } from './weigher.js';

const known = (statistics: ConsensusStatistics | null): ConsensusStatistics => {
	if (statistics === null) throw new RangeError('the consensus is fitted before anything is weighed');
	return statistics;
};

/** Consensus: the weight of a modality is the posterior probability that it can be trusted for the instance; fused and late prediction are joined. */
export function consensusWeigher(
	{ crossFit, folds, epsilon, embeddings }: WeightingConfig,
	task: TaskProfile,
): Weigher<ConsensusStatistics> {
	const form = { task: task.type, classes: task.outputs };
	const plain = embeddings === 'plain';
	const vote = (statistics: ConsensusStatistics, { unimodal, present }: WeigherExamples) =>
		consensus({ ...form, statistics, outputs: unimodal, present });
	return {
		models: crossFit ? folds : 1,
		needsOutputs: true,
		refreshes: { when: 'once' },
		modulation: null,
		smoothing: { initial: 1, step: 0, adapt: 'off' },
		async refresh(training) {
			const { unimodal, labels, present, count } = training;
			const statistics = fitConsensus({ ...form, outOfFold: unimodal, labels, present, epsilon });
			const { weights } = vote(statistics, training);
			return plain ? { statistics, weights: evenWeights(count, present), told: weights } : { statistics, weights };
		},
		information: () => null,
		async weigh(examples, statistics) {
			const { count, present, fused } = examples;
			const { weights, late } = vote(known(statistics), examples);
			const share = plain ? fusedShare(weights, present.length, epsilon, present) : 0.5;
			const own = await fused(plain ? evenWeights(count, present) : weights);
			const output = joinConsensus(task.type, task.outputs, own, late, share);
			return plain ? { weights, output, own } : { weights, output };
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const { weights, late } = consensusGraph(g, task, known(statistics), { unimodal, present });
			const share = plain ? fusedShareGraph(g, epsilon, weights, present) : g.scalar(0.5);
			return { weights, output: joinedGraph(g, task, fused(plain ? present : weights), late, share) };
		},
	};
}
