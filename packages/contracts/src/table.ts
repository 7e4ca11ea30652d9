import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { HISTOGRAM_BINS } from './histogram.js';
import { CLASS_NAME, MOST_MODALITIES, NAME, type NameRule } from './name-pattern.js';
import { recordOf } from './record.js';
import { TASK_TYPES } from './task-type.js';

/** What the cells of a column are. `vector`: lists of numbers, all of one length. `sequence`: lists of steps, each a number or a list of as many numbers. */
export const COLUMN_KINDS = ['number', 'category', 'text', 'date', 'vector', 'sequence'] as const;
export type ColumnKind = (typeof COLUMN_KINDS)[number];

/** What a column is for. `ignored`: nothing. */
export const COLUMN_ROLES = ['feature', 'label', 'split', 'group', 'ignored'] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];

const COLUMN_NAME: NameRule = { pattern: '^[^\\u0000-\\u001f]{1,200}$', description: '1 to 200 characters of one line' };
const columnName = (description: string) => Type.String({ ...COLUMN_NAME, description });
const patterns = Type.Array(Type.String({ ...COLUMN_NAME }), { minItems: 1, maxItems: 4096 });
const somePatterns = Type.Union([Type.String({ ...COLUMN_NAME }), patterns]);

const ofKinds = Type.Object(
	{
		number: Type.Optional(somePatterns),
		category: Type.Optional(somePatterns),
		text: Type.Optional(somePatterns),
		date: Type.Optional(somePatterns),
		vector: Type.Optional(somePatterns),
		sequence: Type.Optional(somePatterns),
	},
	{ additionalProperties: false, minProperties: 1 },
);

/** How one table is cut into splits, where no column says which row is in which. */
const shares = Type.Object(
	{
		valid: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description:
					'share of the rows for validation; each job draws its own where it is 0; unless given 0, and 0.16 of a table that is cut by time, so that validation rows too come after those of training',
			}),
		),
		test: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.2, description: 'share of the rows for the test' })),
		seed: Type.Optional(
			Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, default: 1, description: 'rows are drawn by it, the same share of each class' }),
		),
	},
	{ additionalProperties: false },
);

