/** The name of a dimension that is enough among others: the last part of its path, where no other ends so. */
export function shortName(path: string, paths: readonly string[]): string {
	const last = (of: string): string => of.slice(of.lastIndexOf('.') + 1);
	return paths.filter((one) => last(one) === last(path)).length > 1 ? path : last(path);
}

/** The value of a dimension as text, a number with four digits that count; a dash where the dimension does not exist beside the others. */
export const valueText = (value: unknown): string =>
	value === undefined
		? '–'
		: typeof value === 'number'
			? String(Number(value.toPrecision(4)))
			: typeof value === 'string'
				? value
				: JSON.stringify(value);
