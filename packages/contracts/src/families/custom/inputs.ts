import { type ModalityProfile, maskOf } from '../../dataset.js';
import { listed } from '../../listed.js';
import { ProblemError } from '../../problems.js';
import type { JobParts, ModelInterface } from '../family.js';
import type { CustomConfig } from './config.js';
import type { Given } from './given.js';
import { misfit } from './misfit.js';
import { givenLabels } from './own-loss.js';
import { type Dims, fits, type GraphValue, isStatic, shown } from './shapes.js';
import { valueProblems } from './values.js';

type Modalities = Pick<JobParts, 'dataset' | 'modalities'>;
type Inputs = ModelInterface['inputs'];

/** The element types in which a graph can take the float32 values of a dataset. */
const TAKEN = [
	'float32',
	'float64',
	'float16',
	'bfloat16',
	'int8',
	'int16',
	'int32',
	'int64',
	'uint8',
	'uint16',
	'uint32',
	'uint64',
	'bool',
];

/** The name of the input that takes the weight of a modality, where a graph has one. */
export const weightInput = (modality: string): string => `w.${modality}`;

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/** The config names only modalities that the job uses, and gives each of these an input. */
export function* mappingProblems(
	{ inputs, scale = {}, masks = {}, embeddings = {} }: CustomConfig,
	used: readonly string[],
): Iterable<ProblemError> {
	const known = new Set(used);
	for (const [field, mapped] of Object.entries({ inputs, scale, masks, embeddings }))
		for (const name of Object.keys(mapped).filter((modality) => !known.has(modality)))
			yield new ProblemError(
				'modality_not_found',
				`model.${field} names the modality ${name}, which the job does not use; it uses ${listed(used)}`,
				`model.${field}.${name}`,
			);
	const missing = used.filter((name) => !Object.hasOwn(inputs, name));
	if (missing.length > 0)
		yield misfit(
			`model.inputs has no input for the modality ${listed(missing)}; name one for each, or leave modalities out by "modalities"`,
			'model.inputs',
		);
}

/** What the graph is given: values, masks and weights of the modalities that the job uses and the dataset has. */
function givenOf({ inputs, masks = {}, labels }: CustomConfig, { dataset, modalities }: Modalities, graphInputs: Inputs): Given[] {
	const shapes = new Map(
		modalities.flatMap((name) => {
			const profile = Object.hasOwn(dataset.modalities, name) ? dataset.modalities[name] : undefined;
			return profile === undefined ? [] : [[name, profile.shape] as const];
		}),
	);
	const perRow: Dims[] = [['batch'], ['batch', 1]];
	const names = new Set(graphInputs.map(({ name }) => name));
	const values = Object.entries(inputs).flatMap(([name, input]): Given[] => {
		const instance = shapes.get(name);
		if (instance === undefined) return [];
		const profile = dataset.modalities[name] as ModalityProfile;
		return [{ input, what: `the modality ${name}`, param: `model.inputs.${name}`, shapes: [['batch', ...instance]], instance, profile }];
	});
	const present = Object.entries(masks).flatMap(([name, input]): Given[] => {
		const shape = shapes.get(name);
		if (shape === undefined) return [];
		const hasSteps = shape.length <= 2 || maskOf(dataset.modalities[name] as ModalityProfile) === 'steps';
		const perStep: Dims[] = hasSteps ? [['batch', shape[0] as number]] : [];
		return [
			{ input, what: `the mask of ${name}`, param: `model.masks.${name}`, shapes: [...perRow, ...perStep], instance: null, profile: null },
		];
	});
	const weights = [...shapes.keys()]
		.filter((name) => names.has(weightInput(name)))
		.map((name): Given => {
			return {
				input: weightInput(name),
				what: `the weight of ${name}`,
				param: 'model.inputs',
				shapes: perRow,
				instance: null,
				profile: null,
			};
		});
	return [...values, ...present, ...weights, ...(labels === undefined ? [] : [givenLabels(labels, dataset.task)])];
}

