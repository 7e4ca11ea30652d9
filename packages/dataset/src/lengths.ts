import type { Member } from './member.js';
import { type NpyHeader, shapeText } from './npy-header.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';

/** How much of each row of a modality is there, along its first axis: the number of steps, or of numbers of a vector. */
export type Lengths = {
	/** The file that says so. */
	readonly file: string;
	readonly perRow: Uint32Array;
	readonly longest: number;
};

/** Reads an array `[count]` of integers and calls `use` for each, in order; `meaning` says what they are. Refuses another type or shape. */
async function eachInteger(member: Member, count: number, meaning: string, use: (value: number, i: number) => void): Promise<void> {
	await readNpy(member, async ({ file, header: { element, shape }, blocks }) => {
		if (element.kind !== 'integer') throw refusal(file, `${meaning}, of an integer type`, element.name);
		if (shape.length !== 1 || shape[0] !== count) throw refusal(file, `${meaning}, of shape (${count},)`, `shape ${shapeText(shape)}`);
		for await (const { start, values } of blocks()) for (let i = 0; i < values.length; i++) use(Number(values[i]), start + i);
	});
}

const lengthsOf = (file: string, perRow: Uint32Array): Lengths => ({ file, perRow, longest: perRow.reduce((a, b) => Math.max(a, b), 0) });

/**
 * The lengths of `rows` ragged rows by their offsets `[rows + 1]`: row i is values offsets[i] to offsets[i + 1]. Refuses offsets that do not begin at 0, that fall, or
 * that do not end where the array of values `(file, header)` ends.
 */
export async function lengthsByOffsets(member: Member, rows: number, values: { file: string; header: NpyHeader }): Promise<Lengths> {
	const perRow = new Uint32Array(rows);
	const total = values.header.shape[0] as number;
	const meaning = `an offset for each of the ${rows} rows, and the end`;
	let before = 0;
	await eachInteger(member, rows + 1, meaning, (offset, i) => {
		if (i === 0 && offset !== 0) throw refusal(member.name, '0 at the beginning', String(offset), { row: i });
		if (offset < before) throw refusal(member.name, `an offset not below ${before}, that of the row before`, String(offset), { row: i });
		if (i === rows ? offset !== total : offset > total)
			throw refusal(member.name, `${i === rows ? '' : 'at most '}${total}, as ${values.file} has`, String(offset), { row: i });
		if (i > 0) perRow[i - 1] = offset - before;
		before = offset;
	});
	return lengthsOf(member.name, perRow);
}

/** The lengths `[rows]` of padded rows; none is more than `most`, the first axis of an instance in `file`. */
export async function paddedLengths(member: Member, rows: number, most: number, file: string): Promise<Lengths> {
	const perRow = new Uint32Array(rows);
	await eachInteger(member, rows, `how much of each of the ${rows} rows of ${file} is there`, (length, row) => {
		if (length < 0 || length > most) throw refusal(member.name, `0 to ${most}, as ${file} has`, String(length), { row });
		perRow[row] = length;
	});
	return lengthsOf(member.name, perRow);
}
