/** How large an uploaded dataset may be. */
export type Limits = {
	/** The most bytes of all files that are read, and of all arrays that are written from them. */
	readonly bytes: number;
	/** The most entries of a folder or archive. */
	readonly entries: number;
	/** The largest ratio of the unpacked to the packed size of an archive, where it unpacks to 16 MiB or more. */
	readonly ratio: number;
	/** The most bytes of `manifest.json`. */
	readonly manifest: number;
	/** The most modalities. */
	readonly modalities: number;
	/** The most splits. */
	readonly splits: number;
	/** The most classes or labels of all splits together: each split counts each of them. */
	readonly counts: number;
	/** The most groups. */
	readonly groups: number;
};

export const DEFAULT_LIMITS: Limits = {
	bytes: 4 * 2 ** 30,
	entries: 4096,
	ratio: 200,
	manifest: 2 ** 20,
	modalities: 256,
	splits: 64,
	counts: 1_000_000,
	groups: 1_000_000,
};
