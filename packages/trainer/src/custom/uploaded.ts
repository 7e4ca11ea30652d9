import {
	activationProblem,
	auxiliaryFormOf,
	type CustomConfig,
	choicesOf,
	classAxisOf,
	type DatasetFields,
	type ModalityProfile,
	ownLossOf,
	ProblemError,
	TASK_LABELS,
	type TaskProfile,
	weightInput,
} from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import {
	encodeModel,
	type FinalActivation,
	finalActivation,
	type Graph,
	type Model,
	OPSET,
	positiveAxis,
	staticShape,
	toWorkingOpset,
	withoutWeights,
} from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor, tensor, type ValueInfo } from '@steelyard/runtime';
import type { AuxiliaryOutput } from '../model/auxiliary-output.js';
import { lossFor } from '../model/loss-for.js';
import { modalityShape } from '../model/modality-shape.js';
import type { PositionLogits } from '../model/position-logits.js';
import { hasTrainingForm, withRunningStatistics } from './batch-norm.js';
import { type ChosenParameter, chooseParameters } from './choose-parameters.js';
import { droppingNodes } from './dropout.js';
import { type Feeds, feedsOf } from './feeds.js';
import { type GraphFile, modelInterfaceOf } from './graph-file.js';
import { type Logits, withLogits } from './logits.js';
import { type Adapter, adaptersOf, withAdapters } from './lora.js';
import type { OwnLoss, TrainedOutput } from './run-graph.js';
import { withScale } from './scale.js';
import type { Embedding } from './weigh-embeddings.js';

/** An uploaded graph that fits the dataset of a job. */
export type Uploaded = Feeds & {
	readonly config: CustomConfig;
	/** Reads the file as it was uploaded. */
	readonly read: () => Uint8Array;
	/** As uploaded, at its own operator set, or at the working one where its own is older; with the scaling of its inputs that the job asks for. */
	readonly whole: Graph;
	/** The same with adapters, and with `output` and what holds the auxiliary outputs among its values. */
	readonly graph: Graph;
	readonly opset: number;
	/** What is trained, the parts of adapters among them. */
	readonly chosen: readonly ChosenParameter[];
	/** Of the matrices that the job trains by low-rank updates, which are in `graph`. */
	readonly adapters: readonly Adapter[];
	/** Of the modalities that are weighed and have no input for their weight. */
	readonly embeddings: readonly Embedding[];
	/** Whether the file has values of float16 or bfloat16, which are float32 in `graph`. */
	readonly isHalf: boolean;
	/** Whether the file predicts as it is: nothing in it is in training form, and the job scales no input. */
	readonly predicts: boolean;
	/** Where the file has the logits; null where the job wants only the loss that it computes itself. */
	readonly logits: Logits | null;
	/** Logits or values, `[batch, outputs]` or `[batch]`; null where there are no `logits`. */
	readonly output: string | null;
	/** Where the file has its loss, if it computes that itself. */
	readonly ownLoss: OwnLoss | null;
	/** Outputs that are trained besides, each with where the file has its logits. */
	readonly auxiliary: readonly (TrainedOutput & { readonly logits: Logits })[];
	readonly task: TaskProfile;
	/** Numbers of each dropout that drops for a row of the batch, by its output. */
	readonly dropped: ReadonlyMap<string, number>;
	/** Logits per row, and how they lie where positions have labels. */
	readonly outputs: number;
	readonly positions: PositionLogits | null;
};

const refuse = (param: string, detail: string): never => {
	throw new ProblemError('invalid_model', detail, param);
};

/** Rows of the batch by which shapes are asked for. */
const PROBE = 2;

/** Some numbers for every input: zeros, and masks of ones. */
const trial = ({ feeds }: Feeds, rows: number): Record<string, Tensor> =>
	Object.fromEntries(
		feeds.map(({ name, dtype, shape: row, source }) => {
			const shape = [rows, ...row];
			return [name, tensor(dtype, shape, new Array<number>(sizeOf(shape)).fill(source.from === 'mask' ? 1 : 0))];
		}),
	);

