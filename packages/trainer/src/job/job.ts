import type { JobSpec, JobStage } from '@steelyard/contracts';
import { type Provider, sizeOf } from '@steelyard/runtime';
import type { Architecture, Predictor } from '../model/architecture.js';
import { type FitOptions, type FitOutcome, fit } from '../step/fit.js';
import { architecturesOf } from './architectures.js';
import type { TrainOptions } from './face.js';
import type { JobState } from './job-state.js';
import type { Prepared } from './prepare.js';

/** Least time between two checkpoints, beside those at the end of a model and at a stop, in milliseconds. */
const CHECKPOINT_INTERVAL = 10_000;
/** Share of a job's progress that training is; the rest is evaluation and export. */
const TRAINING_SHARE = 0.97;

/** What the stages of one job share. */
export type Job = Prepared & {
	readonly spec: JobSpec;
	readonly provider: Provider;
	readonly state: JobState;
	readonly emit: TrainOptions['emit'];
	/** Whether the weights are ever made anew, and so unimodal models trained. */
	readonly weighted: boolean;
	readonly fusion: Architecture;
	/** One a modality where they are weighed: all its models are alike but for their parameters. */
	readonly unimodal: readonly Architecture[];
	/** Trains model `index` (the unimodal ones in order, then the fusion model), telling of it and keeping checkpoints. */
	fitModel: (
		model: { name: string; stage: JobStage; index: number },
		options: Pick<FitOptions, 'architecture' | 'train' | 'weights' | 'beforeChunk' | 'mostSteps' | 'validate' | 'eligible'>,
	) => Promise<FitOutcome>;
	predictorOf: (architecture: Architecture) => Promise<Predictor>;
};

export async function openJob(
	{ spec, model: file, emit, stopped }: TrainOptions,
	prepared: Prepared,
	provider: Provider,
	state: JobState,
): Promise<Job> {
	const { header } = state;
	const { modalities, task, standardisation, scale } = prepared;
	const { models } = prepared.weigher;
	const weighted = models > 0;
	const { fusion, unimodal } = await architecturesOf(spec, file, { modalities, task, weighted });

	/** Progress of the job by the parameters that its models have. */
	const costs = [...unimodal.flatMap((one) => Array.from({ length: models }, () => one)), fusion].map(({ parameters }) =>
		parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
	);
	const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
	const progressOf = (index: number, fraction: number): number =>
		(TRAINING_SHARE * (sum(costs.slice(0, index)) + (costs[index] as number) * fraction)) / sum(costs);
	let first: { at: number; progress: number } | null = null;
	const remaining = (progress: number): number | null => {
		first ??= { at: performance.now(), progress };
		const done = progress - first.progress;
		return done > 0 ? (((performance.now() - first.at) / 1000) * (1 - progress)) / done : null;
	};

	return {
		...prepared,
		spec,
		provider,
		state,
		emit,
		weighted,
		fusion,
		unimodal,
		predictorOf: ({ predictor }) => predictor({ standardisation, scale, provider, threads: spec.training.threads }),
		fitModel: ({ name: model, stage, index }, options) =>
			fit({
				...prepared,
				...options,
				training: spec.training,
				modulation: stage === 'fusion' ? prepared.weigher.modulation : null,
				provider,
				// the fusion model draws alike under every weighting, so that a comparison by seed compares weightings
				stream: stage === 'fusion' ? 0 : index + 1,
				resume: state.resumeOf(index),
				onProgress: ({ rowsPerSecond, fraction, ...rest }) => {
					const progress = progressOf(index, fraction);
					emit({ type: 'progress', stage, model, progress, ...rest, rows_per_second: rowsPerSecond, eta_seconds: remaining(progress) });
				},
				onEpoch: ({ trainLoss, learningRate, ...rest }) => {
					const epoch = { stage, model, ...rest, train_loss: trainLoss, learning_rate: learningRate };
					header.epochs.push(epoch);
					if (stage === 'fusion' && rest.best) header.bestStatistics = header.statistics;
					emit({ type: 'epoch', ...epoch });
				},
				afterChunk: async (fitState, tensors) => {
					const stop = stopped();
					if (stop || state.unsavedMs() > CHECKPOINT_INTERVAL) await state.save(fitState, tensors());
					return stop ? 'stop' : 'go on';
				},
			}),
	};
}
