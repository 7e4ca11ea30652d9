import { readSync } from 'node:fs';

/** The most bytes of one read: the system reads less than 2 GiB at once. */
const READ_BYTES = 2 ** 30;

/** The bytes of an open file from `start` up to `end`, in an array of their own; fewer where the file ends before. */
export function readBytes(file: number, start: number, end: number): Uint8Array {
	const bytes = new Uint8Array(end - start);
	let done = 0;
	for (let count = -1; count !== 0 && done < bytes.length; done += count)
		count = readSync(file, bytes, done, Math.min(READ_BYTES, bytes.length - done), start + done);
	return bytes.subarray(0, done);
}
