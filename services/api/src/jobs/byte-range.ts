/** The offsets of the first and the last byte that a download answers with. */
export type ByteRange = { start: number; end: number };

/**
 * Reads a `Range` header for a file of `size` bytes (RFC 9110 §14). Null means the whole file: there is no header, or one that a server may ignore, such as
 * another unit or several ranges. `unsatisfiable` means that the range begins after the end.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
	const match = /^bytes=(\d*)-(\d*)$/.exec(header?.replace(/[ \t]/g, '') ?? '');
	if (match === null) return null;
	const [, first = '', last = ''] = match;
	if (first === '') {
		if (last === '') return null;
		const length = Math.min(Number(last), size);
		return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
	}
	const start = Number(first);
	if (last !== '' && Number(last) < start) return null;
	return start >= size ? 'unsatisfiable' : { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** Whether an `If-None-Match` header names the entity tag, by the weak comparison. */
export const matches = (header: string | undefined, tag: string): boolean =>
	header !== undefined && header.split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')));
