import type { Metrics, TrainingConfig } from '@steelyard/contracts';
import { initialPlateau, learningRateAt, plateauAfter } from '@steelyard/optim';
import type { State } from '@steelyard/runtime';
import type { Architecture, Parameters } from '../model/architecture.js';
import type { Examples } from '../model/examples.js';
import { copied } from '../model/parameter-layout.js';
import { isBetter } from '../report/metrics.js';
import type { Chunk } from '../step/chunk.js';
import { overflowed } from '../step/diverged.js';
import { type Fit, openFit, type StepLoss, type TrainedBefore } from '../step/fit.js';
import type { LossScaling } from '../step/loss-scaling.js';
import type { FitState, ScoredEpoch } from './fit-state.js';
import type { Job, ModelPlace } from './job.js';
import type { TrainingEnd } from './keep-training-state.js';
import { Stopped } from './stop.js';

/** What the metrics of an epoch are on validation: those that are reported, and those that choose the best epoch, stop early and lead the schedule. */
export type Validation = { readonly reported: Metrics; readonly chosenBy: Metrics };

export type ModelFit = {
	readonly architecture: Architecture;
	readonly train: Examples;
	/** Weight of each modality of every training example, `[N, M]`; asked before every chunk. */
	readonly weights: () => Float32Array;
	/** Most steps of a chunk; as many as are quick where null. */
	readonly mostSteps: number | null;
	/** Called before every chunk. */
	readonly beforeChunk: (chunk: Chunk, parameters: () => Promise<Parameters>) => Promise<void>;
	readonly validate: (parameters: Parameters) => Promise<Validation>;
	/** Whether the running epoch may be chosen as the best, and counts for early stopping and the schedule. */
	readonly eligible: () => boolean;
	/** Whether the parameters of the best epoch that is not eligible are kept. */
	readonly keepsPassedOver: boolean;
	/** Called at the end with the outcome and what the last step left, whose arrays are those of the moment. */
	readonly ended?: (outcome: Extract<FitOutcome, { status: 'done' }>, last: Omit<TrainingEnd, 'best'>) => Promise<void>;
};

export type FitOutcome =
	| {
			status: 'done';
			parameters: Parameters;
			bestEpoch: number;
			epochs: number;
			/** The score of the best epoch; null where no epoch could be chosen, and the last one is taken. */
			score: number | null;
			/** The best of the epochs that were not eligible, and its parameters where they are kept. */
			passedOver: (ScoredEpoch & { parameters: Parameters | null }) | null;
			/** Steps that changed nothing, because their gradients were not finite. */
			skipped: number;
	  }
	| { status: 'stopped' };

/** Least time, in milliseconds, between the checkpoint at the end of the fusion model and the one before. */
const END_SAVE_INTERVAL = 1000;

/** The better of an epoch and the best before it; a score that is not a number is none. */
function betterOf(metric: string, before: ScoredEpoch | null, epoch: number, score: number | null): ScoredEpoch | null {
	if (score === null || !Number.isFinite(score)) return before;
	return before === null || isBetter(metric, score, before.score) ? { epoch, score } : before;
}

/** Judges an epoch that has ended: the state after it, and whether it is the best so far. */
function afterEpoch(
	state: FitState,
	{ schedule, early_stopping: stopping }: TrainingConfig,
	metrics: Metrics,
	eligible: boolean,
): { state: FitState; best: boolean } {
	const next = { ...state, epoch: state.epoch + 1, chunk: 0, step: 0, lossSum: 0, ...(state.leftOut === undefined ? {} : { leftOut: 0 }) };
	const metric = stopping?.metric ?? 'loss';
	const value = metrics[metric] ?? null;
	if (!eligible) return { state: { ...next, passedOver: betterOf(metric, state.passedOver, state.epoch, value) }, best: false };
	const chosen = betterOf(metric, state.best, state.epoch, value);
	const best = chosen !== state.best;
	const loss = metrics['loss'];
	return {
		best,
		state: {
			...next,
			best: chosen,
			badEpochs: best ? 0 : state.badEpochs + 1,
			plateau: typeof loss === 'number' ? plateauAfter(schedule, state.plateau, loss) : state.plateau,
		},
	};
}

/** What training a model of a job has behind it when it begins. */
const trainedBefore = ({ initialisation }: Job, { stage }: ModelPlace): TrainedBefore =>
	stage === 'fusion' ? initialisation.before : { epochs: 0, steps: 0 };

/** Opens the training of one model of a job at a state of it, or where null at its beginning. */
export function openFitOf(
	job: Job,
	place: ModelPlace,
	{ architecture, train, mostSteps }: Pick<ModelFit, 'architecture' | 'train' | 'mostSteps'>,
	resumed: { readonly state: State; readonly scaling: LossScaling | null } | null,
): Promise<Fit> {
	const { training } = job.spec;
	const isFusion = place.stage === 'fusion';
	const stream = isFusion ? 0 : place.index + 1;
	const stored = isFusion ? 'fusion' : { unimodal: place.name };
	return openFit({
		architecture,
		training,
		task: job.task,
		loss: job.loss,
		classWeights: job.classWeights,
		scale: job.scale,
		standardisation: job.standardisation,
		train,
		// the fusion model draws alike under every weighting, so that a comparison by seed compares weightings
		stream,
		modulation: isFusion ? job.weigher.modulation : null,
		provider: job.provider,
		state: resumed?.state ?? null,
		beginning: () => job.initialisation.of(stored, architecture, architecture.initial(training.seed, stream)),
		before: trainedBefore(job, place),
		scaling: resumed?.scaling ?? null,
		mostSteps,
		recompute: job.recompute,
	});
}