/** An input can take what it is given: the element type, the values and the shape fit. */
function* fitProblems(input: GraphValue, { what, param, shapes, instance, profile }: Given): Iterable<ProblemError> {
	const { name, dtype, shape } = input;
	if (profile !== null) yield* valueProblems(input, profile, what, param);
	if (!TAKEN.includes(dtype))
		yield misfit(`The input "${name}" of the model takes ${dtype}; expected a floating or an integer type`, param);
	const tail = shape.slice(1);
	const isReshaped =
		instance !== null && shape.length > 0 && tail.length !== instance.length && isStatic(tail) && product(tail) === product(instance);
	if (isReshaped || shapes.some((wanted) => fits(shape, wanted))) return;
	yield misfit(`The input "${name}" of the model has the shape ${shown(shape)}, but ${what} is ${shapes.map(shown).join(' or ')}`, param);
}

/** All that is given has an input of its own that can take it. */
function* givenProblems(given: readonly Given[], inputs: Inputs): Iterable<ProblemError> {
	const taken = new Map<string, Given>();
	const byName = new Map(inputs.map((value) => [value.name, value]));
	for (const one of given) {
		const { input, what, param } = one;
		const value = byName.get(input);
		const other = taken.get(input);
		if (value === undefined)
			yield misfit(`The model has no input "${input}"; its inputs are ${listed(inputs.map(({ name }) => name))}`, param);
		else if (other !== undefined)
			yield misfit(`The input "${input}" of the model is given ${other.what} already, and cannot take ${what} too`, param);
		else {
			taken.set(input, one);
			yield* fitProblems(value, one);
		}
	}
}

/** Every input of the graph is given something. */
function* unfedProblems(
	{ inputs, masks = {}, labels = '' }: CustomConfig,
	used: readonly string[],
	graphInputs: Inputs,
): Iterable<ProblemError> {
	const named = new Set([...Object.values(inputs), ...Object.values(masks), ...used.map(weightInput), labels]);
	const unfed = graphInputs.filter(({ name }) => !named.has(name)).map(({ name }) => name);
	if (unfed.length > 0)
		yield misfit(
			`Nothing is given to the input ${listed(unfed)} of the model: name it in model.inputs or model.masks, call it w.<modality> where it takes a weight, name it in model.labels where it takes the labels of a loss in the graph, or export the model without it`,
			'model.inputs',
		);
}

/** A free dimension that several inputs share by its name has one size in all of them, and is not the batch in one and a size of an instance in another. */
function* freeDimensionProblems(given: readonly Given[], inputs: Inputs): Iterable<ProblemError> {
	const batches = new Set(inputs.map(({ shape }) => shape[0]));
	const byName = new Map(inputs.map((value) => [value.name, value]));
	const sizes = new Map<string, { size: number; what: string }>();
	for (const { input, what, param, instance } of given) {
		const tail = byName.get(input)?.shape.slice(1) ?? [];
		if (instance === null || tail.length !== instance.length) continue;
		for (const [i, dim] of tail.entries()) {
			if (typeof dim !== 'string') continue;
			const size = instance[i] as number;
			const known = sizes.get(dim);
			if (known !== undefined && known.size !== size)
				yield misfit(`The dimension "${dim}" of the model is ${known.size} by ${known.what}, but ${size} by ${what}`, param);
			else if (known === undefined && batches.has(dim))
				yield misfit(`The dimension "${dim}" of the model is the batch, but also ${size} by ${what}`, param);
			sizes.set(dim, known ?? { size, what });
		}
	}
}

/** Each input of the graph is given one thing that it can take. */
export function* inputProblems(config: CustomConfig, job: Modalities, inputs: Inputs): Iterable<ProblemError> {
	const given = givenOf(config, job, inputs);
	yield* givenProblems(given, inputs);
	yield* unfedProblems(config, job.modalities, inputs);
	yield* freeDimensionProblems(given, inputs);
}

/** A graph of a fixed batch size is trained in batches of that size. */
export function* batchProblems(inputs: Inputs, batch: number): Iterable<ProblemError> {
	const fixed = inputs.find(({ shape: [first] }) => typeof first === 'number' && first !== batch);
	if (fixed === undefined) return;
	yield misfit(
		`The input "${fixed.name}" of the model has the fixed batch size ${fixed.shape[0]}, but training.batch_size is ${batch}: set it to ${fixed.shape[0]}, or export the model with a free batch dimension (torch.onnx.export: dynamic_shapes with torch.export.Dim("batch"), or dynamic_axes={"${fixed.name}": {0: "batch"}})`,
		'training.batch_size',
	);
}
