import type { Json } from './json.js';

/** The value that a text stands for where any value may stand: what is JSON is that, all else is the text itself. */
export function anyOf(text: string): Json {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return text;
	}
}

/** What stands for a value: a text as it is, unless that would be another value, and all else as JSON. */
export const anyText = (value: Json): string => (typeof value === 'string' && anyOf(value) === value ? value : JSON.stringify(value));