/** `manifest.json` of a dataset that is a table; unknown keys are kept and ignored. What it does not say is inferred. */
export const TableManifest = Type.Object({
	name: Type.Optional(Type.String({ maxLength: 200, description: 'a short name' })),
	title: Type.Optional(Type.String({ maxLength: 2000, description: 'one line that says what the dataset is' })),
	label: Type.Optional(
		Type.Union([columnName('the column, or a pattern that several fit'), patterns], {
			description:
				'the column that is to be predicted; the one called label, target, y, class or outcome unless given; of a multilabel task also several columns of 0 and 1: names, or patterns in which * stands for any characters',
		}),
	),
	label_separator: Type.Optional(
		Type.String({
			minLength: 1,
			maxLength: 8,
			description: 'what stands between the labels of a row, where one column holds several in a cell, such as | in fracture|effusion',
		}),
	),
	task: Type.Optional(
		Type.Object(
			{
				type: Type.Optional(choice(TASK_TYPES, { description: 'what is predicted; inferred from the labels unless given' })),
				classes: Type.Optional(
					Type.Array(Type.String({ maxLength: 200, ...CLASS_NAME }), {
						minItems: 2,
						maxItems: 100_000,
						description:
							'the labels of the classes in the order of their numbers; in the order of the alphabet, or of numbers, unless given; several columns of 0 and 1 are the classes themselves',
					}),
				),
			},
			{ description: 'what the labels mean' },
		),
	),
	missing_labels: Type.Optional(choice(['refuse', 'drop'], { default: 'refuse', description: 'what is done with rows without a label' })),
	columns: Type.Optional(
		recordOf(NAME, Type.Union([patterns, ofKinds]), {
			minProperties: 1,
			maxProperties: MOST_MODALITIES,
			description:
				'the columns of each modality: names, in which * stands for any characters, or these by kind, such as {"labs": ["lab_*"], "note": {"text": "note"}}; other columns are ignored; one modality per kind, and per column of text, unless given',
		}),
	),
	kinds: Type.Optional(
		Type.Record(Type.String({ ...COLUMN_NAME }), choice([...COLUMN_KINDS, 'ignored']), {
			additionalProperties: false,
			propertyNames: { type: 'string', ...COLUMN_NAME },
			maxProperties: 4096,
			description: 'kinds of columns that were inferred wrongly, or columns to leave out',
		}),
	),
	split: Type.Optional(
		Type.Union([columnName('the column whose cells are train, valid or test'), shares], {
			description:
				'the column that says in which split a row is, or the shares into which the table is cut; a fifth of the rows is for the test unless given',
		}),
	),
	group: Type.Optional(columnName('the column whose equal cells (patients, speakers) must stay in one split')),
	time: Type.Optional(columnName('the column of dates by which the table is cut: the last rows are for the test')),
	delimiter: Type.Optional(Type.String({ minLength: 1, maxLength: 1, description: 'the character between cells; guessed unless given' })),
	decimal: Type.Optional(choice(['.', ','], { description: 'the decimal mark; inferred for each column unless given' })),
	day_first: Type.Optional(
		Type.Boolean({
			description: 'whether 3/4/2020 is a day in April; inferred from days beyond 12 in the column unless given, else false',
		}),
	),
	missing: Type.Optional(
		Type.Array(Type.String({ maxLength: 200 }), {
			maxItems: 100,
			description: 'cells that mean nothing is there, beside empty ones; NA, N/A, NaN, null, None and the like unless given',
		}),
	),
	numbers: Type.Optional(
		Type.Object(
			{
				fill: Type.Optional(
					choice(['mean', 'median'], { default: 'mean', description: 'what stands for a missing number, of the training rows' }),
				),
				clip: Type.Optional(
					Type.Number({
						minimum: 0,
						exclusiveMaximum: 0.5,
						default: 0,
						description: 'numbers below this quantile of the training rows, and above that of 1 less it, count as it',
					}),
				),
			},
			{ additionalProperties: false, description: 'how numbers become features' },
		),
	),
	categories: Type.Optional(
		Type.Object(
			{
				most: Type.Optional(
					Type.Integer({
						minimum: 1,
						maximum: 10_000,
						default: 100,
						description: 'how many categories of a column have a feature of their own',
					}),
				),
			},
			{ additionalProperties: false, description: 'how categories become features' },
		),
	),
	texts: Type.Optional(
		Type.Object(
			{
				as: Type.Optional(
					choice(['terms', 'tokens'], {
						default: 'terms',
						description:
							'terms: how often each of the words and pairs of words occurs, weighed by TF-IDF; tokens: its words as ids of tokens, of each of which a built-in family learns a vector',
					}),
				),
				tokens: Type.Optional(
					Type.Integer({
						minimum: 2,
						maximum: 4096,
						default: 64,
						description: 'of tokens, how many words of a text are read, the first ones',
					}),
				),
				vocabulary: Type.Optional(
					Type.Integer({
						minimum: 1,
						maximum: 1_000_000,
						default: 20_000,
						description: 'of tokens, how many words have an id of their own, those that most rows have; all others share one',
					}),
				),
				terms: Type.Optional(
					Type.Integer({
						minimum: 1,
						maximum: 65_536,
						default: 2048,
						description: 'how many words and pairs of words have a feature, those that most rows have',
					}),
				),
				pairs: Type.Optional(Type.Boolean({ default: true, description: 'whether pairs of words that follow each other are terms' })),
				sublinear: Type.Optional(Type.Boolean({ default: true, description: 'whether a term that occurs n times counts as 1 + ln n' })),
				rows: Type.Optional(
					Type.Integer({ minimum: 1, maximum: 1_000_000, default: 2, description: 'how many training rows must have a term at least' }),
				),
			},
			{ additionalProperties: false, description: 'how text becomes features' },
		),
	),
	sequences: Type.Optional(
		Type.Object(
			{
				steps: Type.Optional(
					Type.Integer({
						minimum: 1,
						maximum: 1_000_000,
						description: 'to how many steps every list is filled up, which none may exceed; those of the longest list unless given',
					}),
				),
			},
			{ additionalProperties: false, description: 'how lists of several lengths become sequences' },
		),
	),
	about: Type.Optional(Type.Unknown({ description: 'anything else, which is kept and not read' })),
});
export type TableManifest = Static<typeof TableManifest>;

