import type { TObject } from 'typebox';

/**
 * Turns fields that arrived as text (query strings, headers, environment variables) into numbers where the schema has a number. Text that is no number
 * stays as it is, so that a check against the schema then refuses it with what was found.
 */
export const fromText = (schema: TObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
	Object.fromEntries(
		Object.entries(given).map(([name, value]) => {
			const type = (schema.properties[name] as { type?: string } | undefined)?.type;
			const numeric = (type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value);
			return [name, numeric ? Number(value) : value];
		}),
	);
