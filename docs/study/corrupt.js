// What is done to a modality. Everything is a function of the bytes, the seed and a name alone.
import { counterRandom } from '../../packages/random/dist/index.js';
import { bytesAsNpy, rowsOf } from './npy.js';

/**
 * The rows of a share of the instances, in a random order. A greater share holds all rows of a smaller one.
 * @param {number} rows
 * @param {number} share 0 to 1; exactly round(share · rows) rows are chosen
 * @param {number} seed
 * @param {string} name of the stream of random numbers
 * @returns {number[]}
 */
export function chosenRows(rows, share, seed, name) {
	const random = counterRandom(seed, `study/${name}`);
	const order = Array.from({ length: rows }, (_, row) => row);
	for (let i = rows - 1; i > 0; i--) {
		const j = random.below(i + 1);
		[order[i], order[j]] = [order[j], order[i]];
	}
	return order.slice(0, Math.round(share * rows));
}

/**
 * Whose values each chosen row takes: the chosen rows permuted among themselves, none onto itself nor onto one of its own group.
 * With the rows laid out group by group, each takes those of the row that lies one largest group further on, round the end.
 * @param {readonly number[]} chosen
 * @param {(row: number) => unknown} groupOf equal for rows of one group; the row itself where there are no groups
 * @returns {Map<number, number>} row → the row whose values it takes
 */
export function donors(chosen, groupOf = (row) => row) {
	/** @type {Map<unknown, number[]>} */
	const groups = new Map();
	for (const row of chosen) {
		const members = groups.get(groupOf(row));
		if (members === undefined) groups.set(groupOf(row), [row]);
		else members.push(row);
	}
	const laidOut = [...groups.values()].flat();
	const largest = Math.max(0, ...[...groups.values()].map((members) => members.length));
	if (2 * largest > laidOut.length)
		throw new RangeError(`no shuffle can keep ${largest} of ${laidOut.length} rows, which are of one group, from each other`);
	return new Map(laidOut.map((row, i) => [row, laidOut[(i + largest) % laidOut.length]]));
}

/**
 * @param {Buffer} npy
 * @param {ReadonlyMap<number, number>} from row → the row whose values it takes
 * @param {string} name
 */
export function withRowsFrom(npy, from, name) {
	const { offset, rowBytes } = rowsOf(npy, name);
	const changed = Buffer.from(npy);
	for (const [row, donor] of from) npy.copy(changed, offset + row * rowBytes, offset + donor * rowBytes, offset + (donor + 1) * rowBytes);
	return changed;
}

/**
 * Takes the modality from some rows: its values become 0, and the mask says 0 there and 1 elsewhere.
 * @param {Buffer} npy
 * @param {readonly number[]} absent rows
 * @param {string} name
 * @returns {{values: Buffer, mask: Buffer}}
 */
export function withoutRows(npy, absent, name) {
	const { offset, rows, rowBytes } = rowsOf(npy, name);
	const values = Buffer.from(npy);
	const present = new Uint8Array(rows).fill(1);
	for (const row of absent) {
		values.fill(0, offset + row * rowBytes, offset + (row + 1) * rowBytes);
		present[row] = 0;
	}
	return { values, mask: bytesAsNpy(present) };
}

/**
 * The group of each row, from a group file of any integer type.
 * @param {Buffer | undefined} npy
 * @param {string} name
 * @returns {(row: number) => unknown}
 */
export function groupsIn(npy, name) {
	if (npy === undefined) return (row) => row;
	const { offset, rowBytes } = rowsOf(npy, name);
	return (row) => npy.toString('latin1', offset + row * rowBytes, offset + (row + 1) * rowBytes);
}
