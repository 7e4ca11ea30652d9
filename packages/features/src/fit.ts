import { ProblemError, type TableManifest } from '@steelyard/contracts';
import { type CounterRandom, counterRandom } from '@steelyard/random';
import type { Cell } from '@steelyard/table';
import { byCount } from './by-count.js';
import { cellNumber, textOf } from './cells.js';
import { DocumentFrequencies } from './document-frequencies.js';
import type {
	CategoryFeature,
	DateFeature,
	Feature,
	NumberFeature,
	SequenceFeature,
	TextFeature,
	TokensFeature,
	VectorFeature,
} from './featuriser.js';
import { categoryText, plainText } from './feeds.js';
import type { Column } from './infer.js';
import { ownText } from './own-text.js';
import { cellSeconds } from './scan.js';
import { shareOf } from './share.js';
import { tokensOf } from './tokens.js';

/** Learns from the training rows how a column becomes features. */
export type Fit = {
	add(cell: Cell): void;
	/** The features; null for a column that says nothing in the training rows. Throws ProblemError for one that has no cell of its kind. */
	feature(): Feature | null;
};

const numbersDefault = { fill: 'mean', clip: 0 } as const;
const categoriesDefault = { most: 100 };
const textsDefault = { as: 'terms', tokens: 64, vocabulary: 20_000, terms: 2048, pairs: true, sublinear: true, rows: 2 } as const;

/** Numbers from which quantiles are taken, and different categories and terms that are counted at a time: of a column, and of all together. */
const SAMPLE = { each: 50_000, all: 4_000_000 };
const CATEGORIES = { each: 100_000, all: 1_000_000 };
const TERMS = { each: 500_000, all: 1_000_000 };

/** Mean and deviation of numbers as they come (Welford), and a sample of them drawn by Vitter's algorithm R. */
class Moments {
	count = 0;
	mean = 0;
	#squares = 0;
	readonly #sample: number[] = [];
	readonly #random: CounterRandom;
	readonly #most: number;

	/** Of at most `most` numbers quantiles are taken, drawn by random numbers that are called `stream`. */
	constructor(stream: string, most = 0) {
		this.#random = counterRandom(1, stream);
		this.#most = most;
	}

