/** Rows that are drawn beyond what is seen, so that fast scrolling shows no gap. */
const BEYOND = 8;

/** Which rows of a long list are drawn: from `first` up to, but not, `end`. All rows have one height, in pixels. */
export function visibleRows(count: number, rowHeight: number, scrolled: number, height: number): { first: number; end: number } {
	const first = Math.max(0, Math.min(count, Math.floor(scrolled / rowHeight) - BEYOND));
	const end = Math.max(first, Math.min(count, Math.ceil((scrolled + height) / rowHeight) + BEYOND));
	return { first, end };
}
