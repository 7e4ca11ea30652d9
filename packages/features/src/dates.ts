const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const TIME = String.raw`(?:(?:T|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?`;
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})${TIME}$`);
const YEAR_LAST = new RegExp(String.raw`^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})${TIME}$`);
const DAY_NAME = String.raw`(?:[A-Za-z]{3,9},?\s+)?`;
const NAMED_DAY_FIRST = new RegExp(String.raw`^${DAY_NAME}(\d{1,2})[-\s]([A-Za-z]{3,9})\.?,?[-\s](\d{4}|\d{2})${TIME}$`);
const NAMED_MONTH_FIRST = new RegExp(String.raw`^${DAY_NAME}([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})${TIME}$`);

type Found = { year: number; month: number; day: number; time: readonly (string | undefined)[] };

/** Years of two digits are those from 1969 to 2068, as in POSIX. */
const fullYear = (text: string): number => (text.length > 2 ? Number(text) : Number(text) + (Number(text) < 69 ? 2000 : 1900));

const monthNamed = (name: string): number => MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;

function find(text: string, dayFirst: boolean): Found | null {
	let match = YEAR_FIRST.exec(text);
	if (match !== null) return { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]), time: match.slice(4) };
	match = YEAR_LAST.exec(text);
	if (match !== null) {
		const [first, second] = [Number(match[1]), Number(match[2])];
		const year = fullYear(match[3] as string);
		return dayFirst ? { year, month: second, day: first, time: match.slice(4) } : { year, month: first, day: second, time: match.slice(4) };
	}
	match = NAMED_DAY_FIRST.exec(text);
	if (match !== null)
		return { year: fullYear(match[3] as string), month: monthNamed(match[2] as string), day: Number(match[1]), time: match.slice(4) };
	match = NAMED_MONTH_FIRST.exec(text);
	if (match !== null) return { year: Number(match[3]), month: monthNamed(match[1] as string), day: Number(match[2]), time: match.slice(4) };
	return null;
}

const offsetOf = (zone: string | undefined): number => {
	const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})$/.exec(zone ?? '') ?? [];
	return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60;
};

/**
 * The moment that a text names, in seconds since 1970-01-01 UTC (without a zone it is taken as UTC); NaN for other texts. Read are `2020-03-31`, `31.3.2020` and `3/31/20`
 * (by `dayFirst`), `31 Mar 2020`, `March 31, 2020`, each with a time behind it.
 */
export function secondsOf(text: string, dayFirst: boolean): number {
	if (text.length < 6 || text.length > 40) return Number.NaN;
	const found = find(text, dayFirst);
	if (found === null) return Number.NaN;
	const { year, month, day, time } = found;
	const [hour = '0', minute = '0', second = '0', half, zone] = time;
	const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
	if (month < 1 || month > 12 || hours > 23 || Number(minute) > 59 || Number(second) > 60 || (half !== undefined && Number(hour) > 12))
		return Number.NaN;
	const days = Date.UTC(year, month - 1, day);
	if (new Date(days).getUTCDate() !== day || year < 1) return Number.NaN;
	return days / 1000 + hours * 3600 + Number(minute) * 60 + Number(second) - offsetOf(zone);
}

/** Whether a text is no date in which the day may stand before the month or behind it: one has a mark behind its first or second character. */
export function hasOneOrder(text: string): boolean {
	const isMark = (code: number): boolean => code >= 45 && code <= 47; // - . /
	return !isMark(text.charCodeAt(1)) && !isMark(text.charCodeAt(2));
}

/** Which of the first two numbers of a date with the year behind them is over 12, and so the day; null for another text or where neither is. */
export function dayPlace(text: string): 'first' | 'second' | null {
	const match = YEAR_LAST.exec(text);
	if (match === null) return null;
	if (Number(match[1]) > 12) return 'first';
	return Number(match[2]) > 12 ? 'second' : null;
}
