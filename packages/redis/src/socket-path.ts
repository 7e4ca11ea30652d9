import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes that fit into the system's socket address, without the closing zero. Node cuts a longer path silently. */
const LONGEST = process.platform === 'linux' ? 107 : 103;
const fits = (path: string) => Buffer.byteLength(path) <= LONGEST;

export type SocketPath = {
	path: string;
	/** The folder that was made for the socket alone, or null. */
	folder: string | null;
};

/**
 * Chooses the path of a socket: in `folder`, or where that path is too long in a new private folder (mode 0700) among the temporary files.
 * Throws where even that is too long.
 */
export async function makeSocketPath(folder: string, name: string): Promise<SocketPath> {
	const path = join(folder, name);
	if (fits(path)) return { path, folder: null };
	for (const parent of [tmpdir(), '/tmp']) {
		if (!fits(join(parent, 'steelyard-XXXXXX', name))) continue;
		const made = await mkdtemp(join(parent, 'steelyard-'));
		return { path: join(made, name), folder: made };
	}
	throw new Error(`No folder is short enough for a unix socket of at most ${LONGEST} bytes: set TMPDIR`);
}

/** Removes a socket, and the folder that was made for it. */
export async function removeSocket({ path, folder }: SocketPath): Promise<void> {
	await rm(path, { force: true });
	if (folder !== null) await rm(folder, { recursive: true, force: true });
}
