import { arrayTypeOf, type DType, sizeOf, type Tensor } from '@steelyard/runtime';

const names: Partial<Record<DType, string>> = { float32: 'F32', float64: 'F64', int32: 'I32', int64: 'I64', uint8: 'U8', uint32: 'U32' };

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/**
 * A file in the safetensors format (github.com/huggingface/safetensors) as the parts that it consists of, one after another: header length and JSON header, then the
 * bytes of each tensor, which are not copied.
 */
export function safetensorsParts(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array[] {
	const header: Record<string, unknown> = { __metadata__: metadata };
	let end = 0;
	for (const [name, { dtype, shape, data }] of tensors) {
		const type = names[dtype];
		if (type === undefined) throw new RangeError(`tensor "${name}" is ${dtype}, expected one of ${Object.keys(names).join(', ')}`);
		header[name] = { dtype: type, shape, data_offsets: [end, end + data.byteLength] };
		end += data.byteLength;
	}
	const json = Buffer.from(JSON.stringify(header));
	const start = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
	start.writeBigUInt64LE(BigInt(start.length - 8));
	json.copy(start, 8);
	return [start, ...[...tensors.values()].map(bytesOf)];
}

/** Bytes that are read piece by piece: `read` gives those from `start` up to `end` in an array of its own, or fewer where they end before. */
export type ByteSource = { readonly length: number; read(start: number, end: number): Uint8Array };

/** Where a tensor lies in a safetensors file: its bytes from `start` up to `end`, counted from the beginning of the file. */
export type StoredTensor = { readonly dtype: DType; readonly shape: readonly number[]; readonly start: number; readonly end: number };

/** What the header of a safetensors file says. Throws RangeError for a file that is cut short or is not safetensors. */
export function safetensorsHeader({ length, read }: ByteSource): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
	if (length < 8) throw new RangeError('not a safetensors file: shorter than its header');
	const headerBytes = Number(Buffer.from(read(0, 8)).readBigUInt64LE());
	if (8 + headerBytes > length) throw new RangeError(`not a safetensors file: a header of ${headerBytes} bytes in a file of ${length}`);
	const header = parsedHeader(Buffer.from(read(8, 8 + headerBytes)).toString());
	const dataStart = 8 + headerBytes;
	const tensors = new Map<string, StoredTensor>();
	for (const [name, entry] of Object.entries(header)) {
		if (name === '__metadata__') continue;
		const { dtype: type, shape, data_offsets: offsets } = (entry ?? {}) as { dtype?: unknown; shape?: unknown; data_offsets?: unknown };
		const dtype = (Object.keys(names) as DType[]).find((key) => names[key] === type);
		if (dtype === undefined || !areSizes(shape) || !areSizes(offsets))
			throw new RangeError(`tensor "${name}" is not described as safetensors describes one, or has the type ${String(type)}`);
		const [start = 0, end = 0] = offsets;
		const expected = sizeOf(shape) * arrayTypeOf(dtype).BYTES_PER_ELEMENT;
		if (end - start !== expected || dataStart + end > length)
			throw new RangeError(`tensor "${name}" needs ${expected} bytes, but lies at ${start} to ${end} of ${length - dataStart}`);
		tensors.set(name, { dtype, shape, start: dataStart + start, end: dataStart + end });
	}
	return { tensors, metadata: (header['__metadata__'] ?? {}) as Record<string, string> };
}

/** Reads a tensor that `safetensorsHeader` found in the same file. */
export function readTensor({ read }: ByteSource, { dtype, shape, start, end }: StoredTensor): Tensor {
	const { buffer, byteOffset } = read(start, end);
	return { dtype, shape, data: new (arrayTypeOf(dtype))(buffer as ArrayBuffer, byteOffset, sizeOf(shape)) };
}

/** Reads what `safetensorsParts` made. Throws RangeError for a file that is cut short or is not safetensors. */
export function decodeSafetensors(file: ByteSource): { tensors: Map<string, Tensor>; metadata: Record<string, string> } {
	const { tensors, metadata } = safetensorsHeader(file);
	return { tensors: new Map([...tensors].map(([name, stored]) => [name, readTensor(file, stored)])), metadata };
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
