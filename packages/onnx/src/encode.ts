import { create, toBinary } from '@bufbuild/protobuf';
import type { Tensor } from '@steelyard/runtime';
import {
	AttributeProto_AttributeType as A,
	type AttributeProto,
	AttributeProtoSchema,
	type GraphProto,
	GraphProtoSchema,
	ModelProtoSchema,
	NodeProtoSchema,
	OperatorSetIdProtoSchema,
	StringStringEntryProtoSchema,
	type TensorProto,
	TensorProtoSchema,
	TensorShapeProto_DimensionSchema,
	TensorShapeProtoSchema,
	TypeProto_TensorSchema,
	TypeProtoSchema,
	type ValueInfoProto,
	ValueInfoProtoSchema,
} from 'onnx-buf';
import { dataTypeOf, int64Of } from './data-types.js';
import { domainsOf, partsOfOperator } from './domains.js';
import type { Attribute, Graph, Model, Value } from './graph.js';

const utf8 = new TextEncoder();
const text = (value: string) => utf8.encode(value) as Uint8Array<ArrayBuffer>;

function tensorProto(name: string, tensor: Tensor): TensorProto {
	const { data, dtype, shape } = tensor;
	const rawData = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
	return create(TensorProtoSchema, { name, dataType: dataTypeOf(dtype), dims: shape.map(BigInt), rawData });
}

function valueInfo({ name, dtype, shape, untyped }: Value): ValueInfoProto {
	if (untyped) return create(ValueInfoProtoSchema, { name });
	const dim = shape.map((d) =>
		create(TensorShapeProto_DimensionSchema, {
			value: typeof d === 'number' ? { case: 'dimValue', value: BigInt(d) } : { case: 'dimParam', value: d },
		}),
	);
	const tensorType = create(TypeProto_TensorSchema, { elemType: dataTypeOf(dtype), shape: create(TensorShapeProtoSchema, { dim }) });
	return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }) });
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
	const { type, value } = attribute;
	switch (type) {
		case 'int':
			return create(AttributeProtoSchema, { name, type: A.INT, i: int64Of(value) });
		case 'float':
			return create(AttributeProtoSchema, { name, type: A.FLOAT, f: value });
		case 'string':
			return create(AttributeProtoSchema, { name, type: A.STRING, s: text(value) });
		case 'tensor':
			return create(AttributeProtoSchema, { name, type: A.TENSOR, t: tensorProto('', value) });
		case 'graph':
			return create(AttributeProtoSchema, { name, type: A.GRAPH, g: graphProto(value) });
		case 'ints':
			return create(AttributeProtoSchema, { name, type: A.INTS, ints: value.map(int64Of) });
		case 'floats':
			return create(AttributeProtoSchema, { name, type: A.FLOATS, floats: [...value] });
		case 'strings':
			return create(AttributeProtoSchema, { name, type: A.STRINGS, strings: value.map(text) });
	}
}

function graphProto(graph: Graph): GraphProto {
	return create(GraphProtoSchema, {
		name: graph.name,
		node: graph.nodes.map((node) =>
			create(NodeProtoSchema, {
				name: node.name,
				...partsOfOperator(node.op),
				input: [...node.inputs],
				output: [...node.outputs],
				attribute: Object.entries(node.attributes).map(([name, attribute]) => attributeProto(name, attribute)),
			}),
		),
		input: graph.inputs.map(valueInfo),
		output: graph.outputs.map(valueInfo),
		initializer: [...graph.initializers].map(([name, tensor]) => tensorProto(name, tensor)),
	});
}

/** Serialises a model as ONNX protobuf. The bytes are a function of the model alone. With `outputs` it has these outputs, without types, instead of its own. */
export function encodeModel(model: Model, outputs?: readonly string[]): Uint8Array {
	const graph = graphProto(model.graph);
	if (outputs !== undefined) graph.output = outputs.map((name) => create(ValueInfoProtoSchema, { name }));
	return toBinary(
		ModelProtoSchema,
		create(ModelProtoSchema, {
			irVersion: 8n,
			producerName: 'steelyard',
			opsetImport: [['', model.opset] as const, ...domainsOf(model.graph)].map(([domain, version]) =>
				create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
			),
			graph,
			metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
		}),
	);
}
