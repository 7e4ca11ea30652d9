import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Calls `take` with every line of a stream that is not blank, also with a last one that does not end in a newline. */
export function eachLine(stream: Readable | null, take: (line: string) => void): void {
	if (stream === null) return;
	createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
		if (line.trim() !== '') take(line);
	});
}
