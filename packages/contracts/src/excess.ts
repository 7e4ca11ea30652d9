import type { TSchema } from 'typebox';
import { shown } from './shown.js';

/** The keywords of a schema that bound a value. */
type Bounds = {
	type?: string | string[];
	anyOf?: Bounds[];
	maxLength?: number;
	items?: Bounds;
	maxItems?: number;
	properties?: Record<string, Bounds>;
	patternProperties?: Record<string, Bounds>;
	propertyNames?: { description?: string };
	additionalProperties?: unknown;
	maxProperties?: number;
};

/** What is too much in a value: the fields that lead there, and why. */
export type Excess = { readonly path: readonly string[]; readonly detail: string };

/** With so many fields more than its schema knows an object is not looked at any further. */
const MOST_UNKNOWN = 32;

export const UNKNOWN = 'is not a known field';
const here = (detail: string): Excess => ({ path: [], detail });
const inside = (name: string | number, excess: Excess | null): Excess | null =>
	excess === null ? null : { path: [String(name), ...excess.path], detail: excess.detail };

/** Whether a text has more characters than allowed. A character is a code point, as JSON Schema has it. */
const isLonger = (text: string, most: number): boolean => text.length > most && (text.length > 2 * most || [...text].length > most);

function excessOfArray({ items = {}, maxItems = Number.POSITIVE_INFINITY }: Bounds, value: readonly unknown[]): Excess | null {
	if (value.length > maxItems) return here(`must not have more than ${maxItems} items, found ${value.length}`);
	for (const [i, item] of value.entries()) {
		const excess = excessOf(items, item);
		if (excess !== null) return inside(i, excess);
	}
	return null;
}

/** The schema of a field by its name; null where the object may have no field of that name. */
function fieldsOf({ properties = {}, patternProperties = {}, additionalProperties }: Bounds): (name: string) => Bounds | null {
	const patterns = Object.entries(patternProperties).map(([pattern, schema]) => ({ pattern: new RegExp(pattern, 'u'), schema }));
	return (name) => {
		if (Object.hasOwn(properties, name)) return properties[name] as Bounds;
		return patterns.find(({ pattern }) => pattern.test(name))?.schema ?? (additionalProperties === false ? null : {});
	};
}

function excessOfObject(schema: Bounds, value: object): Excess | null {
	const { properties = {}, propertyNames, maxProperties = Number.POSITIVE_INFINITY } = schema;
	const names = Object.keys(value);
	if (names.length > maxProperties) return here(`must not have more than ${maxProperties} properties, found ${names.length}`);
	const fieldOf = fieldsOf(schema);
	const isCrowded = names.length > Object.keys(properties).length + MOST_UNKNOWN;
	for (const name of names) {
		const field = fieldOf(name);
		if (field === null && propertyNames !== undefined)
			return here(`has the field ${shown(name)}; expected names of ${propertyNames.description}`);
		if (field === null && isCrowded) return inside(name, here(UNKNOWN));
		const excess = field === null ? null : excessOf(field, (value as Record<string, unknown>)[name]);
		if (excess !== null) return inside(name, excess);
	}
	return null;
}

/** Whether a schema is for a list or an object like `value`. */
const takes = ({ type }: Bounds, value: object): boolean =>
	type === undefined || [type].flat().includes(Array.isArray(value) ? 'array' : 'object');

/** A value fits a union if one of its branches has room for it. Else the branch tells most that takes most of it, of those that take a list or an object at all. */
function excessOfUnion(branches: readonly Bounds[], value: unknown): Excess | null {
	const alike = typeof value === 'object' && value !== null ? branches.filter((branch) => takes(branch, value)) : [];
	let deepest: Excess | null = null;
	for (const branch of alike.length > 0 ? alike : branches) {
		const excess = excessOf(branch, value);
		if (excess === null) return null;
		if (deepest === null || excess.path.length > deepest.path.length) deepest = excess;
	}
	return deepest;
}

/**
 * The first place where a value is larger than its schema allows: a list, an object or a text that is too long, one that stands where something else is expected, or
 * one with a field whose name cannot stand there. Null where there is none: what the schema describes is then so small that it can be checked in full. It reads no more of a value
 * than the schema has room for.
 */
export function excessOf(schema: TSchema | Bounds, value: unknown): Excess | null {
	const { anyOf, type, maxLength = Number.POSITIVE_INFINITY } = schema as Bounds;
	if (anyOf !== undefined) return excessOfUnion(anyOf, value);
	if (typeof value === 'string' && isLonger(value, maxLength))
		return here(`must not have more than ${maxLength} characters, found ${shown(value)}`);
	if (typeof value !== 'object' || value === null || type === undefined) return null;
	if (!takes(schema as Bounds, value)) return here(`must be ${[type].flat().join(' or ')}, found ${shown(value)}`);
	return Array.isArray(value) ? excessOfArray(schema as Bounds, value) : excessOfObject(schema as Bounds, value);
}
