import { dtypeOf, type ModalityProfile } from '../../dataset.js';
import type { ProblemError } from '../../problems.js';
import { misfit } from './misfit.js';
import type { GraphValue } from './shapes.js';

/** The least and the largest number of each integer type. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = Object.fromEntries(
	[8, 16, 32, 64].flatMap((bits) => [
		[`int${bits}`, [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1]],
		[`uint${bits}`, [0, 2 ** bits - 1]],
	]),
);

/** Up to here float32 has every whole number. */
const EXACT = 2 ** 24;

/**
 * The values of a modality are such that an input of integers, or of ids, can take: whole, in the range of the type, and rows of the table. Profiles and reports of older
 * versions do not say what values there are: then nothing is checked.
 */
export function* valueProblems(
	{ name, dtype, limit }: GraphValue,
	profile: ModalityProfile,
	what: string,
	param: string,
): Iterable<ProblemError> {
	const { min, max, whole } = profile;
	const range = RANGES[dtype];
	if (min === undefined || max === undefined || whole === undefined || (range === undefined && limit === undefined)) return;
	const taker = limit === undefined ? `takes ${dtype}` : `takes ids of the ${limit.size} rows of "${limit.table}"`;
	const refuse = (found: string): ProblemError => misfit(`The input "${name}" of the model ${taker}, but ${what} ${found}`, param);
	const [least, most] = limit === undefined ? (range as readonly [number, number]) : [0, limit.size - 1];
	if (!whole) yield refuse(`has numbers with a fraction, between ${min} and ${max}`);
	else if (min < least || max > most) yield refuse(`has numbers from ${min} to ${max}; expected ${least} to ${most}`);
	else if (dtypeOf(profile) === 'float32' && Math.max(-min, max) > EXACT)
		yield refuse(
			`is stored as float32 and has numbers up to ${Math.max(-min, max)}, where whole numbers are no longer exact; store integers`,
		);
}
