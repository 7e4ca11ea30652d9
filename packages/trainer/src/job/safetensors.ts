import { arrayTypeOf, type DType, sizeOf, type Tensor } from '@steelyard/runtime';

const names: Partial<Record<DType, string>> = { float32: 'F32', float64: 'F64', int32: 'I32', int64: 'I64', uint8: 'U8', uint32: 'U32' };

/** Serialises tensors and string metadata in the safetensors format (github.com/huggingface/safetensors): header length, JSON header, data. */
export function encodeSafetensors(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
	const header: Record<string, unknown> = { __metadata__: metadata };
	let end = 0;
	for (const [name, { dtype, shape, data }] of tensors) {
		const type = names[dtype];
		if (type === undefined) throw new RangeError(`tensor "${name}" is ${dtype}, expected one of ${Object.keys(names).join(', ')}`);
		header[name] = { dtype: type, shape, data_offsets: [end, end + data.byteLength] };
		end += data.byteLength;
	}
	const json = Buffer.from(JSON.stringify(header));
	const padded = Math.ceil(json.length / 8) * 8;
	const bytes = new Uint8Array(8 + padded + end);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
	bytes.fill(0x20, 8, 8 + padded);
	bytes.set(json, 8);
	let offset = 8 + padded;
	for (const { data } of tensors.values()) {
		bytes.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), offset);
		offset += data.byteLength;
	}
	return bytes;
}

/** Reads what `encodeSafetensors` wrote. Throws RangeError for a file that is cut short or is not safetensors. */
export function decodeSafetensors(bytes: Uint8Array): { tensors: Map<string, Tensor>; metadata: Record<string, string> } {
	if (bytes.length < 8) throw new RangeError('not a safetensors file: shorter than its header');
	const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
	if (8 + length > bytes.length) throw new RangeError(`not a safetensors file: a header of ${length} bytes in a file of ${bytes.length}`);
	const header = parsedHeader(Buffer.from(bytes.subarray(8, 8 + length)).toString());
	const data = bytes.subarray(8 + length);
	const tensors = new Map<string, Tensor>();
	for (const [name, entry] of Object.entries(header)) {
		if (name === '__metadata__') continue;
		const { dtype: type, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
		const dtype = (Object.keys(names) as DType[]).find((key) => names[key] === type);
		if (dtype === undefined || !areSizes(shape) || !areSizes(offsets))
			throw new RangeError(`tensor "${name}" is not described as safetensors describes one, or has the type ${String(type)}`);
		const [start = 0, end = 0] = offsets;
		const expected = sizeOf(shape) * arrayTypeOf(dtype).BYTES_PER_ELEMENT;
		if (end - start !== expected || end > data.length)
			throw new RangeError(`tensor "${name}" needs ${expected} bytes, but lies at ${start} to ${end} of ${data.length}`);
		const copy = new Uint8Array(data.subarray(start, end));
		tensors.set(name, { dtype, shape, data: new (arrayTypeOf(dtype))(copy.buffer) });
	}
	return { tensors, metadata: (header['__metadata__'] ?? {}) as Record<string, string> };
}

const areSizes = (value: unknown): value is number[] =>
	Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

function parsedHeader(text: string): Record<string, unknown> {
	let header: unknown;
	try {
		header = JSON.parse(text);
	} catch (error) {
		throw new RangeError(`not a safetensors file: its header is not JSON (${(error as Error).message})`);
	}
	if (typeof header !== 'object' || header === null || Array.isArray(header))
		throw new RangeError('not a safetensors file: its header is not an object');
	return header as Record<string, unknown>;
}
