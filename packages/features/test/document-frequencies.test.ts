import { counterRandom } from '@steelyard/random';
import { describe, expect, it } from 'vitest';
import { DocumentFrequencies } from '../src/document-frequencies.js';

/** Rows of words, of which the first are the most frequent. */
function rowsOfWords(rows: number, words: number): string[][] {
	const random = counterRandom(1, 'rows of words');
	const word = (): string => `${random.below(9) === 0 ? 'averyveryverylongword' : 'w'}${Math.floor(words * random.uniform() ** 3)}`;
	return Array.from({ length: rows }, () => Array.from({ length: random.below(12) }, word));
}

/** The same by a map of texts: each term of each row is counted once, and while there are too many, those that one row more has than was forgotten before go. */
function counted(rows: readonly (readonly string[])[], most: number, pairs: boolean): Map<string, number> {
	const counts = new Map<string, number>();
	let forgotten = 0;
	for (const words of rows) {
		const terms = new Set([...words, ...(pairs ? words.slice(1).map((word, i) => `${words[i]} ${word}`) : [])]);
		for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
		while (counts.size > most) {
			forgotten++;
			for (const [term, count] of counts) if (count <= forgotten) counts.delete(term);
		}
	}
	return counts;
}

describe('how many rows have each term', () => {
	it.each([
		['words and pairs, of which none is forgotten', 1e6, true],
		['words alone', 1e6, false],
		['words and pairs, of which many are forgotten', 500, true],
		['words, of which many are forgotten', 100, false],
	])('is counted for %s', (_, most, pairs) => {
		const rows = rowsOfWords(4000, 800);
		const frequencies = new DocumentFrequencies(most, pairs);
		for (const words of rows) frequencies.add(words);
		const expected = [...counted(rows, most, pairs)].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
		expect(expected.length).toBeGreaterThan(20);
		expect(frequencies.rows).toBe(rows.filter(({ length }) => length > 0).length);
		expect(frequencies.often(1, 1e6)).toEqual(expected);
		const often = expected.filter(([, count]) => count >= 3);
		expect(frequencies.often(3, 1e6)).toEqual(often);
		expect(frequencies.often(3, 30)).toEqual(often.slice(0, 30));
	});
});
