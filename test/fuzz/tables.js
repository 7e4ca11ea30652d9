// Mutants of tables: of the cells and the text of csv and json lines, and of the bytes of parquet. Everything is a function of the seed.
import { parquetWriteBuffer } from 'hyparquet-writer';
import { below, changedBytes, pick } from './bytes.js';

const CELLS = [
	'', '"', '""', '"a', 'a"b', ',', ';', '\t', '\n', '\r', '\r\n', '\u0000', '\ufeff', 'NA', 'inf', '-inf', '1e999', '1e-999', '0x10', '007', '1,5', '1.2.3', '99999999999999999999',
	'2024-13-45', '31.02.2024', '0000-01-01', '99999-01-01', '__proto__', 'constructor', '=1+1', '🦆', '\ud800', 'x'.repeat(20_000), 'a '.repeat(5000), '[1,2]', '{}', 'null',
]; // biome-ignore format: a list of values

/** Rows of cells with some of them changed, left out, doubled or moved. */
function changedRows(rows, next) {
	const out = rows.map((row) => [...row]);
	for (let n = 1 + below(next, 4); n > 0; n--) {
		const row = pick(next, out);
		const at = below(next, row.length + 1);
		const how = below(next, 10);
		if (how <= 5) row[Math.min(at, row.length - 1)] = pick(next, CELLS);
		else if (how === 6) row.splice(at, 1);
		else if (how === 7) row.splice(at, 0, pick(next, CELLS));
		else if (how === 8) out.splice(below(next, out.length), 0, [...pick(next, out)]);
		else for (const one of out.slice(1)) one[Math.min(at, one.length - 1)] = pick(next, CELLS);
	}
	return out;
}

const quoted = (cell, next) => (next() < 0.004 ? cell : /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** A csv file. `rows`: cells, the names of the columns first. */
export function mutantCsv(rows, next) {
	const delimiter = next() < 0.8 ? ',' : pick(next, [';', '\t', '|', ' ']);
	const text = changedRows(rows, next)
		.map((row) => row.map((cell) => quoted(cell, next)).join(delimiter))
		.join(pick(next, ['\n', '\n', '\r\n', '\r']));
	const bytes = next() < 0.1 ? Buffer.from(`\ufeff${text}`, 'utf16le') : Buffer.from(text);
	return next() < 0.3 ? changedBytes(bytes, next) : bytes;
}

const VALUES = [
	null,
	true,
	0,
	-1,
	1e308,
	'',
	'x',
	[],
	[1, 2],
	[[1]],
	[null],
	{},
	{ bytes: 'x' },
	{ a: { b: 1 } },
	'__proto__',
	'x'.repeat(10_000),
];

/** A file of json lines. */
export function mutantJsonLines([names, ...rows], next) {
	const objects = rows.map((row) =>
		Object.fromEntries(names.map((name, i) => [name, Number.isNaN(Number(row[i])) ? row[i] : Number(row[i])])),
	);
	for (let n = 1 + below(next, 6); n > 0; n--) {
		const object = pick(next, objects);
		const name = pick(next, [...names, 'other', '__proto__', '']);
		if (next() < 0.3) delete object[name];
		else Object.defineProperty(object, name, { value: pick(next, VALUES), enumerable: true, configurable: true, writable: true });
	}
	const bytes = Buffer.from(objects.map((object) => JSON.stringify(object)).join('\n'));
	return next() < 0.4 ? changedBytes(bytes, next) : bytes;
}

/** A parquet file. */
export function mutantParquet([names, ...rows], next) {
	const columnData = names.map((name, i) => {
		const cells = rows.map((row) => row[i]);
		const isNumber = cells.every((cell) => cell === '' || !Number.isNaN(Number(cell)));
		return { name, type: isNumber ? 'DOUBLE' : 'STRING', data: cells.map((cell) => (cell === '' ? null : isNumber ? Number(cell) : cell)) };
	});
	let bytes = Buffer.from(parquetWriteBuffer({ columnData }));
	if (next() < 0.95) for (let n = 1 + below(next, 3); n > 0; n--) bytes = changedBytes(bytes, next);
	return bytes;
}
