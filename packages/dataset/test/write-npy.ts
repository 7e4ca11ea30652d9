import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const PACKERS = {
	'<f4': (value: number) => Buffer.from(Float32Array.of(value).buffer),
	'<f8': (value: number) => Buffer.from(Float64Array.of(value).buffer),
	'<f2': (bits: number) => Buffer.from(Uint16Array.of(bits).buffer),
	'<i4': (value: number) => Buffer.from(Int32Array.of(value).buffer),
	'<i2': (value: number) => Buffer.from(Int16Array.of(value).buffer),
	'<u2': (value: number) => Buffer.from(Uint16Array.of(value).buffer),
	'<u4': (value: number) => Buffer.from(Uint32Array.of(value).buffer),
	'<u8': (value: number | bigint) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer),
	'<i8': (value: number | bigint) => Buffer.from(BigInt64Array.of(BigInt(value)).buffer),
	'|i1': (value: number) => Buffer.from(Int8Array.of(value).buffer),
	'|u1': (value: number) => Buffer.of(value),
	'|b1': (value: number) => Buffer.of(value),
};

export type Descr = keyof typeof PACKERS;

/** The bytes of an `.npy` file; float16 values are given as their bits. */
export function npy(descr: Descr, shape: number[], values: ArrayLike<number | bigint>, header?: string): Buffer {
	const text = header ?? `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
	const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
	const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8]);
	return Buffer.concat([
		prefix,
		Buffer.from(padded, 'latin1'),
		...Array.from(values, PACKERS[descr] as (value: number | bigint) => Buffer),
	]);
}

/** The files of a dataset by name: bytes, or text. */
export type Files = Record<string, Buffer | string>;

export async function writeFiles(folder: string, files: Files): Promise<void> {
	for (const [name, contents] of Object.entries(files)) await writeFile(join(folder, name), contents);
}

/** Two splits of four and two rows, one vector modality of two features, two classes. */
export const small = (): Files => ({
	'train_x.npy': npy('<f4', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
	'train_labels.npy': npy('<i8', [4], [0, 1, 0, 1]),
	'test_x.npy': npy('<f4', [2, 2], [9, 10, 11, 12]),
	'test_labels.npy': npy('<i8', [2], [1, 0]),
});

/** The values of canonical bytes. */
export const floatsOf = (bytes: Buffer): number[] => [
	...new Float32Array(Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8))).buffer),
];
