/** A size in bytes to read: `812 B`, `134 kB`, `1.8 MB`. */
export function bytesText(bytes: number): string {
	if (bytes < 1000) return `${bytes} B`;
	const [value, unit] = bytes < 999_500 ? [bytes / 1e3, 'kB'] : bytes < 999_500_000 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
	return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** A time in unix seconds as local time: `2026-11-28 19:43:05`. */
export const timeText = (unixSeconds: number): string => new Date(unixSeconds * 1000).toLocaleString('sv-SE');

/** A duration to read: `18 s`, `12 min`, `3.5 h`. */
export function durationText(seconds: number): string {
	if (seconds < 90) return `${Math.ceil(seconds)} s`;
	return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A whole number with its thousands set apart: `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en-US');
