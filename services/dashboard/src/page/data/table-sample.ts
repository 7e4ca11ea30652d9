import { zipNames } from './zip-names.js';

/** What of a table is looked at before it is uploaded. */
export type TableSample = {
	readonly blob: Blob;
	readonly filename: string;
	/** The names of its columns, where they can be read here. */
	readonly names: readonly string[];
	/** Whether these are known and none is one that the service takes for the label by itself. */
	readonly lacksLabel: boolean;
};

/** A file that was chosen: a table, of which something can be said before it is uploaded, or an archive of arrays, with the names of its files. */
export type Chosen = { readonly table: TableSample } | { readonly arrays: readonly string[] };

/** The first bytes of a text that the service gets to look at: enough for the 10,000 rows that it reads. */
const MOST = 8 * 2 ** 20;
const NEWLINE = 0x0a;
const QUOTE = 0x22;

const LABEL_NAME = /^(labels?|target|y|class|outcome)$/i;

/** The bytes up to the end of the last line, of a csv outside of quotes. */
export function cutAtLine(bytes: Uint8Array, isQuoted: boolean): Uint8Array {
	let [last, open] = [0, false];
	for (let at = 0; at < bytes.length; at++) {
		const byte = bytes[at];
		if (byte === QUOTE) open = !open;
		else if (byte === NEWLINE && !(open && isQuoted)) last = at + 1;
	}
	// A quote within a cell that is not quoted leaves the count odd for the rest.
	return bytes.subarray(0, last >= bytes.length / 2 ? last : bytes.lastIndexOf(NEWLINE) + 1 || bytes.length);
}

/** The first bytes of a stream, and whether these are all. */
async function head(stream: ReadableStream<Uint8Array>, most: number): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
	const reader = stream.getReader();
	const parts: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) return { bytes: joined(parts, length), isWhole: true };
		parts.push(value);
		length += value.length;
		if (length > most) {
			await reader.cancel();
			return { bytes: joined(parts, length).subarray(0, most), isWhole: false };
		}
	}
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
	const all = new Uint8Array(length);
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}

/** The cells of the first line of a csv. */
export function headerCells(text: string, delimiter: string): string[] {
	const cells: string[] = [];
	let [cell, open] = ['', false];
	for (let at = 0; at < text.length; at++) {
		const letter = text[at] as string;
		if (letter === '"') {
			if (open && text[at + 1] === '"') {
				cell += '"';
				at++;
			} else open = !open;
		} else if (!open && letter === delimiter) {
			cells.push(cell);
			cell = '';
		} else if (!open && (letter === '\n' || letter === '\r')) break;
		else cell += letter;
	}
	return [...cells, cell].map((name) => name.trim());
}

/** The names of the columns of a table of text, by its first line; none where that says none. */
export function namesOf(text: string, ending: string): string[] {
	if (/^(jsonl|ndjson)$/i.test(ending))
		try {
			return Object.keys(JSON.parse(text.slice(0, text.indexOf('\n') >>> 0)) as object);
		} catch {
			return [];
		}
	const line = text.split('\n', 1)[0] ?? '';
	const delimiters = /^tsv$/i.test(ending) ? ['\t'] : [',', ';', '\t', '|'];
	const [best = ','] = delimiters.toSorted((a, b) => line.split(b).length - line.split(a).length);
	const names = headerCells(text, best);
	return names.includes('') ? [] : names;
}

async function textSample(file: File, ending: string, isPacked: boolean): Promise<TableSample> {
	const stream = file.stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
	const { bytes, isWhole } = await head(isPacked ? stream.pipeThrough(new DecompressionStream('gzip')) : stream, MOST);
	const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
	if (isUtf16) return { blob: file, filename: file.name, names: [], lacksLabel: false };
	const first = bytes.subarray(0, 2 ** 18);
	const names = namesOf(new TextDecoder().decode(first), ending);
	const lacksLabel = names.length > 0 && !names.some((name) => LABEL_NAME.test(name));
	if (isWhole) return { blob: file, filename: file.name, names, lacksLabel };
	const cut = cutAtLine(bytes, !/^(jsonl|ndjson)$/i.test(ending)) as Uint8Array<ArrayBuffer>;
	return { blob: new Blob([cut]), filename: isPacked ? file.name.replace(/\.gz$/i, '') : file.name, names, lacksLabel };
}

/**
 * Takes from a chosen file what is looked at before it is uploaded: the first 8 MB of a text, unpacked, and all of any other table. What cannot be read here goes to
 * the service as it is, which says what is wrong with it.
 */
export async function chosen(file: File): Promise<Chosen> {
	const [, ending = '', packed] = /\.(csv|tsv|txt|jsonl|ndjson|parquet|zip|npz)(\.gz)?$/i.exec(file.name) ?? [];
	const whole = { table: { blob: file, filename: file.name, names: [], lacksLabel: false } };
	if (/^(zip|npz)$/i.test(ending)) {
		const names = await zipNames(file).catch(() => null);
		const isOfArrays = names?.some((name) => /\.np[yz]$/i.test(name)) ?? /^npz$/i.test(ending);
		return isOfArrays ? { arrays: names ?? [] } : whole;
	}
	if (ending === '' || /^parquet$/i.test(ending)) return whole;
	return textSample(file, ending, packed !== undefined).then(
		(table) => ({ table }),
		() => whole,
	);
}
