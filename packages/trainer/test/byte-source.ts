import type { ByteSource } from '../src/job/safetensors.js';

/** Bytes in memory as a file that is read piece by piece. */
export const byteSource = (bytes: Uint8Array): ByteSource => ({
	length: bytes.length,
	read: (start, end) => Uint8Array.from(bytes.subarray(start, end)),
});
