import type { TaskProfile, WeightingSpecOf } from '@steelyard/contracts';
import {
	type Consensus,
	type ConsensusStatistics,
	fitConsensus,
	fusedShare,
	joinConsensus,
	type Reals,
	uniformWeights,
	consensus as vote,
} from '@steelyard/weighting';
import { type JudgedExamples, NO_SMOOTHING, type Weigher, type WeightingMethod, type WeightingPresetOf } from '../weigher.js';
import { consensusGraph, fusedShareGraph, joinedGraph } from './consensus-graph.js';

type ConsensusConfig = Required<Omit<WeightingSpecOf<'consensus'>, 'preset' | 'refresh_epochs'>> & {
	/**
	 * What the weights do. `plain`: the fused model sees every modality as it is, and `fusedShare` says how much its prediction counts beside that of the
	 * vote. `weighted`: they multiply the embeddings, and the two predictions count alike.
	 */
	readonly embeddings: 'plain' | 'weighted';
};

function fitted(statistics: ConsensusStatistics | null): ConsensusStatistics {
	if (statistics === null) throw new RangeError('the consensus is fitted before anything is weighed');
	return statistics;
}

/** The weight of a modality is the posterior probability that it can be trusted for the instance; the fused prediction is joined with that of the vote. */
function consensusWeigher({ cross_fit, folds, epsilon, embeddings }: ConsensusConfig, task: TaskProfile): Weigher<ConsensusStatistics> {
	const form = { task: task.type, classes: task.outputs };
	const plain = embeddings === 'plain';
	const voteOn = ({ unimodal, present }: Pick<JudgedExamples<Reals>, 'unimodal' | 'present'>, statistics: ConsensusStatistics): Consensus =>
		vote({ ...form, statistics, outputs: unimodal, present });
	return {
		models: cross_fit ? folds : 1,
		needsOutputs: true,
		refreshes: { when: 'once' },
		guard: false,
		modulation: null,
		smoothing: NO_SMOOTHING,
		async refresh(training) {
			const { unimodal, labels, present, count } = training;
			const statistics = fitConsensus({ ...form, outOfFold: unimodal, labels, present, epsilon });
			const { weights } = voteOn(training, statistics);
			return plain ? { statistics, weights: uniformWeights(count, present), reported: weights } : { statistics, weights };
		},
		information: () => null,
		async weigh(examples, statistics) {
			const { count, present, fused } = examples;
			const { weights, late } = voteOn(examples, fitted(statistics));
			const share = plain ? fusedShare(weights, present.length, epsilon, present) : 0.5;
			const own = await fused(plain ? uniformWeights(count, present) : weights);
			const output = joinConsensus(task.type, task.outputs, own, late, share);
			return plain ? { weights, output, own } : { weights, output };
		},
		graph(g, { unimodal, present, fused }, statistics) {
			const { weights, late } = consensusGraph(g, task, fitted(statistics), { unimodal, present });
			const share = plain ? fusedShareGraph(g, epsilon, weights, present) : g.scalar(0.5);
			return { weights, output: joinedGraph(g, task, fused(plain ? present : weights), late, share) };
		},
	};
}

const method: WeightingMethod<ConsensusConfig> = { fitsLabels: true, weighsGradients: false, weigher: consensusWeigher };

/** A Bayesian vote of cross-fitted unimodal models on which modalities to trust, joined to the fused prediction. */
export const consensus: WeightingPresetOf<ConsensusConfig> = {
	method,
	defaults: { cross_fit: true, folds: 5, epsilon: 0.1, embeddings: 'plain' },
};

/** The same vote; its weights multiply the embeddings, and the fused prediction and that of the vote count alike. */
export const consensusWeighted: WeightingPresetOf<ConsensusConfig> = {
	method,
	defaults: { ...consensus.defaults, embeddings: 'weighted' },
};
