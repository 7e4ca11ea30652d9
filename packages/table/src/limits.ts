/** How large a table may be. */
export type TableLimits = {
	/** The most bytes of a file that is unpacked. */
	readonly bytes: number;
	/** The largest ratio of the unpacked to the packed size, beyond 16 MiB. */
	readonly ratio: number;
	/** The most columns. */
	readonly columns: number;
	/** The most characters of one row of a text file. */
	readonly row: number;
};

export const TABLE_LIMITS: TableLimits = { bytes: 4 * 2 ** 30, ratio: 200, columns: 4096, row: 16 * 2 ** 20 };
