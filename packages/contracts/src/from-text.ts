import type { TObject } from 'typebox';

/**
 * Turns fields that arrived as text (query strings, headers, environment variables) into numbers and booleans where the schema has one. Text that is none
 * stays as it is, so that a check against the schema then refuses it with what was found.
 */
export const fromText = (schema: TObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
	Object.fromEntries(
		Object.entries(given).map(([name, value]) => {
			const type = (schema.properties[name] as { type?: string } | undefined)?.type;
			const numeric = (type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value);
			if (type === 'boolean' && (value === 'true' || value === 'false')) return [name, value === 'true'];
			return [name, numeric ? Number(value) : value];
		}),
	);
