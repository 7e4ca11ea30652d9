import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.js';

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code;

/** Makes a folder for this user alone, if it is absent; tells whether it was. */
const makeOne = (folder: string): Promise<boolean> =>
	mkdir(folder, { mode: 0o700 }).then(
		() => true,
		(error: unknown) => {
			if (codeOf(error) === 'EEXIST') return false;
			throw error;
		},
	);

/** Makes a folder for this user alone, and those above it that are absent. The recursion of `mkdir` itself never ends for a folder below /proc. */
export async function makeFolder(folder: string): Promise<void> {
	const isNew = await makeOne(folder).catch(async (error: unknown) => {
		if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
		await makeFolder(dirname(folder));
		return makeOne(folder);
	});
	if (isNew) await syncFolder(dirname(folder));
}
