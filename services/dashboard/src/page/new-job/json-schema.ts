import type { Json } from './json.js';

/** What the page reads of a JSON schema. */
export type JsonSchema = {
	readonly $ref?: string;
	readonly type?: string | readonly string[];
	readonly enum?: readonly Json[];
	readonly const?: Json;
	readonly description?: string;
	readonly deprecated?: boolean;
	readonly pattern?: string;
	readonly minimum?: number;
	readonly maximum?: number;
	readonly exclusiveMinimum?: number;
	readonly exclusiveMaximum?: number;
	readonly maxLength?: number;
	readonly minItems?: number;
	readonly maxItems?: number;
	readonly minProperties?: number;
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, JsonSchema>>;
	readonly additionalProperties?: JsonSchema | boolean;
	readonly propertyNames?: JsonSchema;
	readonly items?: JsonSchema;
	readonly anyOf?: readonly JsonSchema[];
	readonly oneOf?: readonly JsonSchema[];
};

/** What the page reads of `openapi.json`. */
export type ApiDocument = {
	readonly info: { readonly version: string };
	readonly paths: Readonly<
		Record<
			string,
			Readonly<Record<string, { readonly requestBody?: { readonly content: Readonly<Record<string, { schema: JsonSchema }>> } }>>
		>
	>;
	readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
};

/** A schema with that in the place of every reference which the document has under the name. One value is written as a choice of one, `oneOf` as `anyOf`. */
function resolved(schema: JsonSchema, document: ApiDocument): JsonSchema {
	const target = schema.$ref?.split('/').at(-1);
	if (target !== undefined) return resolved(document.components.schemas[target] ?? {}, document);
	const inner = (one: JsonSchema): JsonSchema => resolved(one, document);
	const { properties, additionalProperties, items, anyOf, oneOf, const: only, ...rest } = schema;
	const union = anyOf ?? oneOf;
	return {
		...rest,
		...(only !== undefined && { enum: [only] }),
		...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)])) }),
		...(additionalProperties !== undefined && {
			additionalProperties: typeof additionalProperties === 'object' ? inner(additionalProperties) : additionalProperties,
		}),
		...(items && { items: inner(items) }),
		...(union && { anyOf: union.map(inner) }),
	};
}

/** The schema of what is posted to a path of the API, without references. Throws Error where the document has none. */
export function bodyOf(document: ApiDocument, path: string): JsonSchema {
	const schema = document.paths[path]?.['post']?.requestBody?.content['application/json']?.schema;
	if (schema === undefined) throw new Error(`openapi.json says nothing of what is posted to ${path}`);
	return resolved(schema, document);
}
