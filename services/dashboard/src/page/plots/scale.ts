import { type Axis, extent } from './chart.js';

/** Places values of an axis between two points of a picture. */
export type Scale = { (value: number): number; readonly ticks: readonly number[]; readonly range: readonly [number, number] };

/** Round numbers from `low` to `high`, about `wanted` of them. */
export function roundTicks(low: number, high: number, wanted: number, whole = false): number[] {
	const rough = (high - low) / Math.max(1, wanted);
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = Math.max(whole ? 1 : 0, power * ([1, 2, 5].find((n) => n * power >= rough) ?? 10));
	const first = Math.ceil(low / step - 1e-9);
	const last = Math.floor(high / step + 1e-9);
	return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The powers of ten within a range; also their double and fivefold where there are few. */
function logTicks(low: number, high: number): number[] {
	const ticks: number[] = [];
	const factors = Math.log10(high / low) > 3 ? [1] : [1, 2, 5];
	for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
		for (const factor of factors) {
			const tick = Number((factor * 10 ** power).toPrecision(3));
			if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
		}
	return ticks;
}

/** From where to where an axis goes for values: a little beyond them, and never nowhere. */
export function rangeOf({ range, log = false }: Axis, values: Iterable<number | null>): [number, number] {
	if (range !== undefined) return [...range];
	const positive = log ? [...values].filter((value) => value !== null && value > 0) : values;
	const found = extent(positive);
	if (found === null) return log ? [0.1, 1] : [0, 1];
	const [low, high] = found;
	if (log) return low === high ? [low / 2, high * 2] : [low, high];
	if (low === high) return [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
	const margin = (high - low) * 0.05;
	return [low >= 0 && low - margin < 0 ? 0 : low - margin, high + margin];
}

/** The scale of an axis from `start` to `end`, in the units of the picture. */
export function scaleOf(axis: Axis, range: readonly [number, number], start: number, end: number, wanted = 5): Scale {
	const [low, high] = range;
	const at =
		axis.log === true ? (value: number) => Math.log(value / low) / Math.log(high / low) : (value: number) => (value - low) / (high - low);
	return Object.assign((value: number) => start + at(value) * (end - start), {
		ticks: axis.log === true ? logTicks(low, high) : roundTicks(low, high, wanted, axis.whole),
		range,
	});
}