/** Types of some values of the graph for a batch of `rows`: by the runtime's own inference, without the weights, or, where that leaves a size open, by a run. */
async function typesOf(graph: Graph, opset: number, given: Feeds, rows: number, names: readonly string[]): Promise<Map<string, ValueInfo>> {
	const inputs = given.feeds.map(({ name, dtype, shape }) => ({ name, dtype, shape: [rows, ...shape] }));
	const wanted = [...new Set(names)];
	const isKnown = ({ shape }: ValueInfo): boolean => shape.length > 0 && shape.every((dim) => typeof dim === 'number');
	const light = await createSession(encodeModel({ graph: withoutWeights({ ...graph, inputs }), opset }, wanted));
	await light.release();
	if (light.outputs.every(isKnown)) return new Map(light.outputs.map((value) => [value.name, value]));
	const session = await createSession(encodeModel({ graph: { ...graph, inputs }, opset }, wanted));
	try {
		const found = session.outputs.every(isKnown) ? {} : await session.run(trial(given, rows));
		return new Map(session.outputs.map((value) => [value.name, { ...value, shape: found[value.name]?.shape ?? value.shape }]));
	} finally {
		await session.release();
	}
}

/**
 * Where the graph has the logits of its output: the output itself, or what the Softmax or Sigmoid takes in which it ends. The output has a shape that the task
 * wants also where the file leaves sizes open, which only a run shows.
 */
function logitsOf(
	types: ReadonlyMap<string, ValueInfo>,
	name: string,
	activation: FinalActivation | null,
	rows: number,
	{ type, outputs }: TaskProfile,
): Logits {
	const { shape, dtype } = types.get(name) as ValueInfo;
	const shapes = [[rows, outputs], ...(outputs === 1 ? [[rows]] : []), ...(type === 'binary' ? [[rows, 2]] : [])];
	const same = (wanted: readonly number[]): boolean =>
		shape.length === wanted.length && wanted.every((size, i) => typeof shape[i] === 'string' || shape[i] === size);
	if (!shapes.some(same))
		refuse(
			'model.output',
			`The output "${name}" of the model is [${shape.join(', ')}] for ${rows} rows; expected ${shapes.map((wanted) => `[${wanted.join(', ')}]`).join(' or ')} by the ${type} task of the dataset`,
		);
	const columns = shape.length === 1 ? 1 : (shape[1] as number);
	const pair = type === 'binary' && columns === 2;
	if (activation === null) return { value: name, dtype, pair: pair ? 1 : null, operator: null };
	const problem = activationProblem({ name, activation }, type, columns);
	if (problem !== null) refuse('model.output', problem);
	const { operator, logits } = activation;
	const before = types.get(logits) as ValueInfo;
	const axis = positiveAxis(activation.axis ?? 1, before.shape.length);
	const ofClasses = axis > 0 && before.shape[axis] === columns && sizeOf(before.shape as number[]) === rows * columns;
	if (operator !== 'Sigmoid' && !ofClasses)
		refuse(
			'model.output',
			`The output "${name}" of the model ends in ${operator} over axis ${activation.axis} of [${before.shape.join(', ')}] for ${rows} rows, which is not that of the ${columns} classes; take the ${operator} over the classes`,
		);
	return { value: logits, dtype: before.dtype, pair: pair ? axis : null, operator };
}

/** How the output holds the logits of positions, for a task whose positions have labels, else null. */
function positionsOf({ shape }: ValueInfo, { output, class_axis: asked }: CustomConfig, task: TaskProfile): PositionLogits | null {
	const { positions, outputs: classes } = task;
	if (positions === undefined) return null;
	const classAxis = classAxisOf(output as string, shape, { ...task, positions }, asked);
	if (classAxis instanceof ProblemError) throw classAxis;
	return { positions: sizeOf(positions), classes, classAxis };
}

