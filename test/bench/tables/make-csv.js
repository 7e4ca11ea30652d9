// A table as people have them: numbers with missing cells, categories, a date, a note in words of which few are frequent and most are rare, a split and a label.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { counterRandom } from '../../../packages/random/dist/index.js';

const VOCABULARY = 20_000;
/** Places of the table from which words are drawn; a word has as many as it is frequent. */
const DRAWS = 2 ** 20;
const SYLLABLES = ['ba', 'den', 'ko', 'li', 'mar', 'nu', 'per', 'ro', 'si', 'tal', 'ven', 'zo'];
/** Rows that are written at a time. */
const BATCH = 1000;

/** The word of a rank: the more frequent, the shorter. */
function wordOf(rank) {
	let word = SYLLABLES[rank % 12];
	for (let rest = Math.floor(rank / 12); rest > 0; rest = Math.floor((rest - 1) / 12)) word += SYLLABLES[(rest - 1) % 12];
	return word;
}

/** Words, each as often as the law of Zipf and Mandelbrot says: in proportion to 1 / (rank + 2.7). */
function zipfWords() {
	const shares = Float64Array.from({ length: VOCABULARY }, (_, rank) => 1 / (rank + 3.7));
	const all = shares.reduce((sum, share) => sum + share, 0);
	const words = new Array(DRAWS);
	let below = 0;
	shares.reduce((sum, share, rank) => {
		const word = wordOf(rank);
		for (; below < DRAWS && below < ((sum + share) / all) * DRAWS; below++) words[below] = word;
		return sum + share;
	}, 0);
	return words.fill(wordOf(VOCABULARY - 1), below);
}

/** Two of a hundred numbers are missing. */
const numberText = (random, column) => (random.below(50) === 0 ? '' : ((random.uniform() - 0.3) * 10 ** (1 + (column % 4))).toFixed(8));
const dateText = (random) => new Date(1.2e12 + random.below(5e8) * 1000).toISOString().slice(0, 19).replace('T', ' ');

/**
 * Writes a csv file of at least so many bytes, the same for the same options: `numbers` columns n1, n2, … of numbers, `categories` a list of how many values each column c1,
 * c2, … has, `words` a mean length of the column `note` and `vocabulary` how many of the words it may have, and with `dates` a column `seen`; then `split` (a fifth of the
 * rows for the test) and `label`. Gives the number of rows.
 */
export async function makeCsv(path, { bytes, numbers = 20, categories = [5, 30, 300], dates = true, words = 20, vocabulary = DRAWS }) {
	const random = counterRandom(7, 'bench/tables');
	const zipf = zipfWords();
	const names = [
		...Array.from({ length: numbers }, (_, i) => `n${i + 1}`),
		...categories.map((_, i) => `c${i + 1}`),
		...(dates ? ['seen'] : []),
		...['note', 'split', 'label'],
	];
	const note = () => Array.from({ length: words / 2 + random.below(words + 1) }, () => zipf[random.below(vocabulary)]).join(' ');
	const row = () =>
		[
			...Array.from({ length: numbers }, (_, i) => numberText(random, i)),
			...categories.map((count) => `v${Math.floor(count * random.uniform() ** 2)}`),
			...(dates ? [dateText(random)] : []),
			...[note(), random.below(5) === 0 ? 'test' : 'train', random.below(3) === 0 ? 'yes' : 'no'],
		].join(',');
	const file = createWriteStream(path);
	let rows = 0;
	file.write(`${names.join(',')}\n`);
	for (let written = 0; written < bytes; rows += BATCH) {
		const text = Array.from({ length: BATCH }, () => `${row()}\n`).join('');
		written += text.length;
		if (!file.write(text)) await once(file, 'drain');
	}
	file.end();
	await finished(file);
	return rows;
}
