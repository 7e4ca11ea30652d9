import { type DType, type Tensor, tensor } from '@steelyard/runtime';
import { readAttributes, withAttributes, withoutAttributes } from './attributes.js';
import { namesOf } from './bodies.js';
import { withConstantNodes } from './constant-nodes.js';
import { type Form, type Forms, formed, freshNames, int, text, vector } from './form.js';
import { allValues, type Graph, GraphError, type Model, type Node } from './graph.js';
import { isFloating } from './parameters.js';

/** The oldest operator set that is read: before it, operators broadcast by attributes. */
export const OLDEST = 7;
/** The operator set to which older ones are upgraded. */
const UPGRADED = 13;

const refusal = (node: Node, what: string, opset: number): GraphError =>
	new GraphError(
		'unsupported_operator',
		`node "${node.name}" (${node.op}) of operator set ${opset} ${what}; export the model again at operator set ${UPGRADED} or newer`,
		node.name,
	);

/** The attributes `names` as inputs, each in its place behind the first input; one that is not given leaves its place empty. */
const integersAsInputs =
	(before: number, ...names: readonly string[]): Form =>
	(node, { opset, constant }) => {
		if (opset >= before) return node;
		const { ints } = readAttributes(node);
		const given = names.map((name) => ints(name)).map((values) => (values === null ? '' : constant(vector(values))));
		while (given.at(-1) === '') given.pop();
		return { ...withoutAttributes(node, ...names), inputs: [node.inputs[0] ?? '', ...given] };
	};