/** The same as `logitsOf` for labels of positions: the Softmax or Sigmoid is to stand right before the output, and to go along the axis of the classes. `param` names the output. */
function positionLogitsOf(
	types: ReadonlyMap<string, ValueInfo>,
	name: string,
	activation: FinalActivation | null,
	{ classes, classAxis }: PositionLogits,
	{ type }: Pick<TaskProfile, 'type'>,
	param: string,
): Logits {
	const { shape, dtype } = types.get(name) as ValueInfo;
	if (activation === null) return { value: name, dtype, pair: null, operator: null };
	const problem = activationProblem({ name, activation }, type, classes);
	if (problem !== null) refuse(param, problem);
	const { operator, logits } = activation;
	const before = types.get(logits) as ValueInfo;
	const axis = classAxis === 1 ? 1 : shape.length - 1;
	if (operator !== 'Sigmoid' && (before.shape.join() !== shape.join() || positiveAxis(activation.axis ?? -1, shape.length) !== axis))
		refuse(
			param,
			`The output "${name}" of the model ends in ${operator} over axis ${activation.axis} of [${before.shape.join(', ')}], and its classes lie along axis ${axis} of [${shape.join(', ')}]; give the logits as the output`,
		);
	return { value: logits, dtype: before.dtype, pair: null, operator };
}

/** An auxiliary output of an admitted job: its shape fits what it is compared with also where the file leaves sizes open, which only a run shows. */
function auxiliaryOf(
	types: ReadonlyMap<string, ValueInfo>,
	name: string,
	{ outputs = {} }: CustomConfig,
	activation: FinalActivation | null,
	rows: number,
	dataset: DatasetFields,
): AuxiliaryOutput & { logits: Logits } {
	const param = `model.outputs.${name}`;
	const config = outputs[name] as NonNullable<CustomConfig['outputs']>[string];
	const { labels, loss = 'auto', weight = 1 } = config;
	const { shape } = types.get(name) as ValueInfo;
	if (shape[0] !== rows)
		refuse(param, `The output "${name}" of the model is [${shape.join(', ')}] for ${rows} rows; expected [${rows}, …]`);
	const form = auxiliaryFormOf(name, config, shape.slice(1) as number[], dataset);
	if (form instanceof ProblemError) throw form;
	const { type } = form;
	return {
		...form,
		...{ name, weight },
		loss: lossFor(choicesOf(loss), type),
		target: labels === TASK_LABELS ? null : modalityShape(labels, dataset.modalities[labels] as ModalityProfile),
		logits: positionLogitsOf(types, name, type === 'regression' ? null : activation, form, form, param),
	};
}

/** The loss is one number also where the file leaves its shape open, which only a run shows. */
function checkOwnLoss(name: string, { shape }: ValueInfo, rows: number): void {
	if (shape.some((dim) => dim !== 1))
		refuse(
			'model.loss.output',
			`The output "${name}" of the model is [${shape.join(', ')}] for ${rows} rows; a loss is one number, []: take the mean over the batch`,
		);
}

/** For each modality without an input for its weight: the value of the graph that its weight multiplies. Throws ProblemError where the graph has no such value. */
function embeddingNames({ embeddings = {} }: CustomConfig, graph: Graph, modalities: readonly ModalityShape[]): Array<[string, string]> {
	const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
	return modalities
		.filter(({ name }) => !graph.inputs.some((input) => input.name === weightInput(name)))
		.map(({ name }): [string, string] => {
			const value = embeddings[name] as string;
			if (!known.has(value)) refuse(`model.embeddings.${name}`, `The model has no value "${value}"`);
			return [name, value];
		});
}

function embeddingOf(modality: string, value: string, type: ValueInfo | undefined, rows: number): Embedding {
	const param = `model.embeddings.${modality}`;
	const shape = type?.shape ?? [];
	if (type?.dtype !== 'float32') refuse(param, `The value "${value}" of the model is ${type?.dtype ?? 'no tensor'}; expected float32`);
	if (shape[0] !== rows || shape.some((dim) => typeof dim !== 'number'))
		refuse(param, `The value "${value}" of the model is [${shape.join(', ')}] for ${rows} rows; expected [${rows}, …] of known sizes`);
	return { modality, value, shape: shape.slice(1) as number[] };
}

