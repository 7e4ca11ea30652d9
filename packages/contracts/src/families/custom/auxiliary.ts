import { dtypeOf, type ModalityProfile } from '../../dataset.js';
import { listed } from '../../listed.js';
import { choiceProblems, choicesOf, type LossChoices } from '../../loss.js';
import { ProblemError } from '../../problems.js';
import type { DatasetFields, JobFields, ModelInterface } from '../family.js';
import { activationProblem } from './activation.js';
import { type AuxiliaryOutput, type CustomConfig, ownLossOf } from './config.js';
import { misfit } from './misfit.js';
import { TRAINED } from './parameters.js';
import type { ClassAxis } from './positions.js';
import { isStatic, shown } from './shapes.js';

/** `labels` of an output that is compared with the labels of the task, and not with a modality. */
export const TASK_LABELS = 'labels';

const CLASS_LOSSES: readonly string[] = ['cross_entropy', 'focal'];
const VALUE_LOSSES: readonly string[] = ['mse', 'mae', 'huber'];

/** What an output is compared with: its shape for a row, whether it is values and not classes unless a loss says so, and what is known of its numbers. */
type Target = Pick<ModalityProfile, 'min' | 'max' | 'whole'> & {
	readonly what: string;
	readonly shape: readonly number[];
	readonly ofValues: boolean;
};

/** The labels of the task, or a modality that the dataset has. */
function targetOf(labels: string, { task, modalities }: DatasetFields): Target {
	if (labels === TASK_LABELS) {
		const { type, outputs, positions } = task;
		const shape = positions ?? (type === 'multilabel' ? [outputs] : []);
		if (type === 'regression') return { what: 'the labels', shape, ofValues: true };
		return { what: 'the labels', shape, ofValues: false, min: 0, max: type === 'multiclass' ? outputs - 1 : 1, whole: true };
	}
	const profile = modalities[labels] as ModalityProfile;
	return { ...profile, what: `the modality ${labels}`, ofValues: dtypeOf(profile) === 'float32' };
}

/** How an output holds what it is trained on: for each of `positions` numbers of a row a value, one logit, or one logit for each of `classes`. */
export type AuxiliaryForm = {
	readonly type: 'binary' | 'multiclass' | 'regression';
	readonly positions: number;
	readonly classes: number;
	readonly classAxis: ClassAxis;
};

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/** The axis along which an output of the given shape holds the classes of each number of `target`: none where no axis fits, both where two do. Axes of size 1 do not matter. */
function classAxisIn(shape: readonly number[], target: readonly number[], asked: ClassAxis | undefined): ClassAxis | 'none' | 'both' {
	const [found, wanted] = [shape, target].map((dims) => dims.filter((dim) => dim !== 1)) as [number[], number[]];
	const axes = ([-1, 1] as const).filter((axis) => {
		const others = axis === 1 ? found.slice(1) : found.slice(0, -1);
		return found.length === wanted.length + 1 && others.join() === wanted.join() && (asked === undefined || asked === axis);
	});
	const [axis = 'none', other] = axes;
	return other !== undefined && wanted.length > 0 ? 'both' : axis;
}

/**
 * The form of an output `[batch, …shape]` of the graph, by what an admitted job compares it with; a problem that names the field where the two do not fit.
 */
export function auxiliaryFormOf(
	name: string,
	{ labels, loss = 'auto', class_axis: asked }: AuxiliaryOutput,
	shape: readonly number[],
	dataset: DatasetFields,
): AuxiliaryForm | ProblemError {
	const target = targetOf(labels, dataset);
	const { what, min = 0, max = 0 } = target;
	const param = `model.outputs.${name}`;
	const positions = product(target.shape);
	const chosen = choicesOf(loss);
	const ofValues = chosen.name === 'auto' ? target.ofValues : VALUE_LOSSES.includes(chosen.name);
	const given = `The output "${name}" of the model is ${shown(['batch', ...shape])}, and ${what} ${shown(['batch', ...target.shape])}`;
	const one = product(shape) === positions;
	if (ofValues)
		return one
			? { type: 'regression', positions, classes: 1, classAxis: -1 }
			: misfit(`${given}: expected one value for each number`, param);
	const axis = one ? -1 : classAxisIn(shape, target.shape, asked);
	if (axis === 'none')
		return misfit(
			`${given}: expected one logit for each number, or an axis more, of as many logits as there are classes, behind the batch or at the end`,
			param,
		);
	if (axis === 'both')
		return misfit(
			`${given}: the classes can lie along axis 1 as well as the last one; say by class_axis which it is, 1 or -1`,
			`${param}.class_axis`,
		);
	const classes = product(shape) / positions;
	const most = Math.max(classes, 2) - 1;
	if (min < 0 || max > most)
		return misfit(
			`The output "${name}" of the model has ${one ? 'one logit for classes 0 and 1' : `logits of ${classes} classes`}, but ${what} ${labels === TASK_LABELS ? 'have' : 'has'} numbers from ${min} to ${max}; expected 0 to ${most}`,
			`${param}.labels`,
		);
	if (!one && chosen.alpha !== undefined)
		return new ProblemError(
			'unsupported_task',
			`${param}.loss.alpha tells what is true from what is not, for one logit; leave it out for ${classes} classes`,
			`${param}.loss.alpha`,
		);
	return { type: one ? 'binary' : 'multiclass', positions, classes, classAxis: axis };
}

