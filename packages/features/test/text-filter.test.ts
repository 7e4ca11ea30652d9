import { expect, it } from 'vitest';
import { TextFilter } from '../src/text-filter.js';

it('may have each of its texts, and tells of most others that it has not', () => {
	const texts = Array.from({ length: 20_000 }, (_, i) => String(i * 1.37));
	const filter = new TextFilter(texts);
	expect(texts.filter((text) => !filter.mayHave(text))).toEqual([]);
	const others = Array.from({ length: 20_000 }, (_, i) => String(-i * 1.37 - 1));
	expect(others.filter((text) => filter.mayHave(text)).length).toBeLessThan(0.2 * others.length);
});
