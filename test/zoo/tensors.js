import { readFile } from 'node:fs/promises';

/** @typedef {{ dtype: string, shape: number[], data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | Uint16Array }} Tensor */

const KINDS = /** @type {const} */ ({
	U8: ['uint8', Uint8Array],
	F16: ['float16', Uint16Array],
	F32: ['float32', Float32Array],
	F64: ['float64', Float64Array],
	I64: ['int64', BigInt64Array],
	I32: ['int32', Int32Array],
	BOOL: ['bool', Uint8Array],
});

/** The tensors of a safetensors file, by name. */
export async function readTensors(/** @type {string} */ path) {
	const bytes = await readFile(path);
	const length = Number(bytes.readBigUInt64LE(0));
	const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
	/** @type {Record<string, Tensor>} */
	const tensors = {};
	for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
		if (name === '__metadata__') continue;
		const [kind, Kind] = KINDS[/** @type {keyof typeof KINDS} */ (dtype)];
		const [from, to] = data_offsets.map((/** @type {number} */ at) => at + 8 + length);
		tensors[name] = { dtype: kind, shape, data: new Kind(new Uint8Array(bytes.subarray(from, to)).buffer) };
	}
	return tensors;
}
