import type { TObject } from 'typebox';

/** Numbers of what arrives as text (query strings, headers, the environment) where the schema has them; what is no number stays as it is, to be refused as such. */
export const fromText = (schema: TObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
	Object.fromEntries(
		Object.entries(given).map(([name, value]) => {
			const type = (schema.properties[name] as { type?: string } | undefined)?.type;
			const numeric = (type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value);
			return [name, numeric ? Number(value) : value];
		}),
	);