/** The model at the working operator set where its own is older: an older form could not stand beside our own nodes. */
function atLeastWorking(model: Model): Model {
	if (model.opset >= OPSET) return model;
	// what training form was before operator set 14 has no later one; batch_norm says which form the norms shall have
	return toWorkingOpset(model.opset < 14 ? { ...model, graph: withRunningStatistics(model.graph) } : model);
}

/**
 * Prepares the graph of an admitted job for training, and checks what only the whole graph or a run shows. Throws ProblemError `invalid_model` that names the
 * field, GraphError, RuntimeError.
 */
export async function openUploaded(
	file: GraphFile,
	config: CustomConfig,
	{
		modalities,
		dataset,
		weighted,
		batch,
	}: { modalities: readonly ModalityShape[]; dataset: DatasetFields; weighted: boolean; batch: number },
): Promise<Uploaded> {
	const { read, model } = file;
	const { task } = dataset;
	const { graph: uploaded, opset } = atLeastWorking(model);
	const graph = withScale(config, uploaded, modalities);
	const given = feedsOf(config, graph, modalities, task);
	const adapters = adaptersOf(config, graph, modelInterfaceOf(file).parameters);
	const chosen = [...chooseParameters(config, model), ...adapters.flatMap(({ a, b }) => [a, b])];
	const wanted = weighted ? embeddingNames(config, graph, modalities) : [];
	const rows = given.fixedBatch ?? PROBE;
	const dropping = droppingNodes(graph);
	const { output } = config;
	const own = ownLossOf(config);
	const further = Object.keys(config.outputs ?? {});
	const activation = task.type === 'regression' || output === undefined ? null : finalActivation(graph, output);
	const activations = new Map(further.map((name) => [name, finalActivation(graph, name)]));
	const types = await typesOf(graph, opset, given, rows, [
		...[output, own, ...further].flatMap((name) => name ?? []),
		...[activation, ...activations.values()].flatMap((one) => one?.logits ?? []),
		...wanted.map(([, value]) => value),
		...dropping.map(({ inputs }) => inputs[0] as string),
	]);
	if (own !== undefined) checkOwnLoss(own, types.get(own) as ValueInfo, rows);
	const positions = output === undefined ? null : positionsOf(types.get(output) as ValueInfo, config, task);
	const logitsIn = (name: string): Logits =>
		positions === null
			? logitsOf(types, name, activation, rows, task)
			: positionLogitsOf(types, name, activation, positions, task, 'model.output');
	const logits = output === undefined ? null : logitsIn(output);
	const auxiliary = further.map((name) => auxiliaryOf(types, name, config, activations.get(name) ?? null, rows, dataset));
	const adapted = withAdapters(graph, adapters);
	const made = withLogits(adapted, { main: logits, auxiliary: auxiliary.map((one) => one.logits) });
	const embeddings = wanted.map(([modality, value]) => embeddingOf(modality, value, types.get(value), rows));
	const predicts = config.scale === undefined && !hasTrainingForm(model.graph) && dropping.length === 0;
	const dropped = new Map(
		dropping.map(({ inputs, outputs }) => [outputs[0] as string, sizeOf(staticShape(types.get(inputs[0] as string) as ValueInfo)) / rows]),
	);
	return {
		...given,
		config,
		read,
		opset,
		chosen,
		adapters,
		embeddings,
		predicts,
		isHalf: model.halves !== undefined && model.halves.size > 0,
		dropped,
		whole: graph,
		logits,
		ownLoss: own === undefined ? null : { output: own, batch },
		task,
		graph: made.graph,
		output: made.output,
		auxiliary: auxiliary.map((one, i) => ({ ...one, value: made.auxiliary[i] as string })),
		outputs: task.outputs * (positions?.positions ?? 1),
		positions,
	};
}
