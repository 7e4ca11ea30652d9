import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Tensor } from '@steelyard/runtime';
import { type GraphProto, ModelProtoSchema, type TensorProto } from 'onnx-buf';
import { dataTypeOf, dtypeOf } from './data-types.js';
import { GraphError } from './graph.js';
import { roundedTo } from './halves.js';

function replace(proto: TensorProto, { dtype, shape, data }: Tensor): void {
	const refuse = (expected: unknown, found: unknown): never => {
		throw new GraphError('malformed_model', `the initializer "${proto.name}" is ${expected}, found ${found}`, proto.name);
	};
	const rounded = dtype === 'float32' ? roundedTo(proto.dataType, { dtype, shape, data }) : null;
	if (dataTypeOf(dtype) !== proto.dataType && rounded === null) refuse(dtypeOf(proto.dataType) ?? `of data type ${proto.dataType}`, dtype);
	if (shape.length !== proto.dims.length || shape.some((dim, axis) => BigInt(dim) !== proto.dims[axis]))
		refuse(`of shape [${proto.dims}]`, `[${shape}]`);
	if (proto.externalData.length > 0) refuse('kept in another file', 'no numbers to replace');
	proto.floatData = [];
	proto.doubleData = [];
	proto.int32Data = [];
	proto.int64Data = [];
	proto.uint64Data = [];
	proto.rawData = rounded ?? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** The tensors of a graph by the name of their value: of its Constant nodes and of its initializers. */
function tensorsOf(graph: GraphProto | undefined): Map<string, TensorProto> {
	const constants = (graph?.node ?? []).flatMap(({ opType, output, attribute }): Array<[string, TensorProto]> => {
		const value = opType === 'Constant' ? attribute.find(({ name }) => name === 'value')?.t : undefined;
		return value === undefined ? [] : [[output[0] ?? '', value]];
	});
	return new Map([...constants, ...(graph?.initializer ?? []).map((proto): [string, TensorProto] => [proto.name, proto])]);
}

/**
 * The serialised model with other numbers in the named initializers and Constant nodes of its main graph; names, order and everything else stay as they are, and float32
 * numbers are rounded where the file has float16 or bfloat16. Throws GraphError
 * `malformed_model` for bytes that are no model, for a name that no initializer has, and for an element type or shape that is not that of the initializer.
 */
export function replaceInitializers(bytes: Uint8Array, values: ReadonlyMap<string, Tensor>): Uint8Array {
	let model: ReturnType<typeof fromBinary<typeof ModelProtoSchema>>;
	try {
		model = fromBinary(ModelProtoSchema, bytes);
	} catch (error) {
		throw new GraphError('malformed_model', `this is not an ONNX model: ${(error as Error).message}`);
	}
	const initializers = tensorsOf(model.graph);
	for (const [name, value] of values) {
		const proto = initializers.get(name);
		if (proto === undefined) {
			const known = [...initializers.keys()].map((known) => `"${known}"`).join(', ');
			throw new GraphError('malformed_model', `the model has no initializer "${name}"; it has ${known || 'none'}`, name);
		}
		replace(proto, value);
	}
	return toBinary(ModelProtoSchema, model);
}
