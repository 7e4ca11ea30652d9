import { InvalidArgumentError } from 'commander';

/** Reads an option as a whole number; Commander names the option and what was found where it throws. */
export const wholeNumber =
	(least: number, most = Number.MAX_SAFE_INTEGER) =>
	(text: string): number => {
		const value = Number(text);
		if (/^\d+$/.test(text) && value >= least && value <= most) return value;
		throw new InvalidArgumentError(
			most === Number.MAX_SAFE_INTEGER
				? `Expected a whole number of at least ${least}.`
				: `Expected a whole number from ${least} to ${most}.`,
		);
	};

/** Reads an option as a probability that is neither 0 nor 1; Commander names the option and what was found where it throws. */
export function probability(text: string): number {
	const value = text.trim() === '' ? Number.NaN : Number(text);
	if (value > 0 && value < 1) return value;
	throw new InvalidArgumentError('Expected a number between 0 and 1.');
}
