import { ProblemError } from '@steelyard/contracts';

/** A place in a file; rows, steps and columns count from 0, as the `index` in an instance of more axes does. */
export type Place = { row?: number; step?: number; column?: number; columnName?: string | undefined; index?: readonly number[] };

const placeText = ({ row, step, column, columnName, index }: Place): string =>
	[
		row === undefined ? [] : [` row ${row}`],
		step === undefined ? [] : [` step ${step}`],
		column === undefined ? [] : [` column ${column}${columnName === undefined ? '' : ` (${columnName})`}`],
		index === undefined ? [] : [` index (${index.join(', ')})`],
	]
		.flat()
		.join(',');

/** The error for a dataset that is refused: it names the file, the place in it, what was expected and what was found; `param` is the file. */
export function refusal(file: string, expected: string, found: string, place: Place = {}): ProblemError {
	return new ProblemError('invalid_dataset', `${file}${placeText(place)}: expected ${expected}, found ${found}`, file);
}
