import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { ProblemError } from '@steelyard/contracts';
import { namesOf } from '../key.js';
import { syncFolder } from '../sync-folder.js';

/** A file that never changes, and where its bytes are read from. */
export type CachedFile = {
	/** Its path below the folder: one or more names joined by `/`. */
	name: string;
	bytes: number;
	/** Lower-case hexadecimal. */
	sha256: string;
	read(): Promise<Readable>;
};

/** What files hold, whoever they are read from: the hash of their names, sizes and hashes. */
export function contentOf(files: readonly CachedFile[]): string {
	const lines = files.map(({ name, bytes, sha256 }) => JSON.stringify([name, bytes, sha256])).sort();
	return createHash('sha256').update(lines.join('\n')).digest('hex');
}

/** Writes a file into a folder, to the disk. Throws ProblemError `unavailable` where what is read is not what was named. */
export async function arrive(folder: string, { name, bytes, sha256, read }: CachedFile): Promise<void> {
	const path = join(folder, ...namesOf(name));
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const hash = createHash('sha256');
	let got = 0;
	const handle = await open(path, 'wx', 0o400);
	try {
		const stream = await read();
		for await (const chunk of stream) {
			got += (chunk as Buffer).byteLength;
			// What is too long could fill the disk before its hash is known.
			if (got > bytes) break;
			hash.update(chunk as Buffer);
			await handle.writeFile(chunk as Buffer);
		}
		await handle.sync();
	} finally {
		await handle.close();
	}
	await syncFolder(dirname(path));
	const found = hash.digest('hex');
	if (got !== bytes || found !== sha256)
		throw new ProblemError(
			'unavailable',
			`What came for ${name} is not what was asked for: ${got > bytes ? 'more than ' : ''}${Math.min(got, bytes)} bytes with SHA-256 ${found}, expected ${bytes} with ${sha256}`,
		);
}
