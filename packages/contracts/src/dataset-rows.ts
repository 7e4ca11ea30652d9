import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

/** The most numbers that a row is shown with, and those of all rows of an answer together. */
export const MOST_SHOWN = { row: 200_000, answer: 400_000 };

/** Which rows of a dataset are asked for. */
export const RowsQuery = Type.Object(
	{
		split: Type.String({ minLength: 1, maxLength: 256, default: 'train', description: 'a split of the dataset' }),
		offset: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, default: 0, description: 'the first row, counted from 0' }),
		limit: Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'most rows that the answer may have' }),
	},
	{ additionalProperties: false },
);
export type RowsQuery = Static<typeof RowsQuery>;

/** A row as a request for predictions has it. */
export const DatasetRow = Type.Object({
	row: Type.Integer({ description: 'its number in the split, counted from 0' }),
	values: Type.Record(Type.String(), Type.Unknown(), {
		description:
			'of a table its cells by the names of the columns, without those of the labels; else its modalities, each a list of the shape that a row has in the dataset, with null for a modality, or a step of it, that is missing',
	}),
	label: Type.Union([Type.String(), Type.Number(), Type.Array(Type.Unknown()), Type.Null()], {
		description:
			'the name of the class, the value of a regression, or the names of the labels that apply; where positions have labels, a list of their values or of the indices of their classes, with null for those that do not count, and null where these are too many',
	}),
});
export type DatasetRow = Static<typeof DatasetRow>;

/** Some rows of a split of a dataset. */
export const DatasetRows = Type.Object({
	object: choice(['list']),
	split: Type.String(),
	total: Type.Integer({ description: 'rows of the split' }),
	kept: Type.Integer({
		description:
			'how many of these, from the first on, can be shown: all of arrays, of a table those that were kept as they were uploaded, at most 1000; 0 of a table that was uploaded to an earlier version',
	}),
	left_out: Type.Array(Type.String(), {
		description: `modalities that \`values\` is without, since a row would have more than ${MOST_SHOWN.row.toLocaleString('en-US')} numbers with them`,
	}),
	data: Type.Array(DatasetRow, {
		description: `in their order; fewer than were asked for where they would have more than ${MOST_SHOWN.answer.toLocaleString('en-US')} numbers together`,
	}),
	has_more: Type.Boolean({ description: 'whether more rows can be shown after these' }),
});
export type DatasetRows = Static<typeof DatasetRows>;
