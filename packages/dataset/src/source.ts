import { stat } from 'node:fs/promises';
import { openArchive } from './archive.js';
import { openFolder } from './folder.js';
import type { Limits } from './limits.js';
import type { Source } from './member.js';

/** Opens a folder, or a `.zip` or `.npz` file, without reading any member. */
export async function openSource(path: string, limits: Limits): Promise<Source> {
	return (await stat(path)).isDirectory() ? openFolder(path, limits) : openArchive(path, limits);
}
