import type { CanonicalArray } from './canonical-type.js';
import type { StoredArray } from './stored-array.js';

/** Copies rows, in the order given, one after the other into `out`, of the type of the array, from `offset` (in values); `out` must have room. */
export type Gather = (rows: ArrayLike<number>, out: CanonicalArray, offset?: number) => void;

/** Calls `copy(row, count, at)` for each run of consecutive rows. Throws RangeError for a row that is not there, and where `out` has no room. */
function eachRun(
	what: string,
	total: number,
	rowSize: number,
	rows: ArrayLike<number>,
	out: CanonicalArray,
	offset: number,
	copy: (row: number, count: number, at: number) => void,
): void {
	if (offset < 0 || offset + rows.length * rowSize > out.length)
		throw new RangeError(`${what}: ${rows.length} rows of ${rowSize} values do not fit ${out.length} values from ${offset}`);
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i] as number;
		if (!Number.isInteger(row) || row < 0 || row >= total)
			throw new RangeError(`${what}: expected a row from 0 to ${total - 1}, found ${row}`);
	}
	for (let i = 0; i < rows.length; ) {
		const row = rows[i] as number;
		let count = 1;
		while (i + count < rows.length && rows[i + count] === row + count) count++;
		copy(row, count, offset + i * rowSize);
		i += count;
	}
}

/** Up to this many values a loop is faster than a view and a block copy. */
const SMALL = 32;

/** Gathers from an array `[total, rowSize]` in memory. */
export const gatherFromMemory =
	(what: string, values: CanonicalArray, total: number, rowSize: number): Gather =>
	(rows, out, offset = 0) =>
		eachRun(what, total, rowSize, rows, out, offset, (row, count, at) => {
			const start = row * rowSize;
			const length = count * rowSize;
			if (length > SMALL) out.set(values.subarray(start, start + length) as never, at);
			else for (let i = 0; i < length; i++) out[at + i] = values[start + i] as never;
		});

/** Gathers from an array `[total, rowSize]` on disk, with one read per run of consecutive rows. */
export const gatherFromFile =
	<A extends CanonicalArray>(what: string, file: StoredArray<A>, total: number, rowSize: number): Gather =>
	(rows, out, offset = 0) =>
		eachRun(what, total, rowSize, rows, out, offset, (row, count, at) =>
			file.read(row * rowSize, out.subarray(at, at + count * rowSize) as A),
		);
