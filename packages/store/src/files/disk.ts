import { statfs } from 'node:fs/promises';

/** The bytes of the disk on which a folder lies, and how many of them can still be written. */
export async function spaceOfDisk(folder: string): Promise<{ free: number; total: number }> {
	const { bavail, blocks, bsize } = await statfs(folder);
	return { free: bavail * bsize, total: blocks * bsize };
}
