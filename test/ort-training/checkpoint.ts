import { Builder } from 'flatbuffers';

/** Values of a parameter, by the name that it has in the training model. */
export type Parameter = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array };

const FLOAT = 1;
const VERSION = 2;

// The fields of ort.fbs and ort_training_checkpoint.fbs (onnxruntime 1.19) by their places in the tables.
const TENSOR = { fields: 7, name: 0, dims: 2, dataType: 3, rawData: 4 };
const MODULE = { fields: 4, trainable: 0, frozen: 1 };
const CHECKPOINT = { fields: 4, version: 0, module: 1 };

function offsets(b: Builder, items: readonly number[]): number {
	b.startVector(4, items.length, 4);
	for (const item of items.toReversed()) b.addOffset(item);
	return b.endVector();
}

function tensorTable(b: Builder, { name, shape, values }: Parameter): number {
	const label = b.createString(name);
	b.startVector(8, shape.length, 8);
	for (const size of shape.toReversed()) b.addInt64(BigInt(size));
	const dims = b.endVector();
	const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
	b.startVector(1, bytes.length, 16);
	for (const byte of bytes.toReversed()) b.addInt8(byte);
	const data = b.endVector();
	b.startObject(TENSOR.fields);
	b.addFieldOffset(TENSOR.name, label, 0);
	b.addFieldOffset(TENSOR.dims, dims, 0);
	b.addFieldInt32(TENSOR.dataType, FLOAT, 0);
	b.addFieldOffset(TENSOR.rawData, data, 0);
	return b.endObject();
}

/** A checkpoint ("ODTC", version 2) of ONNX Runtime 1.18 and 1.19 that holds trainable parameters and nothing else. */
export function checkpointOf(parameters: readonly Parameter[]): Uint8Array {
	const b = new Builder();
	const tensors = parameters.map((parameter) => tensorTable(b, parameter));
	const trainable = offsets(b, tensors);
	const frozen = offsets(b, []);
	b.startObject(MODULE.fields);
	b.addFieldOffset(MODULE.trainable, trainable, 0);
	b.addFieldOffset(MODULE.frozen, frozen, 0);
	const module = b.endObject();
	b.startObject(CHECKPOINT.fields);
	b.addFieldInt32(CHECKPOINT.version, VERSION, 0);
	b.addFieldOffset(CHECKPOINT.module, module, 0);
	b.finish(b.endObject(), 'ODTC');
	return b.asUint8Array().slice();
}
