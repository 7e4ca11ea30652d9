/** Inclusive offsets of the bytes that a download answers with. */
export type ByteRange = { start: number; end: number };

/**
 * What a `Range` header asks of `size` bytes (RFC 9110 §14): `null` for the whole (no header, a unit or a form that is not ours, several
 * ranges: all of which a server may ignore), `unsatisfiable` where it begins past the end.
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

/** Whether an `If-None-Match` header names the tag, by weak comparison. */
export const matches = (header: string | undefined, tag: string): boolean =>
	header !== undefined && header.split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')));
