import { modalitiesOf } from '../admission/modalities.js';
import { lossOf } from '../admission/task.js';
import type { DatasetProfile, ModalityProfile } from '../dataset.js';
import { adaptedMatrices } from '../families/custom/lora.js';
import { chosenParameters } from '../families/custom/parameters.js';
import type { ModelInterface } from '../families/family.js';
import { quantilesOf } from '../loss.js';
import { ProblemError } from '../problems.js';
import type { JobSpec } from '../spec.js';
import { givesWeights } from '../weighting.js';
import { familySize } from './families.js';
import type { ModelSize } from './size.js';

/** What a job takes, by a rough count of its sizes. */
export type JobEstimate = {
	/** Bytes of memory of its trainer, of which `activations` are for the values of a batch. */
	readonly memory: number;
	readonly activations: number;
	/** Bytes of the checkpoints that its trainer has at the same time: the last two, and the next while it is written. */
	readonly checkpoints: number;
	/** Multiply-adds of all epochs. */
	readonly work: number;
};

/** What an estimate looks at in a dataset. */
type DatasetSizes = Pick<DatasetProfile, 'modalities' | 'task' | 'splits' | 'bytes'>;

/** What a trainer takes that trains next to nothing. */
const LEAST = 150 * 2 ** 20;
/** Up to this size a dataset is held in memory. */
const HELD = 256 * 2 ** 20;
/** Numbers that an optimizer keeps for each trained number. */
const SLOTS = { sgd: 0, momentum: 1, adam: 2, adamw: 2 };
/** Checkpoints that a trainer has at the same time. */
const CHECKPOINTS = 3;
/** Bytes of a trained number that is rounded: as such, and in the type that it is rounded to. */
const ROUNDED = 8;
/** Multiply-adds of an update of one trained number. */
const UPDATE = 20;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** Bytes for the state and gradients of so many trained numbers, and for the copies that are made of them at the beginning, at checkpoints and at the end. */
const stateBytes = (parameters: number, slots: number): number => 4 * parameters * (8 + slots);

/** The size of an uploaded graph, of which the values in between are not counted: every number of it meets every row. */
function customSize(spec: JobSpec, model: ModelInterface | null): ModelSize & { readonly kept: number } {
	if (spec.model.family !== 'custom' || model === null) return { parameters: 0, numbers: 0, work: 0, kept: 0 };
	const chosen = chosenParameters(spec.model, model.parameters);
	const rank = spec.model.lora?.rank ?? 0;
	const adapters = adaptedMatrices(spec.model, model.parameters).map(({ shape }) => rank * ((shape.at(0) ?? 1) + (shape.at(-1) ?? 1)));
	const parameters = [...chosen.map(({ shape }) => sizeOf(shape)), ...adapters].reduce((sum, size) => sum + size, 0);
	const all = model.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	return { parameters, numbers: 0, work: all, kept: 3 * 4 * all };
}

/**
 * Estimates what a job takes, in microseconds and without an engine. A test holds the memory to within a factor of 2 of what trainers of the built-in families were
 * measured to take, and the checkpoints to within a third; of an uploaded graph it counts state and initializers only, and so less than there is.
 */
export function estimateOf(spec: JobSpec, dataset: DatasetSizes, model: ModelInterface | null): JobEstimate {
	const { training, weighting } = spec;
	const outputs = quantilesOf(lossOf(spec).loss)?.length ?? dataset.task.outputs;
	const modalities = modalitiesOf(spec, dataset).flatMap((name) => {
		const known = Object.hasOwn(dataset.modalities, name) ? (dataset.modalities[name] as ModalityProfile) : null;
		return known === null ? [] : [{ name, shape: known.shape, tokens: known.tokens }];
	});
	const custom = customSize(spec, model);
	const whole = familySize(spec.model, modalities, outputs) ?? custom;
	const unimodal = givesWeights(weighting) ? modalities.flatMap((one) => familySize(spec.model, [one], outputs) ?? []) : [];
	const rows = Object.hasOwn(dataset.splits, 'train') ? (dataset.splits['train']?.rows as number) : 0;
	const batch = Math.min(training.batch_size, rows);
	const features = modalities.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
	const isRounded = (training.precision ?? 'float32') !== 'float32';
	// beside what is as it was, what products read is kept rounded
	const held = (training.recompute === 'segments' ? 1 : 2) + (isRounded ? 1 : 0);
	const activations = 4 * batch * (held * whole.numbers + features);
	const apart = unimodal.reduce((sum, { parameters }) => sum + 3 * 4 * parameters, 0);
	const state = stateBytes(whole.parameters, SLOTS[training.optimizer.name]) + (isRounded ? ROUNDED * whole.parameters : 0);
	// The parameters as they are and the best so far, with those before the first weights where the method gives any, and what the optimizer keeps.
	const copies = (givesWeights(weighting) ? 3 : 2) + SLOTS[training.optimizer.name];
	const kept = unimodal.reduce((sum, { parameters }) => sum + parameters, copies * whole.parameters) + rows * modalities.length;
	const passes = [whole, ...unimodal].reduce(
		(sum, { work, parameters }) => sum + 3 * rows * work + (UPDATE * rows * parameters) / batch,
		0,
	);
	return {
		memory: Math.ceil(LEAST + state + apart + custom.kept + activations + (dataset.bytes <= HELD ? dataset.bytes : 0)),
		activations,
		checkpoints: CHECKPOINTS * 4 * kept,
		work: training.epochs * passes,
	};
}

/** What one job may take. */
export type JobLimits = { readonly memory: number; readonly work: number; readonly checkpoints: number };

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** What of a job is estimated to be more than it may take. */
export function* limitProblems(
	spec: JobSpec,
	dataset: DatasetSizes,
	model: ModelInterface | null,
	limits: JobLimits,
): Iterable<ProblemError> {
	const { memory, activations, checkpoints, work } = estimateOf(spec, dataset, model);
	if (memory > limits.memory) {
		const [param, remedy] =
			2 * activations > memory ? ['training.batch_size', 'a smaller training.batch_size'] : ['model', 'a smaller model'];
		yield new ProblemError(
			'job_too_large',
			`The job would take about ${gigabytes(memory)} of memory, and may take ${gigabytes(limits.memory)}; ${remedy} takes less`,
			param,
		);
	}
	if (checkpoints > limits.checkpoints)
		yield new ProblemError(
			'job_too_large',
			`The job would keep about ${gigabytes(checkpoints)} of checkpoints, and may keep ${gigabytes(limits.checkpoints)}; a smaller model takes less`,
			'model',
		);
	if (work > limits.work)
		yield new ProblemError(
			'job_too_large',
			`The job would take about ${work.toExponential(1)} multiply-adds, and may take ${limits.work.toExponential(1)}; fewer training.epochs or a smaller model take less`,
			'training.epochs',
		);
}
