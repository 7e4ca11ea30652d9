import { fromBinary } from '@bufbuild/protobuf';
import { arrayTypeOf, type DType, sizeOf, type Tensor, type TensorData } from '@steelyard/runtime';
import {
	AttributeProto_AttributeType as A,
	type AttributeProto,
	type GraphProto,
	ModelProtoSchema,
	type TensorProto,
	TensorProto_DataLocation,
	type ValueInfoProto,
} from 'onnx-buf';
import { withConstantWeights } from './constant-weights.js';
import { dtypeOf } from './data-types.js';
import { operatorOf } from './domains.js';
import { exporterLabels } from './exporter-labels.js';
import { type Attribute, type Graph, GraphError, type Model, type Node, type Value } from './graph.js';
import { type Half, widen } from './halves.js';
import { inlineFunctions, standardOpset } from './inline-functions.js';
import { upgraded } from './older-forms.js';
import { inOrder } from './order.js';

const utf8 = new TextDecoder();

function checkRaw({ name, rawData }: TensorProto, dtype: DType, size: number): void {
	const expected = size * arrayTypeOf(dtype).BYTES_PER_ELEMENT;
	if (rawData.length !== expected)
		throw new GraphError('malformed_model', `tensor "${name}" has ${rawData.length} bytes, expected ${expected}`, name);
}

function elements(proto: TensorProto, dtype: DType, size: number): TensorData {
	const type = arrayTypeOf(dtype);
	if (proto.rawData.length > 0) {
		checkRaw(proto, dtype, size);
		const copy = new Uint8Array(proto.rawData); // aligned, and free of the buffer of the whole file
		return new type(copy.buffer, 0, size) as TensorData;
	}
	const values: ArrayLike<number | bigint> = typedField(proto, dtype);
	if (values.length !== size)
		throw new GraphError('malformed_model', `tensor "${proto.name}" holds ${values.length} elements, expected ${size}`, proto.name);
	const convert = type === BigInt64Array || type === BigUint64Array ? BigInt : Number;
	return (type as unknown as { from(values: ArrayLike<unknown>, convert: (value: never) => unknown): TensorData }).from(values, convert);
}

/** The field in which ONNX keeps the elements of a type that are not raw bytes (TensorProto in onnx.proto). */
function typedField(proto: TensorProto, dtype: DType): ArrayLike<number | bigint> {
	switch (dtype) {
		case 'float32':
			return proto.floatData;
		case 'float64':
			return proto.doubleData;
		case 'int64':
			return proto.int64Data;
		case 'uint32':
		case 'uint64':
			return proto.uint64Data;
		default:
			return proto.int32Data;
	}
}

/** The bytes of a file from `start` to `end`, in an array of their own. */
export type ReadAgain = (start: number, end: number) => Uint8Array;

/** A file whose large tensors are read again when their numbers are asked for. */
type Source = { readonly bytes: Uint8Array; readonly readAgain: ReadAgain };

/** Bytes from which on a tensor is large. */
const LARGE = 2 ** 20;

/** A tensor that holds no numbers, but reads them from the file each time; null where they are few or do not lie in the file as they are. */
function readWhenAsked(proto: TensorProto, dtype: DType, shape: readonly number[], { bytes, readAgain }: Source): Tensor | null {
	const { rawData } = proto;
	if (rawData.length < LARGE || rawData.buffer !== bytes.buffer) return null;
	checkRaw(proto, dtype, sizeOf(shape));
	const start = rawData.byteOffset - bytes.byteOffset;
	const end = start + rawData.length;
	return {
		dtype,
		shape,
		get data() {
			const { buffer, byteOffset } = readAgain(start, end);
			return new (arrayTypeOf(dtype))(buffer as ArrayBuffer, byteOffset, sizeOf(shape)) as TensorData;
		},
	};
}

