import type { TObject } from 'typebox';

/** Converts the values of query strings, headers and the environment, which are text, to numbers where the schema wants numbers. Text that is no number stays as it is, so that validation refuses it. */
export const fromText = (schema: TObject, given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
	Object.fromEntries(
		Object.entries(given).map(([name, value]) => {
			const type = (schema.properties[name] as { type?: string } | undefined)?.type;
			const numeric = (type === 'integer' || type === 'number') && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value);
			return [name, numeric ? Number(value) : value];
		}),
	);
