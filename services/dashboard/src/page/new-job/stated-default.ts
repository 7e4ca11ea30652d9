import { isObject, type Json } from './json.js';
import type { JsonSchema } from './json-schema.js';

/** The end of a description in which the API says what a field is unless it is given. */
const AT_END = /(?:^|; )([^;]+) unless given$/;
/** A word of a description that says the same of one of the choices. */
const IN_PLACE = /([\w.-]+) \(unless given\)/;

const parsed = (text: string): Json | undefined => {
	try {
		return JSON.parse(text) as Json;
	} catch {
		return undefined;
	}
};

const typesOf = ({ type }: JsonSchema): readonly string[] => (type === undefined ? [] : typeof type === 'string' ? [type] : type);

/** Whether a value is one that a schema allows, as far as a default needs it. */
function fits(schema: JsonSchema, value: Json, isQuoted: boolean): boolean {
	if (schema.enum !== undefined) return schema.enum.includes(value);
	if (schema.anyOf !== undefined) return schema.anyOf.some((one) => fits(one, value, isQuoted));
	const types = typesOf(schema);
	if (value === null) return types.includes('null');
	if (typeof value === 'number') return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
	// A text stands in quotes, so that no other words are taken for one.
	if (typeof value === 'string') return isQuoted && types.includes('string');
	if (typeof value === 'boolean') return types.includes('boolean');
	return isObject(value) && types.includes('object');
}

/**
 * What a field is unless it is given, and its help without that. `openapi.json` says it in words, since generators of clients misread the keyword `default`:
 * "…; 40 unless given", or "attention (unless given)" of a choice. Where the words are no value ("the rank unless given"), they stay in the help alone.
 */
export function statedDefault(schema: JsonSchema): { standard: Json | undefined; help: string } {
	const description = schema.description ?? '';
	const words = AT_END.exec(description);
	const said = words?.[1];
	if (words !== null && said !== undefined)
		for (const value of [parsed(said), said])
			if (value !== undefined && fits(schema, value, value !== said)) return { standard: value, help: description.slice(0, words.index) };
	const choice = IN_PLACE.exec(description)?.[1];
	return { standard: choice !== undefined && schema.enum?.includes(choice) ? choice : undefined, help: description };
}
