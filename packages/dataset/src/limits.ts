/** What an uploaded dataset may cost. */
export type Limits = {
	/** Largest sum of the sizes of the files that are read, and of the arrays written from them, in bytes. */
	readonly bytes: number;
	/** Largest number of entries of a folder or archive. */
	readonly entries: number;
	/** Largest unpacked size of an archive over its packed size; not asked of archives that unpack to less than 16 MiB. */
	readonly ratio: number;
};

export const DEFAULT_LIMITS: Limits = { bytes: 4 * 2 ** 30, entries: 4096, ratio: 200 };

/** Below this unpacked size an archive may have any ratio: a mask of ones packs a thousandfold, and does no harm. */
export const RATIO_FREE_BYTES = 16 * 2 ** 20;
