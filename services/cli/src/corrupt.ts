import { counterRandom } from '@steelyard/random';

/** At which byte the rows of a C-ordered `.npy` file begin, how many there are, and how many bytes each has. */
function rowsOf(npy: Buffer): { offset: number; rows: number; rowBytes: number } {
	const wide = npy[6] === 1 ? 2 : 4;
	const length = wide === 2 ? npy.readUInt16LE(8) : npy.readUInt32LE(8);
	const offset = 8 + wide + length;
	const rows = Number(/'shape': \((\d+)/.exec(npy.toString('latin1', 8 + wide, offset))?.[1]);
	return { offset, rows, rowBytes: (npy.length - offset) / rows };
}

/**
 * Shuffles the rows of an `.npy` file for a random share of the instances, so that each of these gets the row of another one.
 * Returns the changed file and the indices of these instances. The same seed and `name` give the same result.
 */
export function shuffleRows(npy: Buffer, share: number, seed: number, name: string): { npy: Buffer; chosen: number[] } {
	const { offset, rows, rowBytes } = rowsOf(npy);
	const random = counterRandom(seed, `corrupt/${name}`);
	const order = Array.from({ length: rows }, (_, row) => row);
	for (let i = rows - 1; i > 0; i--) {
		const j = random.below(i + 1);
		[order[i], order[j]] = [order[j] as number, order[i] as number];
	}
	const chosen = order.slice(0, Math.round(share * rows));
	const changed = Buffer.from(npy);
	chosen.forEach((row, i) => {
		const from = offset + (chosen[(i + 1) % chosen.length] as number) * rowBytes; // a cycle: no row keeps its own
		npy.copy(changed, offset + row * rowBytes, from, from + rowBytes);
	});
	return { npy: changed, chosen };
}
