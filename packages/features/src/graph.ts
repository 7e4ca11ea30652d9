import { type Attribute, encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import type {
	CategoryFeature,
	DateFeature,
	Feature,
	Featuriser,
	NumberFeature,
	SequenceFeature,
	TextFeature,
	TokensFeature,
	VectorFeature,
} from './featuriser.js';
import { isNumber, isOther, markedOf, widthOf } from './featuriser.js';
import { TOKEN } from './tokens.js';

const BATCH = 'batch';
const strings = (value: readonly string[]): Attribute => ({ type: 'strings', value });
const string = (value: string): Attribute => ({ type: 'string', value });

/** The name of the graph's input for a column, which no other value can have. */
export const inputName = (column: string): string => `column/${column}`;
/** The name of the graph's input for the mask of a column of sequences. */
export const maskInputName = (column: string): string => `mask/${column}`;
/** The name of the graph's output for the features of a modality, and for its mask. */
export const featuresName = (modality: string): string => `x.${modality}`;
export const presenceName = (modality: string): string => `mask.${modality}`;

/** Parts of the features of a modality, `[batch, width]` float32 each, and which rows have something in a column, `[batch, 1]` bool each. */
type Parts = { readonly features: Value[]; readonly present: Value[] };

const isNaNOf = (g: GraphBuilder, x: Value): Value => g.op('IsNaN', [x], {}, { dtype: 'bool' });
const not = (g: GraphBuilder, x: Value): Value => g.op('Not', [x]);
const where = (g: GraphBuilder, condition: Value, a: Value, b: Value): Value =>
	g.op('Where', [condition, a, b], {}, { dtype: a.dtype, shape: condition.shape });
const asFloat = (g: GraphBuilder, x: Value): Value => g.cast(x, 'float32');
const row = (g: GraphBuilder, values: readonly number[]): Value => g.constant('float64', [1, values.length], values);

/** Columns `[batch]` side by side, `[batch, columns]`. */
const sideBySide = (g: GraphBuilder, columns: readonly Value[]): Value => {
	const upright = columns.map((column) => g.reshape(column, [BATCH, 1]));
	return upright.length === 1 ? (upright[0] as Value) : g.concat(upright, 1);
};

/** Columns of a matrix by their places. */
const columnsAt = (g: GraphBuilder, x: Value, places: readonly number[]): Value =>
	g.op('Gather', [x, g.ints(places)], { axis: 1 }, { shape: [BATCH, places.length] });

/** All numbers of a modality at once: one pass over a matrix, whatever the number of columns. */
function addNumbers(g: GraphBuilder, features: readonly NumberFeature[]): Parts {
	const shape = [BATCH, features.length];
	const raw = sideBySide(
		g,
		features.map(({ column }) => g.input(inputName(column), 'float64', [BATCH])),
	);
	const missing = isNaNOf(g, raw);
	let filled = g.op(
		'Where',
		[
			missing,
			row(
				g,
				features.map(({ fill }) => fill),
			),
			raw,
		],
		{},
		{ dtype: 'float64', shape },
	);
	if (features.some(({ clip }) => clip !== null)) {
		const lows = row(
			g,
			features.map(({ clip }) => clip?.[0] ?? -Number.MAX_VALUE),
		);
		const highs = row(
			g,
			features.map(({ clip }) => clip?.[1] ?? Number.MAX_VALUE),
		);
		filled = g.op('Min', [g.op('Max', [filled, lows], {}, { shape }), highs], {}, { shape });
	}
	const standard = g.mul(
		g.sub(
			filled,
			row(
				g,
				features.map(({ mean }) => mean),
			),
		),
		row(
			g,
			features.map(({ inverse }) => inverse),
		),
	);
	const flagged = features.flatMap(({ flag }, place) => (flag ? [place] : []));
	return {
		features: [asFloat(g, standard), ...(flagged.length === 0 ? [] : [columnsAt(g, asFloat(g, missing), flagged)])],
		present: [not(g, g.cast(g.reduce('ReduceMin', g.cast(missing, 'int32'), [1]), 'bool'))],
	};
}

function addCategories(g: GraphBuilder, feature: CategoryFeature): Parts {
	const { categories, flag, column } = feature;
	const raw = g.input(inputName(column), 'string', [BATCH]);
	const width = widthOf(feature);
	const missing = ['', ...feature.missing];
	// Where no training row lacked it, a missing one is just another.
	const missingAt = flag ? categories.length : width - 1;
	const codes = g.op(
		'ai.onnx.ml.LabelEncoder',
		[raw],
		{
			keys_strings: strings([...categories, ...missing]),
			values_int64s: [...categories.map((_, place) => place), ...missing.map(() => missingAt)],
			default_int64: width - 1,
		},
		{ dtype: 'int64' },
	);
	const encoded = g.op(
		'OneHot',
		[codes, g.constant('int64', [], [width]), g.constant('float32', [2], [0, 1])],
		{ axis: -1 },
		{ dtype: 'float32', shape: [BATCH, width] },
	);
	const absent = g.op(
		'ai.onnx.ml.LabelEncoder',
		[raw],
		{ keys_strings: strings(missing), values_int64s: missing.map(() => 0), default_int64: 1 },
		{ dtype: 'int64' },
	);
	return { features: [encoded], present: [g.reshape(g.cast(absent, 'bool'), [BATCH, 1])] };
}

/** sin and cos of 2π · part. */
const circle = (g: GraphBuilder, part: Value): Value[] => {
	const angle = asFloat(g, g.scale(2 * Math.PI, part));
	return [g.op('Sin', [angle]), g.op('Cos', [angle])];
};

const DAY = 86_400;
/** Days before 1970-01-01 at which the count of days begins: a 1st of March at the beginning of a cycle of 400 years, before any date. */
const CYCLE = 146_097;
const ORIGIN = 719_468 + 25 * CYCLE;

/** Year, and days since 1 January and since the first of the month, of days since 1970: Hinnant's `civil_from_days`, in whole numbers. */
function civil(g: GraphBuilder, days: Value): { year: Value; month: Value; day: Value } {
	const n = (value: number): Value => g.constant('int64', [], [value]);
	const div = (x: Value, by: number): Value => g.div(x, n(by));
	const times = (x: Value, by: number): Value => g.mul(x, n(by));
	const z = g.add(days, n(ORIGIN));
	const cycle = div(z, CYCLE);
	const inCycle = g.sub(z, times(cycle, CYCLE));
	const yearInCycle = div(g.sub(g.add(g.sub(inCycle, div(inCycle, 1460)), div(inCycle, 36_524)), div(inCycle, 146_096)), 365);
	const sinceMarch = g.sub(inCycle, g.sub(g.add(times(yearInCycle, 365), div(yearInCycle, 4)), div(yearInCycle, 100)));
	const monthFromMarch = div(g.add(times(sinceMarch, 5), n(2)), 153);
	const day = g.sub(sinceMarch, div(g.add(times(monthFromMarch, 153), n(2)), 5));
	const isNextYear = g.cast(g.op('Less', [n(9), monthFromMarch], {}, { dtype: 'bool', shape: days.shape }), 'int64');
	const month = g.sub(g.add(monthFromMarch, n(2)), times(isNextYear, 12));
	const year = g.add(g.sub(g.add(yearInCycle, times(cycle, 400)), n(10_000)), isNextYear);
	return { year, month, day };
}

function addDates(g: GraphBuilder, { column, fill, mean, inverse, time, flag }: DateFeature): Parts {
	const raw = g.input(inputName(column), 'float64', [BATCH]);
	const missing = isNaNOf(g, raw);
	const seconds = where(g, missing, g.scalar(fill, 'float64'), raw);
	const exactDays = g.div(seconds, g.scalar(DAY, 'float64'));
	const dayFloat = g.op('Floor', [exactDays]);
	const { year, month, day } = civil(g, g.cast(dayFloat, 'int64'));
	const number = (x: Value): Value => g.cast(x, 'float64');
	const inDay = g.sub(exactDays, dayFloat);
	// A month counts as 31 days, so that its first day is always at the same place.
	const inMonth = g.scale(1 / 31, number(day));
	const inYear = g.scale(1 / 12, g.add(number(month), inMonth));
	const inWeek = g.scale(
		1 / 7,
		number(g.op('Mod', [g.add(g.cast(dayFloat, 'int64'), g.constant('int64', [], [ORIGIN])), g.constant('int64', [], [7])])),
	);
	const years = (value: number): number => value / (365.2425 * DAY);
	const standard = (x: Value, by: number, scale: number): Value => asFloat(g, g.scale(scale, g.sub(x, g.scalar(by, 'float64'))));
	const parts = [
		standard(seconds, mean, inverse),
		standard(number(year), 1970 + years(mean), inverse * 365.2425 * DAY),
		...circle(g, inYear),
		...circle(g, inMonth),
		...circle(g, inWeek),
		...(time ? circle(g, inDay) : []),
		...(flag ? [asFloat(g, missing)] : []),
	];
	return { features: [sideBySide(g, parts)], present: [g.reshape(not(g, missing), [BATCH, 1])] };
}

/** The words of a column of text, `[batch, words]`, with "" behind the last one of a row that has fewer than others. */
function wordsOf(g: GraphBuilder, column: string): Value {
	const raw = g.input(inputName(column), 'string', [BATCH]);
	const lower = g.op('StringNormalizer', [raw], { case_change_action: string('LOWER'), is_case_sensitive: 1, locale: string('C') });
	return g.op(
		'com.microsoft.Tokenizer',
		[lower],
		{ mark: 0, mincharnum: 1, pad_value: string(''), tokenexp: string(TOKEN) },
		{ shape: [BATCH, 'tokens'] },
	);
}

function addText(g: GraphBuilder, { column, terms, weights, sublinear }: TextFeature): Parts {
	const tokens = wordsOf(g, column);
	const words = terms.filter((term) => !term.includes(' '));
	const pairs = terms.filter((term) => term.includes(' '));
	const shape = [BATCH, terms.length];
	let counts = g.op(
		'TfIdfVectorizer',
		[tokens],
		{
			mode: string('TF'),
			min_gram_length: 1,
			max_gram_length: pairs.length > 0 ? 2 : 1,
			max_skip_count: 0,
			ngram_counts: pairs.length > 0 ? [0, words.length] : [0],
			ngram_indexes: terms.map((_, place) => place),
			pool_strings: strings([...words, ...pairs.flatMap((pair) => pair.split(' '))]),
		},
		{ dtype: 'float32', shape },
	);
	const one = g.scalar(1);
	// ln of a count that is not there is that of 1, and the sign makes it 0 again.
	if (sublinear) counts = g.mul(g.op('Sign', [counts]), g.add(g.op('Log', [g.op('Max', [counts, one], {}, { shape })]), one));
	const weighed = g.mul(counts, g.constant('float32', [1, terms.length], weights));
	const length = g.op('Max', [g.reduce('ReduceL2', weighed, [1]), g.scalar(1e-6)], {}, { shape: [BATCH, 1] });
	const any = g.op('Less', [g.scalar(0), g.reduce('ReduceSum', counts, [1])], {}, { dtype: 'bool', shape: [BATCH, 1] });
	return { features: [g.div(weighed, length)], present: [any] };
}

function addVector(g: GraphBuilder, { column, size, mean, inverse }: VectorFeature): Parts {
	const raw = g.input(inputName(column), 'float64', [BATCH, size]);
	const missing = isNaNOf(g, raw);
	const filled = g.op('Where', [missing, row(g, mean), raw], {}, { dtype: 'float64', shape: [BATCH, size] });
	return {
		features: [asFloat(g, g.mul(g.sub(filled, row(g, mean)), row(g, inverse)))],
		present: [not(g, g.cast(g.reduce('ReduceMin', g.cast(missing, 'int32'), [1]), 'bool'))],
	};
}

/** Gives the steps that the mask marks, in float32, and zeros for the others. */
function addSequence(g: GraphBuilder, modality: string, { column, steps, features }: SequenceFeature): void {
	const raw = g.input(inputName(column), 'float64', features === null ? [BATCH, steps] : [BATCH, steps, features]);
	const mask = g.input(maskInputName(column), 'float32', [BATCH, steps]);
	const shape = [BATCH, steps, features ?? 1];
	const values = g.reshape(asFloat(g, raw), shape);
	const present = g.cast(g.reshape(mask, [BATCH, steps, 1]), 'bool');
	g.output(featuresName(modality), g.op('Where', [present, values, g.scalar(0)], {}, { dtype: 'float32', shape }));
	g.output(presenceName(modality), mask);
}

/** Gives the ids of the first words, and the mask of those that are there. */
function addTokens(g: GraphBuilder, modality: string, { column, size, words }: TokensFeature): void {
	const codes = g.op(
		'ai.onnx.ml.LabelEncoder',
		[wordsOf(g, column)],
		{ keys_strings: strings([...words, '']), values_int64s: [...words.map((_, place) => place + 1), -1], default_int64: 0 },
		{ dtype: 'int64' },
	);
	const shape = [BATCH, size];
	const long = g.op('Pad', [codes, g.ints([0, 0, 0, size]), g.constant('int64', [], [-1])], {}, { shape: [BATCH, 'padded'] });
	const first = g.op('Slice', [long, g.ints([0]), g.ints([size]), g.ints([1])], {}, { shape });
	const absent = g.op('Less', [first, g.constant('int64', [], [0])], {}, { dtype: 'bool', shape });
	const ids = g.op('Where', [absent, g.constant('int64', [], [0]), first], {}, { dtype: 'int64', shape });
	g.output(featuresName(modality), g.cast(ids, 'int32'));
	g.output(presenceName(modality), asFloat(g, not(g, absent)));
}

function partsOf(g: GraphBuilder, feature: Exclude<Feature, NumberFeature | SequenceFeature | TokensFeature>): Parts {
	switch (feature.kind) {
		case 'category':
			return addCategories(g, feature);
		case 'date':
			return addDates(g, feature);
		case 'text':
			return addText(g, feature);
		case 'vector':
			return addVector(g, feature);
	}
}

/**
 * The graph from raw columns to features. Inputs, `column/<name>`: numbers and dates `[batch]` float64 (NaN for a missing one; dates in seconds since
 * 1970-01-01 UTC), categories and text `[batch]` strings ("" for a missing one), lists `[batch, size]` float64. Outputs of each modality: `x.<modality>` `[batch, features]`
 * float32 and `mask.<modality>` `[batch]` float32, 1 where any of its columns has something. Sequences are `[batch, steps]` or `[batch, steps, features]` float64 with
 * `mask/<name>` `[batch, steps]` float32, 1 for a step that is there; their outputs are `[batch, steps, features]` and that mask. Those of text as tokens are ids `[batch, tokens]` int32 and a mask of the same shape.
 */
export function featuriserGraph({ modalities }: Featuriser): Graph {
	const g = new GraphBuilder('features/');
	for (const { name, masked, features } of modalities) {
		const marked = markedOf({ features });
		if (marked !== null) {
			if (marked.kind === 'sequence') addSequence(g, name, marked);
			else addTokens(g, name, marked);
			continue;
		}
		const numbers = features.filter(isNumber);
		const parts = [
			...(numbers.length === 0 ? [] : [addNumbers(g, numbers)]),
			...features.filter(isOther).map((feature) => partsOf(g, feature)),
		];
		const all = parts.flatMap(({ features: own }) => own);
		const joined = all.length === 1 ? (all[0] as Value) : g.concat(all, 1);
		const present = parts.flatMap(({ present: own }) => own).reduce((a, b) => g.op('Or', [a, b]));
		const mask = asFloat(g, present);
		g.output(featuresName(name), masked ? g.mul(joined, mask) : joined);
		g.output(presenceName(name), g.reshape(mask, [BATCH]));
	}
	return g.build('features');
}

/** The serialised graph. */
export const featuriserModel = (featuriser: Featuriser): Uint8Array => encodeModel({ graph: featuriserGraph(featuriser), opset: OPSET });
