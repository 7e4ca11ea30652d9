import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Limits } from './limits.js';
import type { Member, Source } from './member.js';
import { refusal } from './refusal.js';

const CHUNK_BYTES = 1 << 18;

async function* fileChunks(path: string, name: string): AsyncGenerator<Uint8Array> {
	// the file may have been exchanged since it was listed: a link is not followed, and a pipe is not waited for
	const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
	try {
		if (!(await file.stat()).isFile()) throw refusal(name, 'a regular file', 'another kind of file');
		const chunk = new Uint8Array(CHUNK_BYTES);
		for (;;) {
			const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES);
			if (bytesRead === 0) return;
			yield chunk.subarray(0, bytesRead);
		}
	} finally {
		await file.close();
	}
}

/** The files directly in a folder. Folders inside it are ignored; a link, device, pipe or socket is refused when it is read. */
export async function openFolder(folder: string, limits: Limits): Promise<Source> {
	const names = await readdir(folder);
	if (names.length > limits.entries) throw refusal('The folder', `at most ${limits.entries} files`, `${names.length}`);
	const members = new Map<string, Member>();
	for (const name of names.sort()) {
		const path = join(folder, name);
		const found = await lstat(path);
		if (found.isDirectory()) continue;
		const kind = found.isFile() ? null : found.isSymbolicLink() ? 'a symbolic link' : 'a device, pipe or socket';
		members.set(name, {
			name,
			bytes: found.size,
			chunks: () => {
				if (kind !== null) throw refusal(name, 'a regular file', kind);
				return fileChunks(path, name);
			},
		});
	}
	return { members, close: () => {} };
}