/** What outputs beside `model.output` go with: a built-in loss of its own, and no weights of modalities. */
export function* auxiliaryFieldProblems(config: CustomConfig, { weighting }: JobFields): Iterable<ProblemError> {
	const { outputs, output } = config;
	if (outputs === undefined) return;
	const own = ownLossOf(config);
	if (own !== undefined)
		yield new ProblemError(
			'invalid_request',
			`model.outputs adds losses to a built-in one, and training minimises the output "${own}" of the graph: add the losses of other outputs to it in the graph`,
			'model.outputs',
		);
	if (weighting.preset !== 'uniform')
		yield new ProblemError(
			'invalid_request',
			`${weighting.preset} weighs by models that have no output but model.output, and model.outputs trains others; choose uniform`,
			'weighting.preset',
		);
	for (const [name, { loss = 'auto' }] of Object.entries(outputs)) {
		if (name === output)
			yield new ProblemError(
				'invalid_request',
				`"${name}" is model.output already; export what it is compared with twice as two outputs`,
				`model.outputs.${name}`,
			);
		const chosen = choicesOf(loss);
		yield* choiceProblems(chosen, `model.outputs.${name}.loss`);
		if (chosen.name === 'quantile')
			yield new ProblemError(
				'invalid_request',
				`The loss quantile is for the built-in families; choose one of auto, ${[...CLASS_LOSSES, ...VALUE_LOSSES].join(', ')}`,
				`model.outputs.${name}.loss`,
			);
	}
}

/** The loss that an output names is one for what it is compared with. */
function* lossProblems(
	loss: LossChoices,
	labels: string,
	{ what, ofValues, whole, min, max }: Target,
	param: string,
): Iterable<ProblemError> {
	const [own, others] = ofValues ? [VALUE_LOSSES, CLASS_LOSSES] : [CLASS_LOSSES, VALUE_LOSSES];
	if (labels === TASK_LABELS && others.includes(loss.name))
		yield new ProblemError(
			'unsupported_task',
			`The loss ${loss.name} is not for the labels of the dataset; choose one of auto, ${own.join(', ')}`,
			param,
		);
	else if (CLASS_LOSSES.includes(loss.name) && whole === false)
		yield misfit(
			`The loss ${loss.name} is for classes, but ${what} has numbers with a fraction, between ${min} and ${max}; choose one of ${VALUE_LOSSES.join(', ')}`,
			param,
		);
}

/** What the outputs beside `model.output` are compared with is there. */
export function* targetProblems({ outputs = {} }: CustomConfig, dataset: DatasetFields): Iterable<ProblemError> {
	for (const [name, { labels, loss = 'auto' }] of Object.entries(outputs)) {
		const param = `model.outputs.${name}`;
		if (labels !== TASK_LABELS && !Object.hasOwn(dataset.modalities, labels)) {
			yield new ProblemError(
				'modality_not_found',
				`The dataset has no modality ${labels} to compare the output "${name}" with; it has ${listed(Object.keys(dataset.modalities))}, and "${TASK_LABELS}" are the labels of the task`,
				`${param}.labels`,
			);
			continue;
		}
		if (labels !== TASK_LABELS && dataset.modalities[labels]?.missing === 1)
			yield misfit(
				`The modality ${labels} is missing in every row; there is nothing to compare the output "${name}" with`,
				`${param}.labels`,
			);
		yield* lossProblems(choicesOf(loss), labels, targetOf(labels, dataset), `${param}.loss`);
	}
}

/** The graph has the outputs beside `model.output`, and they fit what they are compared with. Shapes that the file leaves open are seen when the job begins. */
export function* auxiliaryProblems(
	{ outputs = {} }: CustomConfig,
	{ outputs: given }: ModelInterface,
	dataset: DatasetFields,
): Iterable<ProblemError> {
	for (const [name, config] of Object.entries(outputs)) {
		const param = `model.outputs.${name}`;
		const output = given.find((value) => value.name === name);
		if (output === undefined) {
			yield misfit(`The model has no output "${name}"; its outputs are ${listed(given.map((value) => value.name))}`, param);
			continue;
		}
		if (!TRAINED.includes(output.dtype))
			yield misfit(`The output "${name}" of the model is ${output.dtype}; expected ${TRAINED.join(', ')}`, param);
		if (output.shape.length === 0) yield misfit(`The output "${name}" of the model is one number, []; expected [batch, …]`, param);
		const shape = output.shape.slice(1);
		if (output.shape.length === 0 || !isStatic(shape)) continue;
		const form = auxiliaryFormOf(name, config, shape, dataset);
		if (form instanceof ProblemError) {
			yield form;
			continue;
		}
		const problem = activationProblem(output, form.type, form.classes);
		if (problem !== null) yield misfit(problem, param);
	}
}
