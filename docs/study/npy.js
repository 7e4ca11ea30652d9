const MAGIC = '\x93NUMPY';

/**
 * Where the rows of a C-ordered `.npy` file lie. Throws RangeError where the file has another order or no rows.
 * @param {Buffer} npy a whole file
 * @param {string} name for the error
 * @returns {{offset: number, rows: number, rowBytes: number}}
 */
export function rowsOf(npy, name) {
	if (npy.toString('latin1', 0, 6) !== MAGIC) throw new RangeError(`${name}: expected an .npy file, found other bytes`);
	const wide = npy[6] === 1 ? 2 : 4;
	const offset = 8 + wide + (wide === 2 ? npy.readUInt16LE(8) : npy.readUInt32LE(8));
	const header = npy.toString('latin1', 8 + wide, offset);
	const rows = Number(/'shape': \((\d+)/.exec(header)?.[1]);
	if (!header.includes("'fortran_order': False") || !(rows > 0))
		throw new RangeError(`${name}: expected rows in C order, found the header ${header.trim()}`);
	return { offset, rows, rowBytes: (npy.length - offset) / rows };
}

/**
 * An `.npy` file of one byte a row.
 * @param {Uint8Array} values
 * @returns {Buffer}
 */
export function bytesAsNpy(values) {
	const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${values.length},), }`;
	const data = Math.ceil((10 + text.length + 1) / 64) * 64;
	const npy = Buffer.alloc(data + values.length, ' ', 'latin1');
	npy.write(`${MAGIC}\x01\x00`, 'latin1');
	npy.writeUInt16LE(data - 10, 8);
	npy.write(text, 10, 'latin1');
	npy.write('\n', data - 1, 'latin1');
	npy.set(values, data);
	return npy;
}
