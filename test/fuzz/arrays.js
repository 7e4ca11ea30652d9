// Mutations of `.npy` files: of the header as text, of what it says, and of the data. Everything is a function of the seed.
import { below, changedBytes, pick } from './bytes.js';

const DESCR = [
	"'<f4'", "'<f2'", "'>f8'", "'<i8'", "'|b1'", "'|u1'", "'>u8'", "'<f16'", "'<c8'", "'|O'", "'<U5'", "'|S0'", "'|V4'", "'<M8[ns]'",
	"[('a', '<f4')]", "'f4'", "''", "'<f999999999'", '4', 'None',
]; // biome-ignore format: a list of words
const SHAPES = [
	'()', '(0,)', '(1,)', '(24,)', '(24, 0)', '(0, 24)', '(-1,)', '(24, -1)', '(4294967296,)', '(9007199254740993, 2)', '(1000000000, 1000000000)',
	'(24, 1, 1, 1, 1, 1, 1, 1, 1)', `(${'1, '.repeat(500)})`, '(24', '24', '(2.5,)', '(1e9,)', '(True,)', "('24',)", '(24L,)', '[24]', '(,)',
]; // biome-ignore format: a list of words

/** A file as what is written. */
function parts(bytes) {
	const length = bytes.readUInt16LE(8);
	const [, descr, fortran, shape] = /'descr': (.*?), 'fortran_order': (\w+), 'shape': (\(.*\))/.exec(
		bytes.toString('latin1', 10, 10 + length),
	);
	return {
		magic: bytes.subarray(0, 6),
		version: [1, 0],
		descr,
		fortran,
		shape,
		text: null,
		length: null,
		data: bytes.subarray(10 + length),
	};
}

function written({ magic, version, descr, fortran, shape, text, length, data }) {
	const header = text ?? `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
	const wide = version[0] >= 2;
	const padded = Buffer.from(`${header.padEnd(Math.ceil((header.length + 13) / 64) * 64 - (wide ? 13 : 11))}\n`, 'latin1');
	const size = Buffer.alloc(wide ? 4 : 2);
	if (wide) size.writeUInt32LE(length ?? padded.length);
	else size.writeUInt16LE((length ?? padded.length) & 0xffff);
	return Buffer.concat([magic, Buffer.from(version), size, padded, data]);
}

const mutations = {
	descr: (file, next) => ({ ...file, descr: pick(next, DESCR) }),
	fortran: (file, next) => ({ ...file, fortran: pick(next, ['True', 'False', '1', 'None', '']) }),
	shape: (file, next) => ({ ...file, shape: pick(next, SHAPES) }),
	axis: (file, next) => ({
		...file,
		shape: file.shape.replace(/\d+/g, (axis) => (next() < 0.5 ? axis : String(pick(next, [0, 1, Number(axis) + 1, 2 ** 31, 2 ** 53])))),
	}),
	version: (file, next) => ({ ...file, version: pick(next, [[2, 0], [3, 0], [0, 0], [1, 1], [9, 9], [255, 255]]) }), // biome-ignore format: pairs
	length: (file, next) => ({ ...file, length: pick(next, [0, 1, 64, 10_000, 65_535, 2 ** 31, 2 ** 32 - 1]) }),
	magic: (file, next) => ({ ...file, magic: changedBytes(file.magic, next) }),
	text: (file, next) => ({
		...file,
		text: pick(next, [
			'',
			'{}',
			'{',
			`{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (24,), }`,
			`{${"'a': (1,), ".repeat(5000)}}`,
			`{'shape': (${' '.repeat(60_000)}), 'descr': '<f4', 'fortran_order': False}`,
			`{'descr': '${'<'.repeat(60_000)}', 'fortran_order': False, 'shape': ()}`,
			`__import__('os').system('true')`,
			`{'descr': '<f4', 'fortran_order': False, 'shape': (24,), '__proto__': (1,), }`,
		]),
	}),
	noData: (file) => ({ ...file, data: Buffer.alloc(0) }),
	fewer: (file, next) => ({ ...file, data: file.data.subarray(0, below(next, file.data.length + 1)) }),
	more: (file, next) => ({ ...file, data: Buffer.concat([file.data, Buffer.alloc(1 + below(next, 100), 7)]) }),
	same: (file, next) => ({ ...file, data: Buffer.alloc(file.data.length, pick(next, [0, 1, 0x7f, 0x80, 0xff])) }),
	values: (file, next) => ({ ...file, data: file.data.length === 0 ? file.data : changedBytes(file.data, next) }),
};

/** A mutant of the bytes of a `.npy` file. */
export function mutantArray(bytes, next) {
	let file = parts(bytes);
	for (let n = 1 + below(next, 2); n > 0; n--) file = pick(next, Object.values(mutations))(file, next);
	const out = written(file);
	return next() < 0.15 ? changedBytes(out, next) : out;
}

/** A file of values. `descr`: as numpy writes the type. */
export const arrayOf = (descr, shape, values) =>
	written({
		magic: Buffer.from('\x93NUMPY', 'latin1'),
		version: [1, 0],
		descr: `'${descr}'`,
		fortran: 'False',
		shape: `(${shape.map((axis) => `${axis},`).join(' ')})`,
		text: null,
		length: null,
		data: Buffer.from(values.buffer),
	});

/** The first rows of a file. */
export function firstRows(bytes, rows) {
	const file = parts(bytes);
	const [all] = file.shape.match(/\d+/);
	return written({
		...file,
		shape: file.shape.replace(/\d+/, String(rows)),
		data: file.data.subarray(0, (file.data.length / Number(all)) * rows),
	});
}
