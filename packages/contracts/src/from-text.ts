import type { TObject } from 'typebox';

type Field = { type?: string };

const value = ({ type }: Field, text: unknown): unknown => {
	if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
	if ((type === 'integer' || type === 'number') && typeof text === 'string' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
	// A list of one looks like a single value.
	return type === 'array' && text !== undefined && !Array.isArray(text) ? [text] : text;
};

/**
 * Turns fields that arrived as text (query strings, headers, forms, environment variables) into numbers and booleans where the schema has one, into a list where it
 * has a list, which is a field given several times, and into an object where it has an object, whose entries are fields such as `metadata[name]`. Text that is none
 * of these stays as it is, so that a check against the schema then refuses it with what was found.
 */
export function fromText(schema: TObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
	const fields = schema.properties as Record<string, Field>;
	const found: [string, unknown][] = [];
	const objects = new Map<string, [string, unknown][]>();
	for (const [name, text] of Object.entries(given)) {
		const [, outer = '', inner = ''] = /^([^[]+)\[([\s\S]*)\]$/.exec(name) ?? [];
		if (outer !== '' && Object.hasOwn(fields, outer) && fields[outer]?.type === 'object')
			objects.set(outer, [...(objects.get(outer) ?? []), [inner, text]]);
		else found.push([name, value(Object.hasOwn(fields, name) ? (fields[name] as Field) : {}, text)]);
	}
	return Object.fromEntries([...found, ...[...objects].map(([name, entries]) => [name, Object.fromEntries(entries)] as const)]);
}
