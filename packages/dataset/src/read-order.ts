/** What the thread that reads ahead is asked for. */
export type Order = {
	/** The open file, where the numbers of the array begin in it, and the bytes of a row. */
	readonly fd: number;
	readonly start: number;
	readonly rowBytes: number;
	readonly rows: Uint32Array;
	/** Where the rows go, one behind the other; it may be longer. */
	readonly into: SharedArrayBuffer;
	/** How far the order is, one number in shared memory. */
	readonly progress: Int32Array;
};

/** Nobody has begun; the thread reads; the rows are there; they are not, since reading failed or was called off. */
export const [WAITING, READING, DONE, FAILED] = [0, 1, 2, 3] as const;
