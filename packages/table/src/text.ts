import { TextDecoder } from 'node:util';
import { TableError } from './table-error.js';

const BYTE_ORDER_MARKS: readonly (readonly [encoding: string, mark: readonly number[]])[] = [
	['utf-8', [0xef, 0xbb, 0xbf]],
	['utf-16le', [0xff, 0xfe]],
	['utf-16be', [0xfe, 0xff]],
];

/** The encoding of a text by its first bytes: that of its byte order mark, UTF-16 where every second byte is zero, else UTF-8. */
function encodingOf(head: Uint8Array): string {
	for (const [encoding, mark] of BYTE_ORDER_MARKS) if (mark.every((byte, i) => head[i] === byte)) return encoding;
	if (head.length >= 4 && head[1] === 0 && head[3] === 0) return 'utf-16le';
	if (head.length >= 4 && head[0] === 0 && head[2] === 0) return 'utf-16be';
	return 'utf-8';
}

/** The text of a file without its byte order mark, each line ended by `\n`, in pieces of any size. Throws TableError where the bytes are no text of their encoding. */
export async function* textOf(file: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
	let decoder: TextDecoder | null = null;
	let head: Uint8Array = new Uint8Array();
	let endsInReturn = false;
	let read = 0;
	const unified = (text: string): string => {
		const whole = endsInReturn ? `\r${text}` : text;
		endsInReturn = whole.endsWith('\r');
		const kept = endsInReturn ? whole.slice(0, -1) : whole;
		return kept.includes('\r') ? kept.replace(/\r\n?/g, '\n') : kept;
	};
	const decode = (bytes: Uint8Array, stream: boolean): string => {
		decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
		try {
			return decoder.decode(bytes, { stream });
		} catch {
			throw new TableError(
				file,
				`text in ${decoder.encoding.toUpperCase()}`,
				`other bytes, not far behind byte ${read}; save the file as UTF-8`,
			);
		}
	};
	for await (const chunk of chunks) {
		if (decoder === null && head.length + chunk.length < 4) {
			head = Buffer.concat([head, chunk]);
			continue;
		}
		const bytes = head.length > 0 ? Buffer.concat([head, chunk]) : chunk;
		head = new Uint8Array();
		const text = unified(decode(bytes, true));
		read += bytes.length;
		if (text !== '') yield text;
	}
	const rest = unified(decode(head, false));
	yield endsInReturn ? `${rest}\n` : rest;
}
