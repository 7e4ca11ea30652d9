const LEVELS = '▁▂▃▄▅▆▇█';
/** The most characters of a line. */
const WIDTH = 40;

/** The mean of each of `count` parts of some values that are as equal in length as may be. */
function inParts(values: readonly number[], count: number): number[] {
	return Array.from({ length: count }, (_, i) => {
		const part = values.slice(Math.floor((i * values.length) / count), Math.floor(((i + 1) * values.length) / count));
		return part.reduce((sum, value) => sum + value, 0) / part.length;
	});
}

/** Finite values as a line of at most 40 characters, from the lowest for the least value to the highest for the largest; where all are equal, in the middle. */
export function sparkline(values: readonly number[]): string {
	const shown = values.length > WIDTH ? inParts(values, WIDTH) : values;
	const least = Math.min(...shown);
	const range = Math.max(...shown) - least;
	return shown.map((value) => LEVELS[range === 0 ? 3 : Math.min(7, Math.floor(((value - least) / range) * 8))]).join('');
}
