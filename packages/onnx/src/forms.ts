import { type Tensor, tensor } from '@steelyard/runtime';
import { readAttributes, withAttributes, withoutAttributes } from './attributes.js';
import { namesOf } from './bodies.js';
import { dataTypeOf } from './data-types.js';
import { type Form, type Forms, formed, freshNames, int, text, vector } from './form.js';
import { type Graph, GraphError, type Model, type Node, OPSET } from './graph.js';

/** The newest operator set that is read. */
export const NEWEST = 26;

const refusal = (node: Node, attribute: string, reason: string): GraphError =>
	new GraphError(
		'unsupported_operator',
		`node "${node.name}" (${node.op}) has the attribute ${attribute}, which operator set ${OPSET} cannot express${reason}`,
		node.name,
	);

// Up to operator set 17 the axes are an attribute.
const reduction: Form = (node, { opset, constant }) => {
	const axes = readAttributes(node).ints('axes');
	if (opset >= 18 || axes === null) return node;
	return { ...withoutAttributes(node, 'axes'), inputs: [node.inputs[0] ?? '', constant(vector(axes))] };
};

const split: Form = (node, { opset }) =>
	opset >= 18 || (node.inputs[1] ?? '') !== '' ? node : withAttributes(node, { num_outputs: int(node.outputs.length) });

// saturate and round_mode concern the rounding to float8 alone, which no tensor here is.
const cast: Form = (node) => withoutAttributes(node, 'saturate', 'round_mode');

const quantize: Form = (node, { constant }) => {
	const read = readAttributes(node);
	if (read.int('block_size', 0) !== 0) throw refusal(node, 'block_size', '');
	const plain = withoutAttributes(node, 'block_size', 'saturate', 'output_dtype', 'precision');
	const wanted = read.int('output_dtype', 0);
	if (wanted === 0 || node.op === 'DequantizeLinear') {
		if (wanted > 1) throw refusal(node, 'output_dtype', ' but for float32');
		return plain;
	}
	if ((node.inputs[2] ?? '') !== '' || wanted === dataTypeOf('uint8')) return plain;
	if (wanted !== dataTypeOf('int8')) throw refusal(node, 'output_dtype', ' but for int8 and uint8');
	return { ...plain, inputs: [...node.inputs.slice(0, 2), constant(tensor('int8', [], [0]))] };
};

// Modes have other names from operator set 20 on.
const gridSample: Form = (node, { opset }) => {
	if (opset < 20) return node;
	const mode = readAttributes(node).text('mode', 'linear');
	return withAttributes(node, { mode: text(mode === 'linear' ? 'bilinear' : mode === 'cubic' ? 'bicubic' : mode) });
};

// From operator set 20 on the axis is an input, and the last but one unless given.
const fourier: Form = (node, { opset, numbers }) => {
	if (opset < 20) return node;
	const name = node.inputs[2] ?? '';
	const axis = name === '' ? -2 : numbers(name)?.[0];
	if (axis === undefined)
		throw new GraphError(
			'unsupported_operator',
			`node "${node.name}" (DFT) takes its axis from "${name}", which is not a constant`,
			node.name,
		);
	return withAttributes({ ...node, inputs: node.inputs.slice(0, 2) }, { axis: int(axis) });
};

// Before operator set 16 there was one mode, which is no longer the default.
const roiAlign: Form = (node, { opset }) =>
	opset >= 16 ? node : withAttributes(node, { coordinate_transformation_mode: text('output_half_pixel') });

// Before operator set 14 the number of outputs gave the mode: in training there are also the running statistics and, for the backward pass alone, the batch's own.
const batchNormalization: Form = (node, { opset }) => {
	if (opset >= 14 || node.outputs.filter((name) => name !== '').length < 2) return node;
	return withAttributes({ ...node, outputs: node.outputs.slice(0, 3) }, { training_mode: int(1) });
};

const averagePool: Form = (node) => {
	const dilations = readAttributes(node).ints('dilations') ?? [];
	if (dilations.some((dilation) => dilation !== 1)) throw refusal(node, `dilations = [${dilations}]`, '');
	return withoutAttributes(node, 'dilations');
};

/** An operator that the working operator set does not have. */
const ofNoForm: Form = (node, { opset }) => {
	throw new GraphError(
		'unsupported_operator',
		`node "${node.name}" is ${node.op} of operator set ${opset}, which operator set ${OPSET} does not have`,
		node.name,
	);
};

/** The operators whose nodes have another form in some operator set from 13 to 26 than in the working one. */
const forms: Forms = {
	...Object.fromEntries(
		['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'].map((name) => [`Reduce${name}`, reduction]),
	),
	Split: split,
	Cast: cast,
	QuantizeLinear: quantize,
	DequantizeLinear: quantize,
	GridSample: gridSample,
	DFT: fourier,
	RoiAlign: roiAlign,
	BatchNormalization: batchNormalization,
	AveragePool: averagePool,
	BitCast: ofNoForm,
	DeformConv: ofNoForm,
	ImageDecoder: ofNoForm,
	RegexFullMatch: ofNoForm,
	StringConcat: ofNoForm,
	StringSplit: ofNoForm,
};

/**
 * The same model in the working operator set: what another operator set writes in another form is rewritten, also in the bodies of control flow.
 * Throws GraphError `unsupported_operator` that names node, operator and attribute, for what the working operator set cannot express.
 */
export function toWorkingOpset(model: Model): Model {
	if (model.opset === OPSET) return model;
	const fresh = freshNames('form/const_', namesOf(model.graph));
	const withConstants = (graph: Graph, constants: ReadonlyMap<string, Tensor>): Graph => ({
		...graph,
		initializers: new Map([...graph.initializers, ...constants]),
	});
	return { ...model, opset: OPSET, graph: formed(model.graph, { forms, opset: model.opset, fresh, withConstants }) };
}