/** Trains one model of a job to its best epoch by the validation score, reports on it and keeps checkpoints. Bit-identical for equal jobs, also across a stop and a resume. */
export async function fitModel(job: Job, place: ModelPlace, model: ModelFit): Promise<FitOutcome> {
	const { training } = job.spec;
	const isFusion = place.stage === 'fusion';
	const { schedule, early_stopping: stopping } = training;
	const resumed = job.state.resumeOf(place.index);
	const before = trainedBefore(job, place);
	const begun = resumed && { state: resumed.tensors.state, scaling: resumed.state.scaling ?? null };
	const fit = await openFitOf(job, place, model, begun);
	let state: FitState = resumed?.state ?? {
		epoch: 0,
		chunk: 0,
		step: 0,
		lossSum: 0,
		best: null,
		passedOver: null,
		badEpochs: 0,
		plateau: initialPlateau,
	};
	let best: Parameters = resumed?.tensors.best ?? new Map();
	let passedOver: Parameters = resumed?.tensors.passedOver ?? new Map();
	const learningRate = (step: number): number =>
		learningRateAt(schedule, { base: training.optimizer.learning_rate, step, steps: fit.steps, plateau: state.plateau });

	/** Counts the losses of steps; one that is not finite, of a step that was skipped, is left out. */
	const count = (losses: readonly StepLoss[]): void => {
		for (const { loss, rows } of losses)
			if (Number.isFinite(loss)) state.lossSum += loss * rows;
			else state.leftOut = (state.leftOut ?? 0) + rows;
		const scaling = fit.scaling();
		if (scaling !== null) state.scaling = scaling;
		state.step += losses.length;
	};

	const endEpoch = async ({ step, epoch, length, seen }: Chunk): Promise<void> => {
		const counted = seen - (state.leftOut ?? 0);
		if (counted === 0) throw overflowed({ step, epoch, training }, `no step of epoch ${epoch} has a finite loss`);
		const parameters = await fit.parameters();
		const { reported, chosenBy } = await model.validate(parameters);
		const judged = afterEpoch(state, training, chosenBy, model.eligible());
		if (judged.best) best = copied(parameters);
		if (model.keepsPassedOver && judged.state.passedOver !== state.passedOver) passedOver = copied(parameters);
		job.reportEpoch(place, {
			epoch: state.epoch,
			train_loss: state.lossSum / counted,
			validation: reported,
			learning_rate: learningRate(step + length),
			best: judged.best,
		});
		state = judged.state;
	};

	const save = async () => job.state.save({ state, tensors: { state: await fit.state(), best, passedOver } });
	/** Whether the job is asked to stop, for which a last checkpoint is written; else one is where it is due. */
	const isStopped = async (): Promise<boolean> => {
		const stop = job.stopped();
		if (stop || job.state.isSaveDue()) await save();
		return stop;
	};

	/** Whether the job was asked to stop while this was done, which the next attempt then does anew. */
	const isStoppedIn = async (done: () => Promise<void>): Promise<boolean> => {
		try {
			await done();
			return false;
		} catch (error) {
			if (!(error instanceof Stopped)) throw error;
			await save();
			return true;
		}
	};

	try {
		for (const chunk of fit.chunks(state)) {
			if (stopping !== null && state.badEpochs >= stopping.patience) break;
			if (state.step === 0 && (await isStoppedIn(() => model.beforeChunk(chunk, fit.parameters)))) return { status: 'stopped' };
			const first = chunk.seen - chunk.places.length;
			while (state.step < chunk.length) {
				const started = performance.now();
				const losses = await fit.run(chunk, state.step, { weights: model.weights(), learningRate });
				count(losses);
				const seconds = (performance.now() - started) / 1000;
				job.measured({ of: 'steps', steps: losses.length, rows: losses.reduce((sum, { rows }) => sum + rows, 0), seconds });
				const counted = Math.min(chunk.seen, first + state.step * fit.batch) - (state.leftOut ?? 0);
				if (counted > 0)
					job.reportProgress(place, {
						epoch: chunk.epoch,
						epochs: training.epochs,
						step: chunk.step + state.step,
						steps: fit.steps,
						loss: state.lossSum / counted,
						rows_per_second: (losses.length * fit.batch) / seconds,
					});
				if (state.step < chunk.length && (await isStopped())) return { status: 'stopped' };
			}
			if (!chunk.endsEpoch) Object.assign(state, { chunk: chunk.index + 1, step: 0 });
			else if (await isStoppedIn(() => endEpoch(chunk))) return { status: 'stopped' };
			if (await isStopped()) return { status: 'stopped' };
		}
		// what follows takes long too, and a stop finds nothing more to keep there
		if (isFusion && job.state.isSaveDue(END_SAVE_INTERVAL)) await save();
		const outcome = {
			status: 'done' as const,
			parameters: state.best === null ? await fit.parameters() : best,
			bestEpoch: state.best?.epoch ?? state.epoch - 1,
			epochs: state.epoch,
			score: state.best?.score ?? null,
			passedOver: state.passedOver && { ...state.passedOver, parameters: model.keepsPassedOver ? passedOver : null },
			skipped: state.scaling?.skipped ?? 0,
		};
		const skipped = (before.skipped ?? 0) + outcome.skipped;
		const steps = before.steps + state.epoch * fit.perEpoch;
		const trained = { epochs: before.epochs + state.epoch, steps, ...(skipped === 0 ? {} : { skipped }) };
		await model.ended?.(outcome, { ...trained, last: await fit.parameters(), slots: await fit.slots() });
		return outcome;
	} finally {
		await fit.dispose();
	}
}
