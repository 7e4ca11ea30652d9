import { createHash } from 'node:crypto';
import { type JobCurves, type JobSpec, warmStartOf } from '@steelyard/contracts';
import type { Provider, State, Tensor } from '@steelyard/runtime';
import type { Parameters } from '../model/architecture.js';
import { latestCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { TrainOptions } from './face.js';
import type { FitState, FitTensors } from './fit-state.js';
import type { Prepared } from './prepare.js';
import { sha256OfFile } from './sha256-of-file.js';
import { withRoom } from './stop.js';
import { flattened, type TensorTree, treeOf } from './tensor-tree.js';
import { VERSION } from './version.js';

/** Everything of a job, beside tensors, that a checkpoint keeps. */
export type JobHeader = {
	/** Of the spec and dataset that it belongs to. */
	readonly key: string;
	/** Unimodal models done; all of them while the fusion model trains. */
	modelsDone: number;
	/** Steps of the models done that changed nothing, because their gradients were not finite. */
	skippedSteps: number;
	fit: FitState | null;
	readonly epochs: JobCurves['epochs'];
	readonly weights: JobCurves['weights'];
	smoothing: number;
	/** Validation loss of the last epoch, and at the last refresh. */
	lastLoss: number | null;
	lossAtRefresh: number | null;
	/** Lowest validation loss of an epoch so far, and whether it came after the last refresh. */
	lowestLoss: number | null;
	improved: boolean;
	/** Refreshes made, and the optimizer step of the last one. */
	refreshes: number;
	lastRefresh: number;
	/** Those of the last refresh, as the weigher has them; plain JSON. */
	statistics: unknown;
	/** Those under which the best epoch was validated: the export carries them, so that what was chosen is what is downloaded. */
	bestStatistics: unknown;
};

/** Where a job stands, and how it is kept. */
export type JobState = {
	/** Whether it was read from a checkpoint. */
	readonly isResumed: boolean;
	readonly header: JobHeader;
	/** Parameters of the unimodal models that are done, by a name that its stage gives. */
	readonly unimodal: Map<string, Parameters>;
	/** Weight of each modality of every training example, `[N, M]`; null before the first refresh. */
	weights: Tensor | null;
	/** What the training of model `index` goes on from, if it was this one that was interrupted. */
	resumeOf: (index: number) => { state: FitState; tensors: FitTensors } | null;
	/** Whether the next checkpoint is due: `ms` milliseconds, 10,000 unless given, have passed since the last one, and enough beside the time that writing it took. */
	isSaveDue: (ms?: number) => boolean;
	/** Writes a checkpoint; `fit` is the model in training, null between two models. Waits for room on the disk, and throws Stopped where the job is asked to stop meanwhile. */
	save: (fit: { state: FitState; tensors: FitTensors } | null) => Promise<void>;
};

/** The config of a model without the id of its upload, which does not depend on its contents. */
function plainModel(model: JobSpec['model']): object {
	if (model.family !== 'custom') return model;
	const { model: _, ...rest } = model;
	return rest;
}

/** The training without what is kept of it, and without the id of the job that it begins with. */
function plainTraining(training: JobSpec['training']): object {
	const { initialise_from: _from, keep_state: _kept, ...rest } = training;
	const start = warmStartOf(training);
	return start === null ? rest : { ...rest, initialise_from: { parameters: start.parameters, optimizer: start.optimizer } };
}

/** What of an evaluation changes the model; that it is also judged where modalities break does not. */
function plainEvaluation({
	robustness: _robustness,
	robustness_rows: _rows,
	...evaluation
}: JobSpec['evaluation'] & object = {}): Pick<JobSpec, 'evaluation'> {
	return Object.keys(evaluation).length === 0 ? {} : { evaluation };
}

/** The part of a spec that results depend on, beside the dataset, the bytes of an uploaded graph and what another job has kept. */
export const essenceOf = ({ model, modalities, weighting, training, evaluation }: JobSpec) => ({
	model: plainModel(model),
	...(modalities === undefined ? {} : { modalities }),
	weighting,
	training: plainTraining(training),
	...plainEvaluation(evaluation),
});

/** Least time between two checkpoints, beside those at the end of a model and at a stop: in milliseconds, and in times of what the last one took to write. */
const SAVE_INTERVAL = 10_000;
const SAVE_SHARE = 20;

/** Of the tensors and the header of a checkpoint: one of another format is not read, and the job begins again. */
const CHECKPOINT_FORMAT = 5;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The tensors of a checkpoint; groups that are empty are not there. */
type Kept = {
	readonly unimodal?: Readonly<Record<string, Readonly<Record<string, Tensor>>>>;
	readonly weights?: Tensor;
	readonly state?: State;
	readonly best?: Readonly<Record<string, Tensor>>;
	readonly passedOver?: Readonly<Record<string, Tensor>>;
};
const mapOf = <T>(record: Readonly<Record<string, T>> | undefined): Map<string, T> => new Map(Object.entries(record ?? {}));

/** The state of a job, whose parameters begin with those of the file with the checksum `initialisedBy` where there is one: from its newest checkpoint in its folder or those of earlier attempts, or from the beginning. */
export async function openJobState(
	{ spec, model, output, earlier = [], emit, stopped, measured = () => {} }: TrainOptions,
	prepared: Prepared,
	provider: Provider,
	initialisedBy: string | null,
): Promise<JobState> {
	const uploaded = model === undefined ? [] : [await sha256OfFile(model)];
	const source = initialisedBy === null ? [] : [{ source: initialisedBy }];
	const key = sha256(
		JSON.stringify([essenceOf(spec), prepared.dataset.profile.sha256, provider, VERSION, CHECKPOINT_FORMAT, ...uploaded, ...source]),
	);
	const found = await latestCheckpoint<JobHeader>([output, ...earlier]);
	const resumed = found?.header.key === key ? found : null;
	const header: JobHeader = resumed?.header ?? {
		key,
		modelsDone: 0,
		skippedSteps: 0,
		fit: null,
		epochs: [],
		weights: [],
		smoothing: prepared.weigher.smoothing.initial,
		lastLoss: null,
		lossAtRefresh: null,
		lowestLoss: null,
		improved: false,
		refreshes: 0,
		lastRefresh: 0,
		statistics: null,
		bestStatistics: null,
	};
	const kept: Kept = resumed === null ? {} : treeOf(resumed.tensors);
	let savedAt = performance.now();
	let saveTook = 0;
	const state: JobState = {
		isResumed: resumed !== null,
		header,
		unimodal: new Map([...mapOf(kept.unimodal)].map(([name, parameters]) => [name, mapOf(parameters)])),
		weights: kept.weights ?? null,
		resumeOf: (index) =>
			header.fit !== null && header.modelsDone === index
				? { state: header.fit, tensors: { state: kept.state ?? {}, best: mapOf(kept.best), passedOver: mapOf(kept.passedOver) } }
				: null,
		isSaveDue: (ms = SAVE_INTERVAL) => performance.now() - savedAt > Math.max(ms, SAVE_SHARE * saveTook),
		async save(fit) {
			header.fit = fit?.state ?? null;
			const tree: TensorTree = {
				unimodal: Object.fromEntries([...state.unimodal].map(([name, parameters]) => [name, Object.fromEntries(parameters)])),
				...(state.weights === null ? {} : { weights: state.weights }),
				...(fit === null
					? {}
					: {
							state: fit.tensors.state,
							best: Object.fromEntries(fit.tensors.best),
							passedOver: Object.fromEntries(fit.tensors.passedOver),
						}),
			};
			await withRoom({ emit, stopped }, async () => {
				const started = performance.now();
				const bytes = await saveCheckpoint(output, { header, tensors: flattened(tree) });
				savedAt = performance.now();
				saveTook = savedAt - started;
				measured({ of: 'checkpoint', seconds: saveTook / 1000, bytes });
			});
		},
	};
	return state;
}
