import {
	type CustomConfig,
	chosenParameters,
	type DatasetProfile,
	type JobSpec,
	type ModelParameter,
	type ModelReport,
	ProblemError,
	parametersNamed,
} from '@steelyard/contracts';

type GraphValue = ModelReport['inputs'][number];
type Modalities = DatasetProfile['modalities'];
type Dims = GraphValue['shape'];

/** Names told in a refusal; more would hide what it says. */
const TOLD = 10;
/** Types that the float32 values of a dataset can be given as. */
const TAKEN = ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool'];

const misfit = (message: string, param: string) => new ProblemError('invalid_model', message, param);

function listed(names: readonly string[]): string {
	if (names.length === 0) return 'none';
	return names.length > TOLD ? `${names.slice(0, TOLD).join(', ')} and ${names.length - TOLD} more` : names.join(', ');
}
const namesOf = (values: readonly { name: string }[]) => listed(values.map(({ name }) => name));
const shown = (dims: Dims) => `[${dims.join(', ')}]`;
const product = (dims: readonly number[]) => dims.reduce((size, dim) => size * dim, 1);
const isStatic = (dims: Dims): dims is number[] => dims.every((dim) => typeof dim === 'number');

/** Whether a shape can be `wanted`; in either a string is a dimension that is free. */
const fits = (shape: Dims, wanted: Dims): boolean =>
	shape.length === wanted.length && shape.every((dim, i) => typeof dim === 'string' || typeof wanted[i] === 'string' || dim === wanted[i]);

/** Only modalities that the job uses are named, and each has an input. */
function checkModalities({ inputs, masks = {}, embeddings = {} }: CustomConfig, used: readonly string[]): void {
	for (const [field, mapped] of Object.entries({ inputs, masks, embeddings })) {
		const stranger = Object.keys(mapped).find((name) => !used.includes(name));
		if (stranger !== undefined)
			throw new ProblemError(
				'modality_not_found',
				`model.${field} names the modality ${stranger}, which the job does not use; it uses ${listed(used)}`,
				`model.${field}.${stranger}`,
			);
	}
	const missing = used.filter((name) => !Object.hasOwn(inputs, name));
	if (missing.length > 0)
		throw misfit(
			`model.inputs has no input for the modality ${listed(missing)}; name one for each, or leave modalities out by "modalities"`,
			'model.inputs',
		);
}

/** What the job gives to an input: which field of the spec says so, the shapes it can be given in, and the values of one instance, which may have another shape of the same size. */
type Feed = { input: string; what: string; param: string; shapes: Dims[]; instance: readonly number[] | null };

function feedsOf({ inputs, masks = {} }: CustomConfig, modalities: Modalities, used: readonly string[], report: ModelReport): Feed[] {
	const shape = (name: string) => modalities[name]?.shape ?? [];
	const values = Object.entries(inputs).map(([name, input]): Feed => {
		const instance = shape(name);
		return { input, what: `the modality ${name}`, param: `model.inputs.${name}`, shapes: [['batch', ...instance]], instance };
	});
	const narrow: Dims[] = [['batch'], ['batch', 1]];
	const present = Object.entries(masks).map(([name, input]): Feed => {
		const [steps, features] = shape(name);
		const bySteps: Dims[] = steps === undefined || features === undefined ? [] : [['batch', steps]];
		return { input, what: `the mask of ${name}`, param: `model.masks.${name}`, shapes: [...narrow, ...bySteps], instance: null };
	});
	const weights = used
		.map((name): Feed => ({ input: `w.${name}`, what: `the weight of ${name}`, param: 'model.inputs', shapes: narrow, instance: null }))
		.filter(({ input }) => report.inputs.some(({ name }) => name === input));
	return [...values, ...present, ...weights];
}

function checkFeed({ name, dtype, shape }: GraphValue, { what, param, shapes, instance }: Feed): void {
	if (!TAKEN.includes(dtype)) throw misfit(`The input "${name}" of the model takes ${dtype}; expected float32 or an integer type`, param);
	const tail = shape.slice(1);
	const reshaped =
		instance !== null && shape.length > 0 && tail.length !== instance.length && isStatic(tail) && product(tail) === product(instance);
	if (reshaped || shapes.some((wanted) => fits(shape, wanted))) return;
	throw misfit(`The input "${name}" of the model has the shape ${shown(shape)}, but ${what} is ${shapes.map(shown).join(' or ')}`, param);
}

/** Each feed has an input of its own that can take it, and each input of the graph has a feed. */
function checkInputs(feeds: readonly Feed[], { inputs }: ModelReport): void {
	const fed = new Map<string, Feed>();
	for (const feed of feeds) {
		const { input, what, param } = feed;
		const value = inputs.find(({ name }) => name === input);
		if (value === undefined) throw misfit(`The model has no input "${input}"; its inputs are ${namesOf(inputs)}`, param);
		const other = fed.get(input);
		if (other !== undefined)
			throw misfit(`The input "${input}" of the model is given ${other.what} already, and cannot take ${what} too`, param);
		fed.set(input, feed);
		checkFeed(value, feed);
	}
	const unfed = inputs.filter(({ name }) => !fed.has(name));
	if (unfed.length > 0)
		throw misfit(
			`Nothing is given to the input ${namesOf(unfed)} of the model: name it in model.inputs or model.masks, call it w.<modality> where it takes a weight, or export the model without it`,
			'model.inputs',
		);
}

