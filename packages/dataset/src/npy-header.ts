import { type CanonicalType, descrOf } from './canonical-type.js';
import { ELEMENT_TYPES, type ElementType } from './element-type.js';
import { refusal } from './refusal.js';

/** The header of an `.npy` file (NumPy's format, versions 1.0 to 3.0; numpy.lib.format). */
export type NpyHeader = {
	readonly element: ElementType;
	readonly bigEndian: boolean;
	/** Whether the first axis runs fastest. */
	readonly fortranOrder: boolean;
	readonly shape: readonly number[];
	readonly elements: number;
};

/** The bytes that must be read to know where the header lies; a valid file has more. */
export const PREFIX_BYTES = 12;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** The most bytes of a header; that of three axes has 128. */
const MAX_HEADER_BYTES = 1 << 16;

/** Where the text of the header lies in its file. */
export function headerSpan(prefix: Uint8Array, file: string): { start: number; bytes: number } {
	if (prefix.length < PREFIX_BYTES) throw refusal(file, 'an .npy header', `a file of ${prefix.length} bytes`);
	if (MAGIC.some((byte, i) => prefix[i] !== byte)) throw refusal(file, 'an .npy file, which begins with \\x93NUMPY', 'other bytes');
	const [major, minor] = [prefix[6], prefix[7]];
	if (major === undefined || major < 1 || major > 3 || minor !== 0)
		throw refusal(file, '.npy format version 1.0, 2.0 or 3.0', `version ${major}.${minor}`);
	const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
	const span = major === 1 ? { start: 10, bytes: view.getUint16(8, true) } : { start: 12, bytes: view.getUint32(8, true) };
	if (span.bytes < 2 || span.bytes > MAX_HEADER_BYTES)
		throw refusal(file, `an .npy header of at most ${MAX_HEADER_BYTES} bytes`, `one of ${span.bytes}`);
	return span;
}

const ENTRY = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\sL,]*)\))\s*(?:,|(?=\}))/y;

/** The entries of the header, a Python dictionary as NumPy writes it: strings, booleans and tuples of integers. */
function dictionary(text: string, file: string): Map<string, string | boolean | number[]> {
	const bad = () => refusal(file, "an .npy header {'descr': …, 'fortran_order': …, 'shape': …}", JSON.stringify(text.trim().slice(0, 120)));
	const body = text.trimEnd();
	if (!body.startsWith('{') || !body.endsWith('}')) throw bad();
	if (/(['"])descr\1\s*:\s*\[/.test(body)) throw refusal(file, 'one element type', 'a structured one');
	const entries = new Map<string, string | boolean | number[]>();
	ENTRY.lastIndex = 1;
	while (!/^\s*\}$/.test(body.slice(ENTRY.lastIndex))) {
		const found = ENTRY.exec(body);
		if (found === null) throw bad();
		const [, , key = '', , string, boolean, tuple] = found;
		if (entries.has(key)) throw bad();
		if (tuple !== undefined) {
			const axes = tuple.replace(/,\s*$/, '').split(',');
			if (tuple.trim() !== '' && axes.some((axis) => !/^\s*\d+L?\s*$/.test(axis))) throw bad();
			entries.set(key, tuple.trim() === '' ? [] : axes.map((axis) => Number.parseInt(axis, 10)));
		} else entries.set(key, string ?? boolean === 'True');
	}
	if (entries.size !== 3) throw bad();
	return entries;
}

/** Reads the text of the header. Python objects, which are pickles, are refused; `instead` tells what to store in their place. */
export function parseHeader(bytes: Uint8Array, file: string, instead = ''): NpyHeader {
	const entries = dictionary(Buffer.from(bytes).toString('latin1'), file);
	const [descr, fortranOrder, shape] = [entries.get('descr'), entries.get('fortran_order'), entries.get('shape')];
	if (typeof descr !== 'string' || typeof fortranOrder !== 'boolean' || !Array.isArray(shape))
		throw refusal(file, "the header entries 'descr', 'fortran_order' and 'shape'", [...entries.keys()].join(', '));
	const element = ELEMENT_TYPES.get(descr.slice(1));
	if (element === undefined || !'<>|='.includes(descr.charAt(0))) {
		const found = descr.endsWith('O')
			? `type ${JSON.stringify(descr)}, Python objects, which are not read${instead}`
			: `type ${JSON.stringify(descr)}`;
		throw refusal(file, 'elements of type bool, int8 to int64, uint8 to uint64 or float16 to float64', found);
	}
	const elements = shape.reduce((product, axis) => product * axis, 1);
	if (!Number.isSafeInteger(elements * element.bytes) || shape.some((axis) => !Number.isSafeInteger(axis)))
		throw refusal(file, 'a shape that can be stored', shapeText(shape));
	return { element, bigEndian: descr.startsWith('>') && element.bytes > 1, fortranOrder, shape, elements };
}

/** A shape as Python writes a tuple: `(3, 4)`, `(3,)`. */
export const shapeText = (shape: readonly number[]): string => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

/** Everything before the data of a little-endian array in C order: magic, version 1.0 and header, up to a multiple of 64 bytes. */
export function encodeHeader(type: CanonicalType, shape: readonly number[]): Uint8Array {
	const text = `{'descr': '${descrOf(type)}', 'fortran_order': False, 'shape': ${shapeText(shape)}, }`;
	const total = Math.ceil((10 + text.length + 1) / 64) * 64;
	const bytes = Buffer.alloc(total, ' ', 'latin1');
	bytes.set([...MAGIC, 1, 0]);
	bytes.writeUInt16LE(total - 10, 8);
	bytes.write(text, 10, 'latin1');
	bytes.write('\n', total - 1, 'latin1');
	return bytes;
}
