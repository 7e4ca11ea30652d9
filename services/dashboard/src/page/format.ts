/** A number with as many digits as a person reads: `0.9583`, `12.3`, `1,204`, `2.5e-7`. */
export function figure(value: number | null | undefined, digits = 4): string {
	if (value === null || value === undefined || Number.isNaN(value)) return '–';
	if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
	const size = Math.abs(value);
	if (size !== 0 && (size < 1e-4 || size >= 1e9)) return value.toExponential(2).replace('e+', 'e').replace('-', '−').replace('e−', 'e-');
	const after = size === 0 ? 0 : Math.max(0, Math.min(digits, digits - 1 - Math.floor(Math.log10(size))));
	return value
		.toLocaleString('en', { minimumFractionDigits: Number.isInteger(value) ? 0 : after, maximumFractionDigits: after })
		.replace('-', '−');
}

/** A round number beside an axis: `0.2`, `1,000`, `1e-5`. */
export function tickText(value: number): string {
	const size = Math.abs(value);
	if (size !== 0 && (size < 1e-3 || size >= 1e6)) return Number(value.toPrecision(6)).toExponential().replace('e+', 'e');
	return value.toLocaleString('en', { maximumSignificantDigits: 6 }).replace('-', '−');
}

/** A share as percent: `12.5 %`. */
export const percent = (share: number): string => `${figure(share * 100, 3)} %`;

/** A count of bytes in units of 1,000: `1.79 MB`. */
export function bytes(count: number | null | undefined): string {
	if (count === null || count === undefined) return '–';
	const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
	let [value, unit] = [count, 0];
	while (value >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** A duration: `0.4 s`, `38 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
	if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–';
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	const whole = Math.round(seconds);
	const parts: [number, string][] = [
		[Math.floor(whole / 86_400), 'd'],
		[Math.floor((whole % 86_400) / 3600), 'h'],
		[Math.floor((whole % 3600) / 60), 'min'],
		[whole % 60, 's'],
	];
	const first = parts.findIndex(([count]) => count > 0);
	return parts
		.slice(first, first + 2)
		.filter(([count], i) => i === 0 || count > 0)
		.map(([count, unit]) => `${count} ${unit}`)
		.join(' ');
}

/** A moment on this machine's clock: `14:03` today, else `28 Nov, 14:03`. */
export function moment(unixSeconds: number | null | undefined): string {
	if (unixSeconds === null || unixSeconds === undefined) return '–';
	const date = new Date(unixSeconds * 1000);
	const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
	if (date.toDateString() === new Date().toDateString()) return time;
	const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' as const };
	return `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...year })}, ${time}`;
}

/** One of something or many: `1 row`, `2,000 rows`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** The last characters of an id, by which a person tells it from others: `job_…8K2F`. */
export const shortId = (id: string): string => `${id.slice(0, id.indexOf('_') + 1)}…${id.slice(-5)}`;
