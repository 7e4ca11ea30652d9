import type { Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { ProblemError } from '@steelyard/contracts';
import type { Room } from './room.js';

/** After how many milliseconds in which a client sends nothing its upload is ended. */
const STALL = 120_000;

async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
	for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}

export type ReceiveOptions = {
	/** The most bytes that it may have. */
	limit: number;
	room: Room;
	/** Sees whether as many bytes may be taken. */
	quota(bytes: number): Promise<void>;
	hash?: Hash;
};

/** After how many bytes it is seen again whether there is room. */
const LOOK_EVERY = 64 * 1024 ** 2;

/**
 * Writes a body to a new file, updates `hash` with it, and gives its size in bytes. Throws ProblemError `too_large` if it has more than `limit` bytes,
 * `insufficient_storage` when it leaves too little room, what `quota` throws, and `invalid_request` if it is empty, breaks off or stalls. A refusal leaves the source open, because its socket has to carry the answer.
 */
export async function receive(source: Readable, path: string, { limit, room, quota, hash }: ReceiveOptions): Promise<number> {
	const file = await open(path, 'wx', 0o600);
	let bytes = 0;
	const stall = setTimeout(() => source.destroy(new Error('nothing was received for two minutes')), STALL);
	try {
		for await (const chunk of source.iterator({ destroyOnReturn: false })) {
			stall.refresh();
			if (Math.floor(bytes / LOOK_EVERY) !== Math.floor((bytes + chunk.length) / LOOK_EVERY)) {
				await room.expect();
				await quota(bytes + chunk.length);
			}
			bytes += chunk.length;
			if (bytes > limit) throw new ProblemError('too_large', `An upload may have ${limit} bytes`, 'file');
			const written = writeWhole(file, chunk);
			hash?.update(chunk); // while the system writes
			await written;
		}
	} catch (error) {
		const { syscall } = error as NodeJS.ErrnoException;
		// An error of the file is the fault of this service. Any other is that of the client: the answer will not reach it, but the log should not call it ours.
		if (error instanceof ProblemError || syscall === 'write') throw error;
		throw new ProblemError('invalid_request', `The upload broke off after ${bytes} bytes: ${(error as Error).message}`, 'file');
	} finally {
		clearTimeout(stall);
		await file.close();
	}
	if (bytes === 0) throw new ProblemError('invalid_request', 'The upload is empty', 'file');
	await quota(bytes);
	return bytes;
}

/** How many bytes of a refused body are still read. A client that reads only after it has written everything can then see the answer. */
const REST = 256 * 1024 ** 2;

/** Reads the rest of a body and drops it. If there is too much of it, or it stalls, the connection is cut. */
export function discard(source: Readable): void {
	if (source.destroyed || source.readableEnded) return;
	let bytes = 0;
	const stall = setTimeout(() => source.destroy(), 10_000);
	source.on('data', (chunk: Buffer) => {
		bytes += chunk.length;
		if (bytes > REST) source.destroy();
	});
	source.once('close', () => clearTimeout(stall));
	source.once('end', () => clearTimeout(stall));
	source.on('error', () => source.destroy());
	source.unpipe();
	source.resume();
}
