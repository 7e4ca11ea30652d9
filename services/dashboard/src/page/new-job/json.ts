/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [name: string]: Json };

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether two values are the same; the order of fields does not matter. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
	if (one === other) return true;
	if (Array.isArray(one) && Array.isArray(other))
		return one.length === other.length && one.every((item, i) => isSame(item as Json, other[i] as Json));
	if (!isObject(one) || !isObject(other)) return false;
	const names = Object.keys(one);
	return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]));
}

/** An object with a field that has another value; without the field where `value` is undefined. Other fields stay where they are. */
export function having(object: JsonObject, name: string, value: Json | undefined): JsonObject {
	if (value !== undefined) return { ...object, [name]: value };
	const { [name]: _, ...others } = object;
	return others;
}

/** A field of its own that an object has. */
export const own = (object: Json | undefined, name: string): Json | undefined =>
	isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