	add(value: number): void {
		this.count++;
		const change = value - this.mean;
		this.mean += change / this.count;
		this.#squares += change * (value - this.mean);
		if (this.#sample.length < this.#most) this.#sample.push(value);
		else if (this.#most > 0) {
			const place = Math.floor(this.#random.uniform() * this.count);
			if (place < this.#most) this.#sample[place] = value;
		}
	}

	get deviation(): number {
		return Math.sqrt(this.#squares / Math.max(1, this.count));
	}

	/** The quantiles at some places, by linear interpolation between the two numbers beside each. */
	quantiles(places: readonly number[]): number[] {
		const sorted = Float64Array.from(this.#sample).sort();
		return places.map((place) => {
			const at = place * (sorted.length - 1);
			const below = sorted[Math.floor(at)] as number;
			return below + (at - Math.floor(at)) * ((sorted[Math.ceil(at)] as number) - below);
		});
	}
}

/** 1 / deviation, or 0 for a constant, which then says nothing. */
const inverseOf = (deviation: number): number => (deviation > 0 && Number.isFinite(1 / deviation) ? 1 / deviation : 0);

function refuse(column: Column, what: string): never {
	throw new ProblemError(
		'invalid_dataset',
		`Column ${JSON.stringify(column.name)}: expected ${what}, found none in the training rows`,
		'manifest.kinds',
	);
}

function fitNumber(column: Column, manifest: TableManifest, columns: number): Fit {
	const { fill: how, clip: share } = { ...numbersDefault, ...manifest.numbers };
	const moments = new Moments(column.name, how === 'median' || share > 0 ? shareOf(SAMPLE, columns) : 0);
	let missing = 0;
	return {
		add(cell) {
			const value = cellNumber(cell, column.reading);
			if (Number.isFinite(value)) moments.add(value);
			else missing++;
		},
		feature(): NumberFeature | null {
			if (moments.count === 0) refuse(column, 'numbers');
			const clip = share > 0 ? (moments.quantiles([share, 1 - share]) as [number, number]) : null;
			const inverse = inverseOf(moments.deviation);
			if (inverse === 0 && missing === 0) return null;
			const fill = how === 'median' ? (moments.quantiles([0.5])[0] as number) : moments.mean;
			return { kind: 'number', column: column.name, fill, mean: moments.mean, inverse, flag: missing > 0, clip };
		},
	};
}

function fitCategory(column: Column, manifest: TableManifest, columns: number): Fit {
	const { most } = { ...categoriesDefault, ...manifest.categories };
	const counted = Math.max(most, shareOf(CATEGORIES, columns));
	const counts = new Map<string, number>();
	const spellings = new Set<string>();
	let missing = 0;
	return {
		add(cell) {
			const text = categoryText(cell);
			if (textOf(cell, column.reading.missing) === null) {
				missing++;
				if (text !== '' && spellings.size < 100) spellings.add(ownText(text));
				return;
			}
			const count = counts.get(text);
			if (count !== undefined) counts.set(text, count + 1);
			else if (counts.size < counted) counts.set(ownText(text), 1);
		},
		feature(): CategoryFeature | null {
			if (counts.size === 0) refuse(column, 'categories');
			const often = [...counts].sort(byCount);
			// Of many categories those that a single row has are no better known than ones that none has.
			const kept = often.length > 20 ? often.filter(([, count]) => count > 1) : often;
			if (kept.length === 0 || (kept.length === 1 && often.length === 1 && missing === 0)) return null;
			return {
				kind: 'category',
				column: column.name,
				categories: kept.slice(0, most).map(([text]) => text),
				missing: [...spellings].sort(),
				flag: missing > 0,
			};
		},
	};
}

function fitDate(column: Column): Fit {
	const moments = new Moments(column.name);
	let missing = 0;
	let time = false;
	return {
		add(cell) {
			const seconds = cellSeconds(cell, column.reading);
			if (Number.isNaN(seconds)) {
				missing++;
				return;
			}
			moments.add(seconds);
			time ||= seconds % 86_400 !== 0;
		},
		feature(): DateFeature | null {
			if (moments.count === 0) refuse(column, 'dates');
			const inverse = inverseOf(moments.deviation);
			if (inverse === 0 && missing === 0) return null;
			return { kind: 'date', column: column.name, fill: moments.mean, mean: moments.mean, inverse, time, flag: missing > 0 };
		},
	};
}

function fitText(column: Column, manifest: TableManifest, columns: number): Fit {
	const { terms: most, pairs, sublinear, rows: least } = { ...textsDefault, ...manifest.texts };
	const frequencies = new DocumentFrequencies(Math.max(2 * most, shareOf(TERMS, columns)), pairs);
	return {
		add: (cell) => frequencies.add(tokensOf(plainText(cell, column.reading))),
		feature(): TextFeature | null {
			const { rows } = frequencies;
			if (rows === 0) refuse(column, 'text');
			const found = frequencies.often(least, most);
			const own = found.length > 0 ? found : frequencies.often(1, most);
			const ordered = [...own.filter(([term]) => !term.includes(' ')), ...own.filter(([term]) => term.includes(' '))];
			return {
				kind: 'text',
				column: column.name,
				terms: ordered.map(([term]) => term),
				weights: ordered.map(([, count]) => Math.log((1 + rows) / (1 + count)) + 1),
				sublinear,
			};
		},
	};
}

function fitTokens(column: Column, manifest: TableManifest, columns: number): Fit {
	const { tokens, vocabulary, rows: least } = { ...textsDefault, ...manifest.texts };
	const frequencies = new DocumentFrequencies(Math.max(2 * vocabulary, shareOf(TERMS, columns)), false);
	return {
		add: (cell) => frequencies.add(tokensOf(plainText(cell, column.reading))),
		feature(): TokensFeature {
			if (frequencies.rows === 0) refuse(column, 'text');
			// A word that few rows have teaches what becomes of those that none has.
			const found = frequencies.often(least, vocabulary);
			const words = found.length > 0 ? found : frequencies.often(1, vocabulary);
			return { kind: 'tokens', column: column.name, size: tokens, words: words.map(([word]) => word) };
		},
	};
}

function fitVector(column: Column): Fit {
	const moments: Moments[] = [];
	return {
		add(cell) {
			if (typeof cell !== 'object' || cell === null) return;
			cell.forEach((value, i) => {
				moments[i] ??= new Moments(`${column.name}[${i}]`);
				if (typeof value === 'number' && Number.isFinite(value)) (moments[i] as Moments).add(value);
			});
		},
		feature(): VectorFeature | null {
			if (moments.length === 0) refuse(column, 'lists of numbers');
			return {
				kind: 'vector',
				column: column.name,
				size: moments.length,
				mean: moments.map(({ mean }) => mean),
				inverse: moments.map(({ deviation }) => inverseOf(deviation)),
			};
		},
	};
}

/** Nothing is learned of sequences: what trains on them standardises them. */
function fitSequence(column: Column): Fit {
	let any = false;
	return {
		add(cell) {
			any ||= typeof cell === 'object' && cell !== null && cell.length > 0;
		},
		feature(): SequenceFeature {
			if (!any || column.sequence === null) refuse(column, 'lists of numbers');
			return { kind: 'sequence', column: column.name, ...column.sequence };
		},
	};
}

/** What learns how a column becomes features. `columns`: how many of its kind there are, between which memory is divided. */
export function fitOf(column: Column, manifest: TableManifest, columns: number): Fit {
	switch (column.kind) {
		case 'number':
			return fitNumber(column, manifest, columns);
		case 'category':
			return fitCategory(column, manifest, columns);
		case 'date':
			return fitDate(column);
		case 'text':
			return manifest.texts?.as === 'tokens' ? fitTokens(column, manifest, columns) : fitText(column, manifest, columns);
		case 'vector':
			return fitVector(column);
		case 'sequence':
			return fitSequence(column);
		case null:
			throw new Error(`column ${column.name} has no kind`);
	}
}
