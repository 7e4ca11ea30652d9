/** A line of a chart: points from left to right; null where there is no value. */
export type Series = {
	readonly name: string;
	/** Which of the eight colours of series it has, from 0. */
	readonly color: number;
	/** Rising. */
	readonly x: readonly number[];
	readonly y: readonly (number | null)[];
	/** The range around the line, point by point. */
	readonly band?: { readonly low: readonly (number | null)[]; readonly high: readonly (number | null)[]; readonly name: string };
	readonly dashed?: boolean;
	/** Drawn behind the others, as the raw values behind a smoothed line. */
	readonly faint?: boolean;
	/** Whether it has no entry of its own in the legend, as all folds of a model but the first. */
	readonly unlisted?: boolean;
	/** Points that are marked, such as the best epoch. */
	readonly marks?: readonly { readonly x: number; readonly y: number; readonly name: string }[];
};

export type Axis = {
	readonly label: string;
	readonly log?: boolean;
	/** From where to where it goes; by the values unless given. */
	readonly range?: readonly [number, number];
	/** Whether only whole numbers are of use, as for epochs. */
	readonly whole?: boolean;
};

/** Lines over an axis: what is shown, saved as a picture and written as CSV. */
export type Chart = {
	readonly title: string;
	readonly x: Axis;
	readonly y: Axis;
	readonly series: readonly Series[];
	/** Whether the line y = x is drawn, against which curves of ROC and reliability are held. */
	readonly diagonal?: boolean;
};

/** Rows of a table that says what a chart shows: the names of columns, then the values. */
export type Numbers = { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number | null)[])[] };

/** The numbers of a chart, a row for each x of each line. */
export function numbersOf({ x, y, series }: Chart): Numbers {
	const hasBand = series.some(({ band }) => band !== undefined);
	const rows = series.flatMap(({ name, x: xs, y: ys, band }) =>
		xs.map((at, i) => [name, at, ys[i] ?? null, ...(hasBand ? [band?.low[i] ?? null, band?.high[i] ?? null] : [])]),
	);
	return { columns: ['series', x.label, y.label, ...(hasBand ? ['low', 'high'] : [])], rows };
}

const cell = (value: string | number | null): string => {
	if (value === null) return '';
	const text = String(value);
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Numbers as CSV (RFC 4180). */
export const csvOf = ({ columns, rows }: Numbers): string => [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');

/** The least and the largest of numbers that are there; null where there are none. */
export function extent(values: Iterable<number | null>): [number, number] | null {
	let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
	for (const value of values) {
		if (value === null || !Number.isFinite(value)) continue;
		if (value < low) low = value;
		if (value > high) high = value;
	}
	return low > high ? null : [low, high];
}

/** A line smoothed by an exponential moving average, whose start is not drawn to zero. `strength`: from 0, the line itself, to below 1. */
export function smoothed(values: readonly (number | null)[], strength: number): (number | null)[] {
	let [sum, weight] = [0, 0];
	return values.map((value) => {
		if (value === null || !Number.isFinite(value)) return value;
		sum = strength * sum + (1 - strength) * value;
		weight = strength * weight + (1 - strength);
		return sum / weight;
	});
}
