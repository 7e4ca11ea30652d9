import { admit, type DatasetFields, type ModelInterface, type ModelParameter, parseJobSpec } from '../src/index.js';

const modality = (shape: number[], masked = false) => ({ shape, masked, missing: 0 });

/** A dataset of two vectors, `labs` and `text`, with labels of two classes. */
export const BINARY: DatasetFields = {
	task: { type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	modalities: { labs: modality([2]), text: modality([2]) },
};
export const MULTICLASS: DatasetFields = { ...BINARY, task: { type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 } };
export const MULTILABEL: DatasetFields = { ...BINARY, task: { type: 'multilabel', classes: ['x', 'y'], outputs: 2 } };
export const REGRESSION: DatasetFields = { ...BINARY, task: { type: 'regression', classes: [], outputs: 1 } };
/** A dataset whose rows have a class of three for each of five steps. */
export const TAGGED: DatasetFields = { ...BINARY, task: { ...MULTICLASS.task, positions: [5], ignore_index: -100 } };
/** The same of as many steps as classes, where the shape of an output does not say which of its axes is which. */
export const SQUARE: DatasetFields = { ...BINARY, task: { ...TAGGED.task, positions: [3] } };
/** A dataset with a value for each of five steps. */
export const MEASURED: DatasetFields = { ...BINARY, task: { ...REGRESSION.task, positions: [5] } };
/** A dataset whose `text` is a sequence with a mask. */
export const SEQUENCE: DatasetFields = { ...BINARY, modalities: { labs: modality([2]), text: modality([5, 3], true) } };
/** A binary dataset with modalities of the given shapes. */
export const shaped = (shapes: Record<string, number[]>): DatasetFields => ({
	...BINARY,
	modalities: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, modality(shape)])),
});

const parameter = (name: string, shape: number[], more: Partial<ModelParameter> = {}): ModelParameter => ({
	name,
	dtype: 'float32',
	shape,
	trainable: true,
	reason: 'weight of a Gemm',
	...more,
});

/** The interface of a graph that fits BINARY: inputs `labs` and `text`, one output `y`. */
export const GRAPH: ModelInterface = {
	inputs: [
		{ name: 'labs', dtype: 'float32', shape: ['batch', 2] },
		{ name: 'text', dtype: 'float32', shape: ['batch', 2] },
	],
	outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
	parameters: [
		parameter('encoder.weight', [4, 8]),
		parameter('encoder.bias', [8]),
		parameter('head.weight', [8, 1]),
		parameter('sqrt_two', [], { trainable: false, reason: 'a constant of Div' }),
	],
};

/** The config of a custom model that fits GRAPH and BINARY. */
export const CUSTOM = { family: 'custom', model: 'mdl_1', inputs: { labs: 'labs', text: 'text' }, output: 'y' };

/** A problem without what an Error has besides. */
export const plain = ({ code, param, message }: { code: string; param: string | null; message: string }) => ({ code, param, message });

/** Everything that stands against a job of the spec, which is valid by itself, with the dataset and the graph. */
export const problemsOf = (spec: object, dataset: DatasetFields = BINARY, graph: ModelInterface | null = null) =>
	admit(parseJobSpec({ dataset: 'ds_1', ...spec }), dataset, graph).map(plain);
