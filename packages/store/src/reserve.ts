import type { StoreFiles } from './files/files.js';

/** The bytes of the disk of a store that are free, that there are, and that are kept for the jobs that run. */
export type Space = { free: number; total: number; kept: number };

/** What is kept free unless configured: 1 GB or 2 % of the disk, whichever is more, and at most a tenth of a small disk. */
const standard = (total: number): number => Math.min(Math.max(1e9, total / 50), total / 10);

/** The room on the disk of the files of a store, of which `reserve` bytes are kept for running jobs; null keeps the standard reserve. */
export async function spaceOf(files: Pick<StoreFiles, 'space'>, reserve: number | null): Promise<Space> {
	const { free, total } = await files.space();
	return { free, total, kept: reserve ?? standard(total) };
}
