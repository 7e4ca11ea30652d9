import { ProblemError } from '@steelyard/contracts';
import { type Space, type StoreFiles, spaceOf } from '@steelyard/store';

/** Sees that the disk keeps room for the jobs that run. */
export type Room = {
	/** Throws ProblemError `insufficient_storage` with the numbers where less is free than is kept for running jobs, or would be after `bytes` more. */
	expect(bytes?: number): Promise<void>;
	/** The bytes of the disk that are free, that there are, and that are kept for running jobs. */
	state(): Promise<Space>;
};

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** Keeps `reserve` bytes of the disk of the files of a store free from uploads and new jobs; null keeps the standard reserve. */
export function createRoom(files: StoreFiles, reserve: number | null): Room {
	const state = () => spaceOf(files, reserve);
	return { state, expect };

	async function expect(bytes = 0): Promise<void> {
		const { free, total, kept } = await state();
		if (free - bytes >= kept) return;
		throw new ProblemError(
			'insufficient_storage',
			`${gigabytes(free)} of the ${gigabytes(total)} of the disk are free, of which ${gigabytes(kept)} are kept for the jobs that run${bytes > 0 ? `, too few for ${gigabytes(bytes)} more` : ''}; delete datasets, models or jobs that are no longer needed`,
		);
	}
}
