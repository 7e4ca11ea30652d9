import type { Tensor } from '@steelyard/runtime';
import { tensor } from '@steelyard/runtime';
import {
	type AttributeProto,
	type GraphProto,
	type ModelProto,
	TensorProto_DataType as T,
	type TensorProto,
	type ValueInfoProto,
} from 'onnx-buf';
import { fromHalf } from './numbers.js';

/** A floating type of 16 bits. */
export type Half = (typeof HALVES)[number];
export const HALVES = ['float16', 'bfloat16'] as const;

const halves = new Map<number, Half>([
	[T.FLOAT16, 'float16'],
	[T.BFLOAT16, 'bfloat16'],
]);

/** The attributes that say an element type. */
const TYPES: ReadonlySet<string> = new Set(['to', 'dtype', 'output_dtype', 'stash_type']);

const fromBfloat16 = (bits: Uint16Array): Float32Array => new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);

/** The bits of the nearest bfloat16, halves to even. */
function bfloat16Bits(values: Float32Array): Uint16Array {
	const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
	return Uint16Array.from(bits, (whole, i) =>
		Number.isNaN(values[i]) ? 0x7fc0 : Math.floor((whole + 0x7fff + ((whole >>> 16) & 1)) / 0x10000),
	);
}

/** The bytes of float32 numbers in a type of 16 bits, rounded to the nearest; null where `dataType` is no such type. */
export function roundedTo(dataType: number, { data, shape }: Tensor): Uint8Array<ArrayBuffer> | null {
	const half = halves.get(dataType);
	if (half === undefined) return null;
	const bits = half === 'bfloat16' ? bfloat16Bits(data as Float32Array) : (tensor('float16', shape, data).data as Uint16Array);
	return new Uint8Array(bits.buffer as ArrayBuffer, bits.byteOffset, bits.byteLength);
}

function widenTensor(proto: TensorProto): void {
	if (proto.rawData.length % 2 === 1) return; // no numbers of 16 bits: whoever reads it says so
	const bits = proto.rawData.length > 0 ? new Uint16Array(new Uint8Array(proto.rawData).buffer) : Uint16Array.from(proto.int32Data);
	const numbers = proto.dataType === T.BFLOAT16 ? fromBfloat16(bits) : Float32Array.from(bits, fromHalf);
	proto.rawData = new Uint8Array(numbers.buffer as ArrayBuffer);
	proto.int32Data = [];
	proto.dataType = T.FLOAT;
}

/**
 * Makes float32 what a parsed model has in some types of 16 bits: tensors, types of values, and types to which nodes convert. Gives the initializers, inputs and
 * outputs of the main graph that were of such a type.
 */
export function widen(model: ModelProto, types: readonly Half[]): ReadonlyMap<string, Half> {
	const found = new Map<string, Half>();
	const halfOf = (dataType: number): Half | undefined => {
		const half = halves.get(dataType);
		return half !== undefined && types.includes(half) ? half : undefined;
	};
	const tensorProto = (proto: TensorProto, isOfModel: boolean): void => {
		const half = halfOf(proto.dataType);
		if (half === undefined) return;
		if (isOfModel) found.set(proto.name, half);
		widenTensor(proto);
	};
	const value = ({ name, type }: ValueInfoProto, isOfModel: boolean): void => {
		if (type?.value.case !== 'tensorType') return;
		const half = halfOf(type.value.value.elemType);
		if (half === undefined) return;
		if (isOfModel) found.set(name, half);
		type.value.value.elemType = T.FLOAT;
	};
	const attribute = (proto: AttributeProto): void => {
		if (TYPES.has(proto.name) && halfOf(Number(proto.i)) !== undefined) proto.i = BigInt(T.FLOAT);
		if (proto.t !== undefined) tensorProto(proto.t, false);
		if (proto.g !== undefined) graph(proto.g, false);
	};
	const graph = (proto: GraphProto, isMain: boolean): void => {
		for (const one of proto.initializer) tensorProto(one, isMain);
		for (const one of [...proto.input, ...proto.output]) value(one, isMain);
		for (const one of proto.valueInfo) value(one, false);
		for (const node of proto.node) node.attribute.forEach(attribute);
	};
	if (model.graph !== undefined) graph(model.graph, true);
	for (const { node } of model.functions) for (const { attribute: attributes } of node) attributes.forEach(attribute);
	return found;
}
