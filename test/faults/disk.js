import { execFile } from 'node:child_process';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MiB = 2 ** 20;
/** Bytes of the disk; the data folder of a schedule takes a tenth of it. */
const SIZE = 96 * MiB;

/** Mounts a small disk at a folder that is there. Resolves with null where the system does not allow it: Linux, and root, are needed. */
export async function openDisk(/** @type {string} */ folder) {
	try {
		await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'tmpfs', folder]);
	} catch {
		return null;
	}
	const filling = join(folder, 'logs', 'filling');
	return {
		/** Takes all the room that there is. */
		async fill() {
			await mkdir(dirname(filling), { recursive: true });
			const file = await open(filling, 'w');
			const block = Buffer.alloc(MiB);
			try {
				for (let size = block.length; size >= 1; )
					try {
						await file.write(block, 0, size);
					} catch (error) {
						if (error.code !== 'ENOSPC') throw error;
						size = Math.floor(size / 2);
					}
			} finally {
				await file.close();
			}
		},
		clear: () => rm(filling, { force: true }),
		/** Takes the disk away, with all that lies on it. */
		close: () => run('umount', ['-l', folder]),
	};
}
