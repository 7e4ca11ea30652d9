import type { ColumnProfile } from '@steelyard/contracts';

/** How a value of a row is typed. `moment`: a day with a time. `json`: a list. */
export type Control = 'number' | 'choice' | 'text' | 'line' | 'date' | 'moment' | 'json';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}([ T])\d{2}:\d{2}(:\d{2})?$/;

const isNothing = (value: unknown): boolean => value === null || value === undefined || value === '';
const isNumber = (value: unknown): boolean => isNothing(value) || (String(value).trim() !== '' && Number.isFinite(Number(value)));

/** How a column is typed, such that the value which it has now can be shown. */
export function controlOf({ kind, examples }: Pick<ColumnProfile, 'kind' | 'examples'>, value: unknown): Control {
	if (kind === 'vector' || kind === 'sequence' || (typeof value === 'object' && value !== null)) return 'json';
	if (kind === 'number') return isNumber(value) ? 'number' : 'line';
	if (kind === 'category') return 'choice';
	if (kind === 'text') return 'text';
	if (kind !== 'date') return 'line';
	const seen = isNothing(value) ? (examples[0] ?? '') : String(value);
	return DAY.test(seen) ? 'date' : MOMENT.test(seen) ? 'moment' : 'line';
}

/** A value as the text of its control; nothing for one that is not there. */
export function typedOf(control: Control, value: unknown): string {
	if (isNothing(value)) return '';
	if (control === 'json') return JSON.stringify(value);
	return control === 'moment' ? String(value).replace(' ', 'T') : String(value);
}

/** The value that a text of a control means: null for an empty one. `example`: a value of the column, whose way to write a moment is kept. */
export function valueOf(control: Control, text: string, example = ''): { value: unknown } | { problem: string } {
	if (text.trim() === '') return { value: null };
	if (control === 'json')
		try {
			const value = JSON.parse(text) as unknown;
			return Array.isArray(value) || value === null ? { value } : { problem: 'Expected a list, such as [1, 2, 3], or nothing.' };
		} catch {
			return { problem: 'This is no list as JSON, such as [1, 2, 3].' };
		}
	if (control === 'number') return Number.isFinite(Number(text)) ? { value: Number(text) } : { problem: 'Expected a number, or nothing.' };
	const separator = MOMENT.exec(example)?.[1] ?? 'T';
	return { value: control === 'moment' ? text.replace('T', separator) : text };
}

/** The values of a column that can be chosen from: those that are known, and the one that it has. */
export function choicesOf(examples: readonly string[], value: unknown): string[] {
	const known = new Set(examples.filter((example) => example !== ''));
	if (!isNothing(value)) known.add(String(value));
	return [...known];
}