function tensorOf(proto: TensorProto, source: Source | null = null): Tensor {
	if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL || proto.externalData.length > 0)
		throw new GraphError(
			'unsupported_model',
			`tensor "${proto.name}" keeps its data in another file; put both into a zip archive, or store it inside the model, in Python by onnx.save(onnx.load("net.onnx"), "whole.onnx")`,
			proto.name,
		);
	const dtype = dtypeOf(proto.dataType);
	if (dtype === undefined)
		throw new GraphError(
			'unsupported_model',
			`tensor "${proto.name}" has the data type ${proto.dataType}, which is not supported`,
			proto.name,
		);
	const shape = proto.dims.map(Number);
	const size = sizeOf(shape);
	if (shape.some((dim) => dim < 0) || !Number.isSafeInteger(size))
		throw new GraphError('malformed_model', `tensor "${proto.name}" has the impossible shape [${shape}]`, proto.name);
	const later = source === null ? null : readWhenAsked(proto, dtype, shape, source);
	return later ?? { dtype, shape, data: elements(proto, dtype, size) };
}

function valueOf(info: ValueInfoProto): Value {
	const type = info.type?.value;
	if (type?.case !== 'tensorType')
		throw new GraphError('unsupported_model', `value "${info.name}" is ${type?.case ?? 'untyped'}, expected a tensor`, info.name);
	const dtype = dtypeOf(type.value.elemType);
	if (dtype === undefined)
		throw new GraphError(
			'unsupported_model',
			`value "${info.name}" has the data type ${type.value.elemType}, which is not supported`,
			info.name,
		);
	if (type.value.shape === undefined)
		throw new GraphError(
			'unknown_shape',
			`value "${info.name}" does not say how many dimensions it has; export it with a shape, or write one into the file in Python: dim = next(v for v in model.graph.input if v.name == "${info.name}").type.tensor_type.shape.dim; dim.add().dim_param = "batch"; dim.add().dim_value = 8`,
			info.name,
		);
	const shape = type.value.shape.dim.map((dim, axis) =>
		dim.value.case === 'dimValue'
			? Number(dim.value.value)
			: dim.value.case === 'dimParam' && dim.value.value !== ''
				? dim.value.value
				: `${info.name}.${axis}`,
	);
	for (const dim of shape)
		if (typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0))
			throw new GraphError('malformed_model', `value "${info.name}" has the impossible shape [${shape}]`, info.name);
	return { name: info.name, dtype, shape };
}

/** Whether it is a tensor whose element type and number of dimensions are given, of a type that we hold. */
const isPlain = ({ type }: ValueInfoProto): boolean =>
	type?.value.case === 'tensorType' && type.value.value.shape !== undefined && dtypeOf(type.value.value.elemType) !== undefined;

/** An output, or an input of a body: both may come without a type, which has to be inferred then. */
function outputOf(info: ValueInfoProto): Value {
	const type = info.type?.value;
	const isKnown = type?.case !== undefined && !(type.case === 'tensorType' && type.value.shape === undefined);
	return isKnown ? valueOf(info) : { name: info.name, dtype: 'float32', shape: [], untyped: true };
}

/** Whether an output may be a tensor of a type that we hold: what it is may also have to be inferred. */
const isHeld = ({ type }: ValueInfoProto): boolean =>
	type?.value.case === undefined || (type.value.case === 'tensorType' && dtypeOf(type.value.value.elemType) !== undefined);

/**
 * The outputs of a model without its strings, sequences and maps, such as the labels and probabilities of scikit-learn's converter: where there are others, nobody
 * need compute these. In a body every output counts.
 */
function outputsOf({ output }: GraphProto, depth: number): Value[] {
	const held = output.filter(isHeld);
	return (depth === 0 && held.length > 0 ? held : output).map(outputOf);
}

function attributeOf(proto: AttributeProto, node: string, depth: number): Attribute {
	switch (proto.type) {
		case A.INT:
			return { type: 'int', value: Number(proto.i) };
		case A.FLOAT:
			return { type: 'float', value: proto.f };
		case A.STRING:
			return { type: 'string', value: utf8.decode(proto.s) };
		case A.TENSOR:
			if (proto.t !== undefined) return { type: 'tensor', value: tensorOf(proto.t) };
			break;
		case A.GRAPH:
			if (proto.g !== undefined) return { type: 'graph', value: graphOf(proto.g, depth + 1) };
			break;
		case A.INTS:
			return { type: 'ints', value: proto.ints.map(Number) };
		case A.FLOATS:
			return { type: 'floats', value: proto.floats };
		case A.STRINGS:
			return { type: 'strings', value: proto.strings.map((bytes) => utf8.decode(bytes)) };
	}
	throw new GraphError(
		'unsupported_model',
		`node "${node}" has the attribute "${proto.name}" of type ${A[proto.type] ?? proto.type}, which is not supported`,
		node,
	);
}

