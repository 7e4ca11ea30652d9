/** The mean of lists of one shape, place by place; null where no list has a number. Rows that lack the list are left out. */
export function meanOf(lists: readonly unknown[], isWhole = false): unknown {
	const there = lists.filter((list) => list !== null && list !== undefined);
	const [first] = there;
	if (first === undefined) return null;
	if (Array.isArray(first))
		return first.map((_, i) =>
			meanOf(
				there.map((list) => (Array.isArray(list) ? list[i] : null)),
				isWhole,
			),
		);
	const numbers = there.filter((value) => typeof value === 'number' || typeof value === 'boolean').map(Number);
	if (numbers.length === 0) return null;
	const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
	return isWhole ? Math.round(mean) : mean;
}
