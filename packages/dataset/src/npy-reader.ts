import type { ElementType, Numbers } from './element-type.js';
import type { Member } from './member.js';
import { headerSpan, type NpyHeader, PREFIX_BYTES, parseHeader, shapeText } from './npy-header.js';
import { refusal } from './refusal.js';

/** Consecutive elements in C order; `start` is the flat index of the first. The values are overwritten by the next block. */
export type Block = { readonly start: number; readonly values: Numbers };

/** An `.npy` member that is open for reading. */
export type NpyArray = { readonly file: string; readonly header: NpyHeader; blocks(): AsyncGenerator<Block> };

const BLOCK_BYTES = 1 << 19;
/** The most bytes of an array in Fortran order, which is brought into C order in memory. */
export const FORTRAN_BYTES = 64 * 2 ** 20;

/** Reads pieces of wanted sizes from pieces of any size. */
class ByteReader {
	readonly #chunks: AsyncGenerator<Uint8Array>;
	#rest: Uint8Array = new Uint8Array(0);

	constructor(chunks: AsyncGenerator<Uint8Array>) {
		this.#chunks = chunks;
	}

	/** Fills `into` and returns the number of bytes, which is smaller only at the end. */
	async fill(into: Uint8Array): Promise<number> {
		let filled = 0;
		while (filled < into.length) {
			if (this.#rest.length === 0) {
				const next = await this.#chunks.next();
				if (next.done) break;
				this.#rest = next.value;
			}
			const piece = this.#rest.subarray(0, into.length - filled);
			into.set(piece, filled);
			filled += piece.length;
			this.#rest = this.#rest.subarray(piece.length);
		}
		return filled;
	}

	async close(): Promise<void> {
		await this.#chunks.return(undefined);
	}
}

function swapBytes(bytes: Uint8Array, width: ElementType['bytes']): void {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (width === 2) buffer.swap16();
	else if (width === 4) buffer.swap32();
	else if (width === 8) buffer.swap64();
}

async function* rawBlocks(reader: ByteReader, file: string, header: NpyHeader, blockBytes: number): AsyncGenerator<Block> {
	const { element, elements, bigEndian } = header;
	const buffer = new ArrayBuffer(Math.min(blockBytes, elements * element.bytes));
	const perBlock = buffer.byteLength / element.bytes;
	for (let start = 0; start < elements; start += perBlock) {
		const count = Math.min(perBlock, elements - start);
		const bytes = new Uint8Array(buffer, 0, count * element.bytes);
		const filled = await reader.fill(bytes);
		if (filled < bytes.length)
			throw refusal(file, `${elements * element.bytes} bytes of data`, `${start * element.bytes + filled}: the file is truncated`);
		if (bigEndian) swapBytes(bytes, element.bytes);
		yield { start, values: element.view(buffer, 0, count) };
	}
	// to ask for one byte more brings the source to its end, where it checks its own size and checksum
	if ((await reader.fill(new Uint8Array(1))) > 0)
		throw refusal(file, `${elements * element.bytes} bytes of data`, 'extra bytes after them');
}

/** The elements of a whole array in Fortran order, block by block in C order. */
function* turned(raw: Numbers, { element, shape }: NpyHeader): Generator<Block> {
	const index = shape.map(() => 0);
	const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
	let from = 0;
	/** Moves `from` to the next element in C order, in which the last axis runs fastest. */
	const advance = (): void => {
		for (let axis = shape.length - 1; axis >= 0; axis--) {
			from += strides[axis] as number;
			index[axis] = (index[axis] as number) + 1;
			if ((index[axis] as number) < (shape[axis] as number)) return;
			from -= (strides[axis] as number) * (shape[axis] as number);
			index[axis] = 0;
		}
	};
	const perBlock = BLOCK_BYTES / element.bytes;
	for (let start = 0; start < raw.length; start += perBlock) {
		const count = Math.min(perBlock, raw.length - start);
		const values = element.view(new ArrayBuffer(count * element.bytes), 0, count);
		for (let i = 0; i < count; i++) {
			values[i] = raw[from] as never;
			advance();
		}
		yield { start, values };
	}
}

async function* decodedBlocks(reader: ByteReader, file: string, header: NpyHeader): AsyncGenerator<Block> {
	const { element, elements, shape } = header;
	const bytes = elements * element.bytes;
	if (!header.fortranOrder || shape.length < 2) {
		for await (const { start, values } of rawBlocks(reader, file, header, BLOCK_BYTES)) yield { start, values: element.decode(values) };
		return;
	}
	if (bytes > FORTRAN_BYTES)
		throw refusal(
			file,
			`C order, or Fortran order of at most ${FORTRAN_BYTES} bytes`,
			`Fortran order, ${bytes} bytes, shape ${shapeText(shape)}`,
		);
	for await (const { values: whole } of rawBlocks(reader, file, header, bytes))
		for (const { start, values } of turned(whole, header)) yield { start, values: element.decode(values) };
}

/** Opens an `.npy` member, gives its header and its data, block by block, to `use`, and closes it. Gives what `use` gives. `instead` tells what to store in the place of Python objects. */
export async function readNpy<T>(member: Member, use: (array: NpyArray) => Promise<T>, instead?: string): Promise<T> {
	const file = member.name;
	const reader = new ByteReader(member.chunks());
	try {
		const prefix = new Uint8Array(PREFIX_BYTES);
		const span = headerSpan(prefix.subarray(0, await reader.fill(prefix)), file);
		const rest = new Uint8Array(span.start + span.bytes - PREFIX_BYTES);
		if ((await reader.fill(rest)) < rest.length) throw refusal(file, `an .npy header of ${span.bytes} bytes`, 'a truncated one');
		const header = parseHeader(Buffer.concat([prefix, rest]).subarray(span.start), file, instead);
		const bytes = span.start + span.bytes + header.elements * header.element.bytes;
		if (member.bytes !== bytes) {
			const found = `${member.bytes}: ${member.bytes < bytes ? 'the file is truncated' : 'extra bytes after the data'}`;
			throw refusal(file, `${bytes} bytes for shape ${shapeText(header.shape)} of ${header.element.name}`, found);
		}
		return await use({ file, header, blocks: () => decodedBlocks(reader, file, header) });
	} finally {
		await reader.close();
	}
}
