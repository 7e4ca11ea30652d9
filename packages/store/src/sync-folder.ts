import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Writes a folder to the disk. Only then does a new file, a rename or a link in it last through a power cut. */
export async function syncFolder(folder: string): Promise<void> {
	const handle = await open(folder, constants.O_RDONLY);
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}
