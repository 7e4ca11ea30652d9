// The .npy format, version 1.0, C order.

/** @param {number[][]} rows of equal length, each value finite and below 65504; stored as float16, rounded to nearest even */
export function encodeFloat16(rows) {
	const width = rows[0].length;
	const body = Buffer.alloc(rows.length * width * 2);
	rows.forEach((row, r) => {
		if (row.length !== width) throw new Error(`row ${r} has ${row.length} columns, expected ${width}`);
		row.forEach((value, c) => {
			if (!Number.isFinite(value) || Math.abs(value) > 65504)
				throw new Error(`row ${r} column ${c} is ${value}, which float16 cannot hold`);
			body.writeUInt16LE(toFloat16(value), (r * width + c) * 2);
		});
	});
	return Buffer.concat([header('<f2', [rows.length, width]), body]);
}

/** @param {number[]} values whole numbers of a 64-bit integer column */
export function encodeInt64(values) {
	const body = Buffer.alloc(values.length * 8);
	values.forEach((value, i) => {
		body.writeBigInt64LE(BigInt(value), i * 8);
	});
	return Buffer.concat([header('<i8', [values.length]), body]);
}

function header(descr, shape) {
	const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
	const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
	const head = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8]);
	return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

function toFloat16(value) {
	const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
	const magnitude = Math.abs(value);
	if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
	let exponent = Math.floor(Math.log2(magnitude));
	if (2 ** exponent > magnitude) exponent--;
	// A mantissa that rounds up to 2048 carries into the exponent by itself, since the two are adjacent bits.
	return sign | (((exponent + 15) << 10) + roundHalfEven((magnitude / 2 ** exponent) * 1024) - 1024);
}

function roundHalfEven(value) {
	const low = Math.floor(value);
	const rest = value - low;
	return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
