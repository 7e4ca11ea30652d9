import type { CanonicalArray } from './canonical-type.js';
import type { AheadOfArray } from './read-ahead.js';
import { eachRun } from './runs.js';
import type { StoredArray } from './stored-array.js';

/** Copies rows, in the order given, one after the other into `out`, of the type of the array, from `offset` (in values); `out` must have room. */
export type Gather = (rows: ArrayLike<number>, out: CanonicalArray, offset?: number) => void;

/** Throws RangeError for a row that is not there, and where `out` has no room. */
function check(what: string, total: number, rowSize: number, rows: ArrayLike<number>, out: CanonicalArray, offset: number): void {
	if (offset < 0 || offset + rows.length * rowSize > out.length)
		throw new RangeError(`${what}: ${rows.length} rows of ${rowSize} values do not fit ${out.length} values from ${offset}`);
	checkRows(what, total, rows);
}

/** Throws RangeError for a row that is not there. */
export function checkRows(what: string, total: number, rows: ArrayLike<number>): void {
	for (let i = 0; i < rows.length; i++) {
		const row = rows[i] as number;
		if (!Number.isInteger(row) || row < 0 || row >= total)
			throw new RangeError(`${what}: expected a row from 0 to ${total - 1}, found ${row}`);
	}
}

/** Up to this many values a loop is faster than a view and a block copy. */
const SMALL = 32;

/** Gathers from an array `[total, rowSize]` in memory. */
export const gatherFromMemory =
	(what: string, values: CanonicalArray, total: number, rowSize: number): Gather =>
	(rows, out, offset = 0) => {
		check(what, total, rowSize, rows, out, offset);
		eachRun(rows, (row, count, i) => {
			const start = row * rowSize;
			const length = count * rowSize;
			const at = offset + i * rowSize;
			if (length > SMALL) out.set(values.subarray(start, start + length) as never, at);
			else for (let i = 0; i < length; i++) out[at + i] = values[start + i] as never;
		});
	};

/** Gathers from an array `[total, rowSize]` on disk: the rows that were read ahead, and others with one read per run of consecutive rows. */
export const gatherFromFile =
	<A extends CanonicalArray>(what: string, file: StoredArray<A>, total: number, rowSize: number, ahead: AheadOfArray): Gather =>
	(rows, out, offset = 0) => {
		check(what, total, rowSize, rows, out, offset);
		const whole = out.subarray(offset, offset + rows.length * rowSize) as A;
		if (ahead.take(rows, new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength))) return;
		eachRun(rows, (row, count, i) => file.read(row * rowSize, whole.subarray(i * rowSize, (i + count) * rowSize) as A));
	};