/** Up to operator set 12 these work on a matrix: all axes before `axis` are its rows, all others its columns. */
const ofMatrix: Form = (node, { fresh }) => {
	const axis = readAttributes(node).int('axis', 1);
	if (axis === -1) return node;
	const [x = ''] = node.inputs;
	const [matrix, result, shape] = [fresh(), fresh(), fresh()];
	const part = (op: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node => ({
		name: `${node.name}/${op}`,
		op,
		inputs,
		outputs: [output],
		attributes,
	});
	return [
		part('Flatten', [x], matrix, { axis: int(axis) }),
		{ ...withAttributes(node, { axis: int(-1) }), inputs: [matrix], outputs: [result] },
		part('Shape', [x], shape),
		part('Reshape', [result, shape], node.outputs[0] as string),
	];
};

const topK: Form = (node, { opset, constant }) =>
	opset >= 10
		? node
		: { ...withoutAttributes(node, 'k'), inputs: [node.inputs[0] ?? '', constant(vector([readAttributes(node).int('k', 0)]))] };

const dropout: Form = (node, { opset, constant }) =>
	opset >= 12
		? node
		: {
				...withoutAttributes(node, 'ratio'),
				inputs: [node.inputs[0] ?? '', constant(tensor('float32', [], [readAttributes(node).float('ratio', 0.5)]))],
			};

// A scale at every channel and position has no later form.
const batchNormalization: Form = (node, { opset }) => {
	if (readAttributes(node).int('spatial', 1) !== 1)
		throw refusal(node, 'has the attribute spatial = 0, which later ones do not have', opset);
	return withoutAttributes(node, 'spatial');
};

const scan: Form = (node, { opset }) => {
	if (opset < 9) throw refusal(node, 'walks along sequences of a batch, which later ones do not', opset);
	return node;
};

/** A resizing of operator set 7 to 10: from the left edge, to the left neighbour where it enlarges and to the right one where it shrinks. */
const resized = (node: Node, scales: string, nearest: 'floor' | 'ceil'): Node => ({
	...withAttributes(withoutAttributes(node, 'scales'), {
		coordinate_transformation_mode: text('asymmetric'),
		...(readAttributes(node).text('mode', 'nearest') === 'nearest' ? { nearest_mode: text(nearest) } : {}),
	}),
	op: 'Resize',
	inputs: [node.inputs[0] ?? '', '', scales],
});

const upsample: Form = (node, { constant }) => {
	const scales = readAttributes(node).floats('scales');
	return resized(node, scales === null ? (node.inputs[1] ?? '') : constant(tensor('float32', [scales.length], scales)), 'floor');
};

const resize: Form = (node, { opset, numbers }) => {
	const { text: read } = readAttributes(node);
	const mode = read('mode', 'nearest');
	if (opset < 11) {
		const [, name = ''] = node.inputs;
		if (mode !== 'nearest') return resized(node, name, 'floor');
		const scales = numbers(name);
		if (scales === null) throw refusal(node, `takes its scales from "${name}", which is not a constant`, opset);
		if (scales.every((scale) => scale >= 1)) return resized(node, name, 'floor');
		if (scales.every((scale) => scale <= 1)) return resized(node, name, 'ceil');
		throw refusal(node, 'enlarges and shrinks at once', opset);
	}
	if (read('coordinate_transformation_mode', 'half_pixel') !== 'tf_half_pixel_for_nn') return node;
	if (mode !== 'nearest' || read('nearest_mode', 'round_prefer_floor') !== 'floor')
		throw refusal(node, 'has the coordinate_transformation_mode "tf_half_pixel_for_nn" without nearest_mode "floor"', opset);
	// ⌊(x + ½) / scale⌋ = ⌊((x + ½) / scale − ½) + ½⌋
	return withAttributes(node, { coordinate_transformation_mode: text('half_pixel'), nearest_mode: text('round_prefer_ceil') });
};

/** The forms in which a constant has the element type of the node's first input. */
const typedForms = (dtypeOf: (name: string) => DType): Forms => ({
	Clip: (node, { opset, constant }) => {
		if (opset >= 11) return node;
		const [x = ''] = node.inputs;
		const { float, has } = readAttributes(node);
		const bound = (name: string): string => (has(name) ? constant(tensor(dtypeOf(x), [], [float(name, 0)])) : '');
		return { ...withoutAttributes(node, 'min', 'max'), inputs: [x, bound('min'), bound('max')] };
	},
	Pad: (node, { opset, constant }) => {
		if (opset >= 11) return node;
		const [x = ''] = node.inputs;
		const { float, ints } = readAttributes(node);
		const inputs = [x, constant(vector(ints('pads') ?? [])), constant(tensor(dtypeOf(x), [], [float('value', 0)]))];
		return { ...withoutAttributes(node, 'pads', 'value'), inputs };
	},
});

/** The operators whose nodes have another form in some operator set from 7 to 12 than in 13. */
const olderForms: Forms = {
	BatchNormalization: batchNormalization,
	Dropout: dropout,
	Hardmax: ofMatrix,
	LogSoftmax: ofMatrix,
	ReduceSum: integersAsInputs(13, 'axes'),
	Resize: resize,
	Scan: scan,
	Scatter: (node) => ({ ...node, op: 'ScatterElements' }),
	Slice: integersAsInputs(10, 'starts', 'ends', 'axes'),
	Softmax: ofMatrix,
	Split: integersAsInputs(13, 'split'),
	Squeeze: integersAsInputs(13, 'axes'),
	TopK: topK,
	Unsqueeze: integersAsInputs(13, 'axes'),
	Upsample: upsample,
};

/** The element type of a value of the graph where that is known, else that of the first floating input or initializer. */
function dtypesOf(graph: Graph): (name: string) => DType {
	const values = allValues(graph);
	const usual = [...graph.inputs, ...graph.initializers.values()].find(({ dtype }) => isFloating(dtype))?.dtype ?? 'float32';
	return (name) => values.get(name)?.dtype ?? usual;
}

/**
 * A model of operator set 7 to 12 in operator set 13, also in the bodies of control flow, with what becomes an input as a Constant node; every other model as it
 * is. Throws GraphError `unsupported_operator` that names the node, for what has no later form.
 */
export function upgraded(model: Model): Model {
	const { graph, opset } = model;
	if (opset < OLDEST || opset >= UPGRADED) return model;
	const withConstants = (changed: Graph, constants: ReadonlyMap<string, Tensor>): Graph =>
		withConstantNodes({ ...changed, initializers: new Map([...changed.initializers, ...constants]) }, new Set(constants.keys()));
	const forms = { ...olderForms, ...typedForms(dtypesOf(graph)) };
	const fresh = freshNames('upgrade/', namesOf(graph));
	return { ...model, opset: UPGRADED, fileOpset: opset, graph: formed(graph, { forms, opset, fresh, withConstants }) };
}