const counted = Type.Integer({ description: 'how many are counted' });

/** How the numbers of a column are spread. */
const NumbersDistribution = Type.Object({
	of: choice(['numbers', 'dates', 'words'], { description: 'dates: as unix seconds; words: how many words each text has' }),
	count: counted,
	sampled: Type.Boolean({ description: 'whether they are those of rows that were drawn at random, at most 5,000 of a longer table' }),
	min: Type.Number(),
	max: Type.Number(),
	mean: Type.Number(),
	std: Type.Number({ description: 'the root of their mean squared distance from the mean' }),
	counts: Type.Array(Type.Integer(), {
		description: `how many lie in each of ${HISTOGRAM_BINS} intervals of equal width between min and max; one between two intervals is counted in the higher one, and all are in the first where min is max`,
	}),
});

/** How often the values of a column occur. */
const ValuesDistribution = Type.Object({
	of: choice(['values'], { description: 'values as they stand in the table, of categories and of labels that are classes' }),
	count: counted,
	values: Type.Array(Type.Object({ value: Type.String({ description: 'at most 200 characters of it' }), count: Type.Integer() }), {
		description:
			'the most frequent ones, at most 20, or 5 of very wide tables; of a column with more different values than are told apart, those among the values that came first',
	}),
	others: Type.Integer({ description: 'how many cells have another value' }),
});

/** How the values of a column are spread. */
export const ColumnDistribution = Type.Union([NumbersDistribution, ValuesDistribution], {
	description: 'how its values are spread, of features and labels; absent for lists, and in datasets of earlier versions',
});
export type ColumnDistribution = Static<typeof ColumnDistribution>;

/** What was found in a column of a table, and what became of it. */
export const ColumnProfile = Type.Object({
	name: Type.String(),
	role: choice(COLUMN_ROLES, { description: 'what the column is for' }),
	kind: Type.Optional(choice(COLUMN_KINDS, { description: 'what its cells are, of features and labels' })),
	modality: Type.Optional(Type.String({ description: 'the modality that the features of the column are in' })),
	features: Type.Optional(Type.Integer({ description: 'how many numbers of a row the column became' })),
	missing: Type.Number({ minimum: 0, maximum: 1, description: 'the share of rows without a value' }),
	distinct: Type.Optional(
		Type.Integer({ description: 'how many different values there are; absent where there are more than were counted' }),
	),
	length: Type.Optional(
		Type.Object(
			{ min: Type.Number(), mean: Type.Number(), max: Type.Number() },
			{ description: 'of lists, how long those are that are not empty' },
		),
	),
	distribution: Type.Optional(ColumnDistribution),
	examples: Type.Array(Type.String(), { description: 'the first different values, at most three of 60 characters' }),
	note: Type.Optional(Type.String({ description: 'why it was read so, where that is not plain' })),
});
export type ColumnProfile = Static<typeof ColumnProfile>;

/** What a dataset was made of, where that was a table. */
export const TableProfile = Type.Object({
	files: Type.Array(Type.String(), { description: 'the files of the upload' }),
	rows: Type.Integer({ description: 'rows that were read, without those that were dropped; of a preview those that were looked at' }),
	dropped: Type.Optional(Type.Integer({ description: 'rows without a label that were left out' })),
	delimiter: Type.Optional(Type.String({ description: 'the character between cells' })),
	label: Type.Union([Type.String(), Type.Array(Type.String())], { description: 'the column that is predicted, or a list of several' }),
	columns: Type.Array(ColumnProfile),
	standard: Type.Boolean({
		description: 'whether its features are computed by standard ONNX operators alone; text needs those of ONNX Runtime',
	}),
});
export type TableProfile = Static<typeof TableProfile>;

/** How a table would be read, inferred from its first rows. */
export const TablePreview = Type.Object({
	object: choice(['table_preview']),
	...TableProfile.properties,
	task: Type.Object({
		type: choice(TASK_TYPES),
		classes: Type.Array(Type.String(), { description: 'of the rows that were looked at, the first 1000; empty for regression' }),
	}),
});
export type TablePreview = Static<typeof TablePreview>;