/** The most levels of graphs within graphs; no exporter nests them this deep. */
const DEEPEST = 32;

/** A name under which JavaScript's objects, in which the runtime takes and gives values, hold nothing. */
const UNUSABLE = '__proto__';

function graphOf(proto: GraphProto, depth = 0, source: Source | null = null): Graph {
	if (
		[...proto.input, ...proto.initializer].some(({ name }) => name === UNUSABLE) ||
		proto.node.some(({ output }) => output.includes(UNUSABLE))
	)
		throw new GraphError('unsupported_model', `a value of the model is called "${UNUSABLE}"; give it another name`, UNUSABLE);
	if (depth > DEEPEST)
		throw new GraphError('unsupported_model', `the graphs in the nodes of the model are nested more than ${DEEPEST} deep`);
	if (proto.sparseInitializer.length > 0) throw new GraphError('unsupported_model', 'sparse initializers are not supported');
	const initializers = new Map<string, Tensor>();
	for (const tensor of proto.initializer) {
		if (initializers.has(tensor.name))
			throw new GraphError('malformed_model', `two initializers have the name "${tensor.name}"`, tensor.name);
		initializers.set(tensor.name, tensorOf(tensor, source));
	}
	const names = new Set<string>();
	const nodes: Node[] = proto.node.map((node, i) => {
		// Where the runtime expands an operator it gives two nodes the same name, and then refuses the model that it wrote itself.
		const name = node.name === '' || names.has(node.name) ? `${node.name || node.opType}_${i}` : node.name;
		names.add(name);
		// An Optional without an element says of which type it would be, which nothing needs once it is removed.
		const stated = node.opType === 'Optional' ? node.attribute.filter(({ type }) => type !== A.TYPE_PROTO) : node.attribute;
		const attributes = Object.fromEntries(stated.map((attribute) => [attribute.name, attributeOf(attribute, name, depth)]));
		return { name, op: operatorOf(node.domain, node.opType), inputs: node.input, outputs: node.output, attributes };
	});
	const values = new Map<string, Value>();
	for (const info of proto.valueInfo) if (isPlain(info)) values.set(info.name, valueOf(info));
	// Old exporters list initializers among the inputs as well; there they are constants.
	const inputs = proto.input.filter((input) => !initializers.has(input.name)).map(depth === 0 ? valueOf : outputOf);
	return inOrder({ name: proto.name, nodes, inputs, outputs: outputsOf(proto, depth), initializers, values });
}

export type DecodeOptions = {
	/** The types of 16 bits that become float32: bfloat16 unless given, since the runtime's interface does not have it. */
	widen?: readonly Half[];
	/** Reads the file again: large initializers then hold no numbers, but read them from it each time when they are asked for. */
	readAgain?: ReadAgain;
};

/** Reads a serialised ONNX model; nodes out of order are put in order, and operator sets 7 to 12 become 13. Throws GraphError `malformed_model` or `unsupported_model`, naming the node or value. */
export function decodeModel(bytes: Uint8Array, { widen: types = ['bfloat16'], readAgain }: DecodeOptions = {}): Model {
	let proto: ReturnType<typeof fromBinary<typeof ModelProtoSchema>>;
	try {
		proto = fromBinary(ModelProtoSchema, bytes);
	} catch (error) {
		throw new GraphError('malformed_model', `this is not an ONNX model: ${(error as Error).message}`);
	}
	if (proto.graph === undefined) throw new GraphError('malformed_model', 'the model has no graph');
	const opset = standardOpset(proto.opsetImport);
	if (opset === undefined)
		throw new GraphError('malformed_model', 'the model does not say which version of the standard operator set it uses');
	const halves = widen(proto, types);
	const metadata = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]));
	const labels = exporterLabels(proto.graph);
	const irVersion = Number(proto.irVersion);
	const source = readAgain === undefined ? null : { bytes, readAgain };
	const graph = graphOf(inlineFunctions(proto, proto.graph, opset), 0, source);
	const model = upgraded({ graph, irVersion, opset, metadata, labels, halves });
	return withConstantWeights(model, new Set(proto.graph.node.flatMap(({ output }) => output)));
}
