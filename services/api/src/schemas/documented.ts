import type { TSchema } from 'typebox';
import { components } from './components.js';

type Fields = Record<string, TSchema>;
/** The keywords that hold other schemas, and those that are written in another way. */
type Keywords = {
	properties?: Fields;
	patternProperties?: Fields;
	anyOf?: TSchema[];
	allOf?: TSchema[];
	items?: TSchema;
	default?: unknown;
	description?: string;
	discriminator?: unknown;
};

const names = new Map<TSchema, string>(Object.entries(components).map(([name, schema]) => [schema, name]));

/** A schema inside another: by its name, if the document has it under one. */
function inner(schema: TSchema): TSchema {
	const name = names.get(schema);
	return name === undefined ? documented(schema) : { $ref: `${name}#` };
}

const mapped = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, inner(field)]));

/** What a field is unless it is given, as its description says it; nothing where that is an object of defaults. */
const saying = (value: unknown): string => (JSON.stringify(value) === '{}' ? '' : `; ${JSON.stringify(value)} unless given`);

/**
 * A schema as generators of clients take it. A default stands in the description: by the keyword some make a field required, and others refuse an object. The
 * fields of a record are `additionalProperties`, since few know `patternProperties`. There is no `discriminator`, which is for named schemas alone.
 */
export function documented(schema: TSchema): TSchema {
	const {
		properties,
		patternProperties,
		anyOf,
		allOf,
		items,
		default: standard,
		description,
		discriminator: _,
		...rest
	} = schema as Keywords;
	const [value] = Object.values(patternProperties ?? {});
	const said = `${description ?? ''}${standard === undefined ? '' : saying(standard)}`;
	return {
		...rest,
		...(said !== '' && { description: said }),
		...(properties && { properties: mapped(properties) }),
		...(value && { additionalProperties: inner(value) }),
		...(anyOf && { anyOf: anyOf.map(inner) }),
		...(allOf && { allOf: allOf.map(inner) }),
		...(items && { items: inner(items) }),
	};
}
