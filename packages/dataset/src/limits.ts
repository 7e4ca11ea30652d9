/** How large an uploaded dataset may be. */
export type Limits = {
	/** The most bytes of all files that are read, and of all arrays that are written from them. */
	readonly bytes: number;
	/** The most entries of a folder or archive. */
	readonly entries: number;
	/** The largest ratio of the unpacked to the packed size of an archive, where it unpacks to 16 MiB or more. */
	readonly ratio: number;
};

export const DEFAULT_LIMITS: Limits = { bytes: 4 * 2 ** 30, entries: 4096, ratio: 200 };
