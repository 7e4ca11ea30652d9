import { open, rename, rm } from 'node:fs/promises';

/** Writes a file, which may be given in parts, whole or not at all, and to the disk: under a temporary name first. */
export async function writeWhole(path: string, content: Uint8Array | string | readonly Uint8Array[]): Promise<void> {
	const temporary = `${path}.part`;
	try {
		const file = await open(temporary, 'w');
		try {
			for (const part of Array.isArray(content) ? (content as readonly Uint8Array[]) : [content as Uint8Array | string])
				await file.writeFile(part);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(temporary, path);
	} catch (error) {
		// On a full disk what was half written takes the room that is needed.
		await rm(temporary, { force: true });
		throw error;
	}
}
