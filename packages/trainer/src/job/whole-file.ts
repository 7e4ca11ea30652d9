import { open, rename } from 'node:fs/promises';

/** Writes a file whole or not at all, and to the disk: under a temporary name first. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
	const temporary = `${path}.part`;
	const file = await open(temporary, 'w');
	try {
		await file.writeFile(content);
		await file.sync();
	} finally {
		await file.close();
	}
	await rename(temporary, path);
}
