import { readSync } from 'node:fs';

/** The most bytes of one read: the system reads at most 2 GiB at once. */
const READ_BYTES = 2 ** 30;

/** Fills `into` from `position` on in an open file. Blocks. Returns the bytes that it found, which are fewer only where the file ends. */
export function readFully(fd: number, into: Uint8Array, position: number): number {
	let done = 0;
	for (let count = -1; count !== 0 && done < into.length; done += count)
		count = readSync(fd, into, done, Math.min(READ_BYTES, into.length - done), position + done);
	return done;
}
