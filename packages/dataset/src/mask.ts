import type { CanonicalFolder } from './canonical-folder.js';
import type { Member } from './member.js';
import { shapeText } from './npy-header.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';
import { sameRows } from './row-count.js';

/** The shape of a modality's mask on disk: `[rows]`, or `[rows, steps]` where it marks steps; `steps` is null where it does not. */
export const maskShape = (rows: number, steps: number | null): number[] => (steps === null ? [rows] : [rows, steps]);

const CELLS_PER_BLOCK = 1 << 18;

/**
 * Copies a mask, `[rows]` or (where it marks steps) `[rows, steps]` of exact 0 and 1, as uint8. A mask `[rows]` is then repeated for every step, so that the masks of a
 * modality have the same form in every split. Returns the number of rows in which nothing is present.
 */
export async function copyMask(
	member: Member,
	name: string,
	rows: number,
	labels: string,
	marked: number | null,
	target: CanonicalFolder,
): Promise<number> {
	const canonical = maskShape(rows, marked);
	const steps = marked ?? 1;
	return readNpy(member, async ({ file, header, blocks }) => {
		const given = header.shape;
		if (given.length !== 1 && (given.length !== 2 || given[1] !== steps)) {
			const expected = marked !== null ? `shape (rows, ${steps}) or (rows,)` : 'shape (rows,)';
			throw refusal(file, expected, shapeText(given));
		}
		sameRows(file, given, rows, labels);
		const perRow = given.length === 1 ? 1 : steps;
		const spread = steps / perRow;
		let absent = 0;
		let presentInRow = 0;
		await target.writeArray(name, 'uint8', canonical, async (append) => {
			for await (const { start, values } of blocks()) {
				const out = new Uint8Array(values.length);
				for (let i = 0; i < values.length; i++) {
					const flag = Number(values[i]);
					const step = (start + i) % perRow;
					if (flag !== 0 && flag !== 1) {
						const row = Math.floor((start + i) / perRow);
						throw refusal(file, '0 or 1', String(values[i]), given.length === 1 ? { row } : { row, step });
					}
					out[i] = flag;
					presentInRow += flag;
					if (step === perRow - 1) {
						if (presentInRow === 0) absent++;
						presentInRow = 0;
					}
				}
				await append(spread === 1 ? out : repeat(out, spread));
			}
		});
		return absent;
	});
}

/**
 * Writes the mask of rows of which the first `lengths` steps are there, as uint8; of rows that are there at all where it marks no steps. Returns the number of rows in
 * which nothing is present.
 */
export async function writeLengthsMask(lengths: Uint32Array, name: string, steps: number | null, target: CanonicalFolder): Promise<number> {
	const width = steps ?? 1;
	const perBlock = Math.max(1, Math.floor(CELLS_PER_BLOCK / width));
	await target.writeArray(name, 'uint8', maskShape(lengths.length, steps), async (append) => {
		for (let start = 0; start < lengths.length; start += perBlock) {
			const rows = lengths.subarray(start, start + perBlock);
			const cells = new Uint8Array(rows.length * width);
			rows.forEach((length, i) => {
				cells.fill(1, i * width, i * width + Math.min(length, width));
			});
			await append(cells);
		}
	});
	return lengths.reduce((count, length) => (length === 0 ? count + 1 : count), 0);
}

const repeat = (values: Uint8Array, times: number): Uint8Array => {
	const out = new Uint8Array(values.length * times);
	for (let i = 0; i < values.length; i++) out.fill(values[i] as number, i * times, (i + 1) * times);
	return out;
};

/** Writes a mask of ones: for a split without a mask of a modality that has one in another split. */
export async function writeFullMask(name: string, rows: number, steps: number | null, target: CanonicalFolder): Promise<void> {
	const canonical = maskShape(rows, steps);
	const cells = canonical.reduce((product, axis) => product * axis, 1);
	await target.writeArray(name, 'uint8', canonical, async (append) => {
		for (let start = 0; start < cells; start += CELLS_PER_BLOCK)
			await append(new Uint8Array(Math.min(CELLS_PER_BLOCK, cells - start)).fill(1));
	});
}