/** A free dimension that inputs share by its name has one size in all of them. */
function checkFreeDims(feeds: readonly Feed[], { inputs }: ModelReport): void {
	const sizes = new Map<string, { size: number; what: string }>();
	for (const { input, what, param, instance } of feeds) {
		const tail = inputs.find(({ name }) => name === input)?.shape.slice(1) ?? [];
		if (instance === null || tail.length !== instance.length) continue;
		for (const [i, dim] of tail.entries()) {
			if (typeof dim !== 'string') continue;
			const size = instance[i] as number;
			const known = sizes.get(dim);
			if (known !== undefined && known.size !== size)
				throw misfit(`The dimension "${dim}" of the model is ${known.size} by ${known.what}, but ${size} by ${what}`, param);
			sizes.set(dim, { size, what });
		}
	}
}

function checkBatch({ inputs }: ModelReport, batch: number): void {
	const fixed = inputs.find(({ shape: [first] }) => typeof first === 'number' && first !== batch);
	if (fixed === undefined) return;
	throw misfit(
		`The input "${fixed.name}" of the model has the fixed batch size ${fixed.shape[0]}, but training.batch_size is ${batch}: set it to ${fixed.shape[0]}, or export the model with a free batch dimension (torch.onnx.export: dynamic_shapes with torch.export.Dim("batch"), or dynamic_axes={"${fixed.name}": {0: "batch"}})`,
		'training.batch_size',
	);
}

function checkOutput(name: string, { outputs }: ModelReport, { type, outputs: width }: DatasetProfile['task']): void {
	const output = outputs.find((value) => value.name === name);
	if (output === undefined) throw misfit(`The model has no output "${name}"; its outputs are ${namesOf(outputs)}`, 'model.output');
	if (output.dtype !== 'float32') throw misfit(`The output "${name}" of the model is ${output.dtype}; expected float32`, 'model.output');
	const shapes: Dims[] = [['batch', width], ...(width === 1 ? [['batch']] : [])];
	if (shapes.some((wanted) => fits(output.shape, wanted))) return;
	const counted = { multiclass: 'classes', multilabel: 'labels', binary: null, regression: null }[type];
	const wants = counted === null ? `a ${type} task wants` : `the ${width} ${counted} of the dataset want`;
	throw misfit(
		`The output "${name}" of the model has the shape ${shown(output.shape)}, but ${wants} ${shapes.map(shown).join(' or ')}`,
		'model.output',
	);
}

/** Every glob names a parameter, of `trainable` one that can be trained, and some are left to be trained. */
function checkParameters(config: CustomConfig, parameters: readonly ModelParameter[]): void {
	const known = parameters.filter(({ trainable }) => trainable);
	for (const field of ['trainable', 'frozen'] as const) {
		for (const [i, glob] of (config[field] ?? []).entries()) {
			const named = parametersNamed(glob, parameters);
			if (named.length === 0)
				throw misfit(
					`model.${field} names "${glob}", which no parameter of the model is called; there are ${namesOf(known)}`,
					`model.${field}.${i}`,
				);
			if (field === 'trainable' && !named.some(({ name, trainable }) => trainable || name === glob))
				throw misfit(`"${named[0]?.name}" cannot be trained: ${named[0]?.reason}`, `model.${field}.${i}`);
		}
	}
	const chosen = chosenParameters(config, parameters);
	const other = chosen.find(({ dtype }) => dtype !== 'float32');
	if (other !== undefined)
		throw misfit(`The parameter "${other.name}" is ${other.dtype}; only float32 can be trained: freeze it`, 'model.frozen');
	if (chosen.length > 0) return;
	throw known.length === 0
		? misfit('The model has no parameter that can be trained', 'model.model')
		: misfit('No parameter is left to be trained: all that are trainable are frozen', 'model.frozen');
}

/** Each modality has a place for its weight, where weights are used. */
function checkWeighting({ embeddings = {}, output }: CustomConfig, preset: string, used: readonly string[], { inputs }: ModelReport): void {
	if (preset === 'uniform') return;
	const takes = (name: string) => inputs.some((input) => input.name === `w.${name}`);
	const without = used.filter((name) => !takes(name) && !Object.hasOwn(embeddings, name));
	if (without.length > 0)
		throw misfit(
			`The weighting ${preset} has no place for the weight of ${listed(without)}: give the model an input w.<modality> that multiplies the modality's embedding, or name that embedding in model.embeddings`,
			`model.embeddings.${without[0]}`,
		);
	const final = used.find((name) => !takes(name) && embeddings[name] === output);
	if (final !== undefined) throw misfit(`"${output}" is the output itself; expected a value before it`, `model.embeddings.${final}`);
}

/**
 * Holds a job of a custom model against its dataset and what inspection found of the model. Throws ProblemError `modality_not_found` or `invalid_model` with
 * the field. What a report does not show, such as the values inside the graph, is looked at when the job begins.
 */
export function admitCustom(
	{ modalities, weighting, training }: Pick<JobSpec, 'modalities' | 'weighting' | 'training'>,
	config: CustomConfig,
	dataset: Pick<DatasetProfile, 'modalities' | 'task'>,
	report: ModelReport,
): void {
	const used = modalities ?? Object.keys(dataset.modalities);
	checkModalities(config, used);
	const feeds = feedsOf(config, dataset.modalities, used, report);
	checkInputs(feeds, report);
	checkFreeDims(feeds, report);
	checkOutput(config.output, report, dataset.task);
	checkBatch(report, training.batch_size);
	checkParameters(config, report.parameters);
	checkWeighting(config, weighting.preset, used, report);
}
