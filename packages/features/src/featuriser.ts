import type { SequenceForm } from './sequences.js';

/** A column of numbers: `(clip(x or fill) − mean) · inverse`, and where `flag` is set a 1 for a missing one. */
export type NumberFeature = {
	readonly kind: 'number';
	readonly column: string;
	readonly fill: number;
	readonly mean: number;
	readonly inverse: number;
	readonly flag: boolean;
	/** The least and the largest number that counts as itself; null where all do. */
	readonly clip: readonly [low: number, high: number] | null;
};

/** A column of categories: a 1 for the one that is there, in the order of `categories`, then for a missing one where `flag` is set, then for any other. */
export type CategoryFeature = {
	readonly kind: 'category';
	readonly column: string;
	readonly categories: readonly string[];
	/** The texts that mean that nothing is there, beside the empty one. */
	readonly missing: readonly string[];
	readonly flag: boolean;
};

/** A column of moments, in seconds since 1970: `(s − mean) · inverse` of the seconds and of the year, the place in the year, month, week and, where `time` is set, day as sine and cosine, and where `flag` is set a 1 for a missing one. */
export type DateFeature = {
	readonly kind: 'date';
	readonly column: string;
	readonly fill: number;
	readonly mean: number;
	readonly inverse: number;
	readonly time: boolean;
	readonly flag: boolean;
};

/** A column of text: how often each term (a word, or two that follow each other) occurs, times its weight, scaled to length 1 a row. */
export type TextFeature = {
	readonly kind: 'text';
	readonly column: string;
	/** Words, and behind them pairs joined by a space. */
	readonly terms: readonly string[];
	/** ln((1 + rows) / (1 + rows with the term)) + 1 of each term (scikit-learn's smooth idf). */
	readonly weights: readonly number[];
	/** Whether n occurrences count as 1 + ln n. */
	readonly sublinear: boolean;
};

/** A column of lists of `size` numbers: `(x − mean) · inverse` of each. A missing list is all zeros. */
export type VectorFeature = {
	readonly kind: 'vector';
	readonly column: string;
	readonly size: number;
	readonly mean: readonly number[];
	readonly inverse: readonly number[];
};

/**
 * A column of lists of up to `steps` steps, each a number, or a list of `features` numbers where that is not null. They are given as they are, in float32, filled up with
 * zeros, with a mask of the steps that are there: what trains on them standardises them. It is alone in its modality.
 */
export type SequenceFeature = { readonly kind: 'sequence'; readonly column: string } & SequenceForm;

/**
 * A column of text as ids of its first `size` words: 1 and so on for `words` in their order, 0 for any other word, and a mask of the words that are there. It is alone in
 * its modality.
 */
export type TokensFeature = {
	readonly kind: 'tokens';
	readonly column: string;
	readonly size: number;
	readonly words: readonly string[];
};

export type Feature = NumberFeature | CategoryFeature | DateFeature | TextFeature | VectorFeature | SequenceFeature | TokensFeature;

/** The features of one modality. `masked`: some row has nothing in any of its columns, and all its features are 0 then. */
export type FeaturisedModality = { readonly name: string; readonly masked: boolean; readonly features: readonly Feature[] };

/** The column that a modality is, where it has a mask for what lies along the first axis of a row, its steps or words; null for other modalities. */
export const markedOf = ({ features: [first] }: Pick<FeaturisedModality, 'features'>): SequenceFeature | TokensFeature | null =>
	first?.kind === 'sequence' || first?.kind === 'tokens' ? first : null;

/** How many steps or words of a row the mask of such a column marks. */
export const marksOf = (feature: SequenceFeature | TokensFeature): number => (feature.kind === 'sequence' ? feature.steps : feature.size);

/** The ids that a column of words may have. */
export const idsOf = ({ words }: TokensFeature): number => 1 + words.length;

/** How the texts of a column are read as numbers or dates. */
export type TextReading = { readonly decimal: '.' | ','; readonly day_first: boolean };

/** How the raw columns of a table become the features of modalities. It was fitted on the training rows alone. */
export type Featuriser = {
	readonly version: 1;
	readonly modalities: readonly FeaturisedModality[];
	/** Texts, in lower case, that mean that nothing is there. */
	readonly missing: readonly string[];
	/** By the name of the column. */
	readonly readings: Readonly<Record<string, TextReading>>;
};

/** How many numbers of a row a column becomes. */
export function widthOf(feature: Feature): number {
	switch (feature.kind) {
		case 'number':
			return 1 + (feature.flag ? 1 : 0);
		case 'category':
			return feature.categories.length + (feature.flag ? 1 : 0) + 1;
		case 'date':
			return 2 + 2 * (feature.time ? 4 : 3) + (feature.flag ? 1 : 0);
		case 'text':
			return feature.terms.length;
		case 'vector':
			return feature.size;
		case 'sequence':
			return feature.steps * (feature.features ?? 1);
		case 'tokens':
			return feature.size;
	}
}

const circleNames = (part: string, column: string): string[] => [`sine of the ${part} of ${column}`, `cosine of the ${part} of ${column}`];

/** What each number of a row says of a column that holds no numbers, in words. */
function namesOf(feature: Exclude<Feature, NumberFeature>): string[] {
	const { column } = feature;
	switch (feature.kind) {
		case 'category': {
			const own = feature.categories.map((category) => `${column} = ${category}`);
			return [...own, ...(feature.flag ? [`${column} is missing`] : []), `${column} is another`];
		}
		case 'date': {
			const parts = ['year', 'month', 'week', ...(feature.time ? ['day'] : [])];
			const own = [`${column}`, `year of ${column}`, ...parts.flatMap((part) => circleNames(part, column))];
			return [...own, ...(feature.flag ? [`${column} is missing`] : [])];
		}
		case 'text':
			return feature.terms.map((term) => `${column} has "${term}"`);
		case 'vector':
			return Array.from({ length: feature.size }, (_, i) => `${column}[${i}]`);
		case 'sequence':
			return feature.features === null ? [column] : Array.from({ length: feature.features }, (_, i) => `${column}[:, ${i}]`);
		case 'tokens':
			return Array.from({ length: feature.size }, (_, i) => `word ${i} of ${column}`);
	}
}

export const isNumber = (feature: Feature): feature is NumberFeature => feature.kind === 'number';
/** Whether a column is neither of numbers, which one pass computes together, nor alone in its modality. */
export const isOther = (feature: Feature): feature is Exclude<Feature, NumberFeature | SequenceFeature | TokensFeature> =>
	feature.kind !== 'number' && feature.kind !== 'sequence' && feature.kind !== 'tokens';
const isNoNumber = (feature: Feature): feature is Exclude<Feature, NumberFeature> => feature.kind !== 'number';

/** What each feature of a modality (of a sequence: of each of its steps) says, in words: its numbers come first, then what is missing of them, then its other columns. */
export function featureNames({ features }: FeaturisedModality): string[] {
	const numbers = features.filter(isNumber);
	return [
		...numbers.map(({ column }) => column),
		...numbers.filter(({ flag }) => flag).map(({ column }) => `${column} is missing`),
		...features.filter(isNoNumber).flatMap(namesOf),
	];
}

/** Whether standard operators of ONNX compute all features; text needs operators of ONNX Runtime. */
export const isStandard = ({ modalities }: Featuriser): boolean =>
	modalities.every(({ features }) => features.every(({ kind }) => kind !== 'text' && kind !== 'tokens'));
