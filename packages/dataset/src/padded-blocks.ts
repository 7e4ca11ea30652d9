import type { ElementType } from './element-type.js';
import type { Block, NpyArray } from './npy-reader.js';

/** Numbers of a block. */
const BLOCK_NUMBERS = 1 << 16;

const zeros = ({ view, decode, bytes }: ElementType, count: number): Block['values'] =>
	decode(view(new ArrayBuffer(count * bytes), 0, count));

/**
 * The numbers of an array whose row i has `given(i)` numbers, as the blocks of an array of `rows` rows of `size` numbers: each row is filled up with zeros. Reads the
 * array to its end.
 */
export async function* paddedBlocks(array: NpyArray, rows: number, given: (row: number) => number, size: number): AsyncGenerator<Block> {
	const { element } = array.header;
	const numbers = rows * size;
	const blocks = array.blocks();
	let source = zeros(element, 0);
	let read = 0;
	let start = 0;
	let out = zeros(element, Math.min(BLOCK_NUMBERS, numbers));
	let used = 0;
	for (let row = 0; row < rows; row++) {
		const filled = given(row);
		for (let at = 0; at < size; ) {
			if (at < filled && read === source.length) {
				source = (await blocks.next()).value.values;
				read = 0;
			}
			const count = Math.min(out.length - used, at < filled ? Math.min(filled - at, source.length - read) : size - at);
			if (at < filled) {
				out.set(source.subarray(read, read + count) as never, used);
				read += count;
			}
			at += count;
			used += count;
			if (used < out.length) continue;
			yield { start, values: out };
			start += used;
			out = zeros(element, Math.min(BLOCK_NUMBERS, numbers - start));
			used = 0;
		}
	}
	// brings the source to its end, where it checks its size and checksum
	await blocks.next();
}
