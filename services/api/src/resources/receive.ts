import type { Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { ProblemError } from '@steelyard/contracts';

/** A client that sends nothing for so long, in milliseconds, is given up. */
const STALL = 120_000;

/**
 * Writes a body to a new file, gives its bytes, and has `hash` take them. Throws ProblemError `too_large` past `limit` bytes, `invalid_request` for an empty body, one that was cut or one
 * that stalls. The source is not destroyed by a refusal, since its socket has to carry the answer.
 */
export async function receive(source: Readable, path: string, limit: number, hash?: Hash): Promise<number> {
	const file = await open(path, 'wx', 0o600);
	let bytes = 0;
	const stall = setTimeout(() => source.destroy(new Error('nothing was received for two minutes')), STALL);
	try {
		for await (const chunk of source.iterator({ destroyOnReturn: false })) {
			stall.refresh();
			bytes += chunk.length;
			if (bytes > limit) throw new ProblemError('too_large', `An upload may have ${limit} bytes`, 'file');
			hash?.update(chunk);
			for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
		}
	} catch (error) {
		const { syscall } = error as NodeJS.ErrnoException;
		// Errors of the file are ours; all others are the sender's, who cannot read the answer but whom the log should not blame on us.
		if (error instanceof ProblemError || syscall === 'write') throw error;
		throw new ProblemError('invalid_request', `The upload broke off after ${bytes} bytes: ${(error as Error).message}`, 'file');
	} finally {
		clearTimeout(stall);
		await file.close();
	}
	if (bytes === 0) throw new ProblemError('invalid_request', 'The upload is empty', 'file');
	return bytes;
}

/** How much of a refused body is still read, so that a client which writes all before it reads can see the answer. */
const REST = 256 * 1024 ** 2;

/** Throws the rest of a body away, within bounds; past them the connection is cut. */
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
