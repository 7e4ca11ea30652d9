import { type JobEventBody, type JobSpec, type JobStage, ProblemError, warmStartOf } from '@steelyard/contracts';
import type { Provider } from '@steelyard/runtime';
import type { Architecture, Predictor } from '../model/architecture.js';
import { countOf } from '../model/work.js';
import { architecturesOf } from './architectures.js';
import { addEpoch } from './curve.js';
import type { TrainOptions } from './face.js';
import { type Initialisation, initialisationOf } from './initialisation.js';
import type { JobState } from './job-state.js';
import type { Prepared } from './prepare.js';
import { stoppable } from './stop.js';
import { type TrainingState, trainedRowsOf } from './training-state.js';

/** Share of a job's progress that training is; the rest is evaluation and export. */
const TRAINING_SHARE = 0.97;

type Progress = Extract<JobEventBody, { type: 'progress' }>;
type Epoch = Extract<JobEventBody, { type: 'epoch' }>;
/** Which model of a job is trained. */
export type ModelPlace = {
	/** A modality's name in the stage `unimodal` (with the fold behind it where there are folds), else `fusion`. */
	readonly name: string;
	readonly stage: JobStage;
	/** Its place among the models of the job: the unimodal ones in order, then the fusion model. */
	readonly index: number;
};

/** What the stages of one job share. */
export type Job = Prepared & {
	readonly spec: JobSpec;
	readonly provider: Provider;
	/** Whether values that gradients need are kept, or partly computed again. */
	readonly recompute: 'none' | 'segments';
	readonly state: JobState;
	readonly initialisation: Initialisation;
	readonly emit: TrainOptions['emit'];
	readonly stopped: TrainOptions['stopped'];
	readonly measured: NonNullable<TrainOptions['measured']>;
	/** Whether the weights are ever made anew, and so unimodal models trained. */
	readonly weighted: boolean;
	readonly fusion: Architecture;
	/** One per modality where modalities are weighed: all models of a modality are alike but for their parameters. */
	readonly unimodal: readonly Architecture[];
	readonly predictorOf: (architecture: Architecture) => Promise<Predictor>;
	/** Reports how far model `place.index` has come. */
	readonly reportProgress: (place: ModelPlace, of: Omit<Progress, 'type' | 'stage' | 'model' | 'progress' | 'eta_seconds'>) => void;
	/** Reports and keeps the figures of an epoch. */
	readonly reportEpoch: (place: ModelPlace, of: Omit<Epoch, 'type' | 'stage' | 'model'>) => void;
};

/** Seconds that remain at the speed since the first call; null while there is none. */
export function remainingSeconds(): (progress: number) => number | null {
	let first: { at: number; progress: number } | null = null;
	return (progress) => {
		first ??= { at: performance.now(), progress };
		const done = progress - first.progress;
		return done > 0 ? (((performance.now() - first.at) / 1000) * (1 - progress)) / done : null;
	};
}

/** Where a graph of a fixed batch computes its loss itself, training and validation have a batch each. */
function checkBatches({ ownLoss, fixedBatch }: Architecture, { train, validation }: Prepared): void {
	if (ownLoss === null || fixedBatch === null) return;
	for (const { name, rows } of [train, validation])
		if (rows.length < fixedBatch)
			throw new ProblemError(
				'invalid_dataset',
				`The model computes its loss over exactly ${fixedBatch} rows, but there are ${rows.length} rows of ${name}: export it with a free or a smaller batch, or change training.validation_fraction`,
				'training.batch_size',
			);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export async function openJob(
	{ spec, sparesMemory = false, emit, stopped, measured = () => {} }: TrainOptions,
	prepared: Prepared,
	provider: Provider,
	{ state, source }: { state: JobState; source: TrainingState | null },
): Promise<Job> {
	const { modalities, dataset, task, standardisation, scale, weigher, graphFile } = prepared;
	const weighted = weigher.models > 0;
	const { fusion, unimodal } = await architecturesOf(spec, graphFile, {
		...{ modalities, dataset: dataset.profile, weighted },
		outputs: task.outputs,
	});

	checkBatches(fusion, prepared);
	const rows = trainedRowsOf(spec, dataset);
	const initialisation = initialisationOf(warmStartOf(spec.training), source, rows, { prepared, fusion, unimodal });

	/** A model takes as much of the job as it has parameters. */
	const costs = [...unimodal.flatMap((one) => Array.from({ length: weigher.models }, () => one)), fusion].map(({ parameters }) =>
		countOf(parameters),
	);
	const progressOf = (index: number, fraction: number): number =>
		(TRAINING_SHARE * (sum(costs.slice(0, index)) + (costs[index] as number) * fraction)) / sum(costs);
	const remaining = remainingSeconds();

	return {
		...prepared,
		recompute: sparesMemory ? 'segments' : (spec.training.recompute ?? 'none'),
		...{ spec, provider, state, initialisation, emit, stopped, measured, weighted, fusion, unimodal },
		predictorOf: ({ predictor }) =>
			predictor({
				standardisation,
				scale,
				ascending: task.quantiles !== undefined,
				// the graphs that predict are not written for WebGPU
				provider: provider === 'webgpu' ? 'cpu' : provider,
				threads: spec.training.threads,
				stoppable: (session) => stoppable(session, { stopped }),
			}),
		reportProgress({ name: model, stage, index }, of) {
			const progress = progressOf(index, of.step / of.steps);
			emit({ type: 'progress', stage, model, progress, ...of, eta_seconds: remaining(progress) });
		},
		reportEpoch({ name: model, stage }, of) {
			const { epoch: number, validation, best, train_loss, learning_rate } = of;
			const epoch = { stage, model, epoch: number, validation, best, train_loss, learning_rate };
			const { header } = state;
			addEpoch(header.epochs, epoch);
			if (stage === 'fusion' && best) header.bestStatistics = header.statistics;
			emit({ type: 'epoch', ...epoch });
		},
	};
}
