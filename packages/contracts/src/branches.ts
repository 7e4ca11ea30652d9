import { type TSchema, Type } from 'typebox';

/** A union whose branches one field tells apart, as OpenAPI's `discriminator` says. */
type Discriminated = { anyOf: TSchema[]; discriminator: { propertyName: string }; default?: unknown };
type Choice = { enum?: unknown[] };

const isDiscriminated = (schema: unknown): schema is Discriminated =>
	typeof schema === 'object' && schema !== null && 'discriminator' in schema;
const fieldOf = (value: unknown, name: string): unknown =>
	typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;

/** A schema with other values in some of its fields, and what TypeBox keeps in hidden ones. */
const having = (schema: TSchema, fields: object): TSchema =>
	Object.assign(Object.create(null, Object.getOwnPropertyDescriptors(schema)), fields);

/** The branch that `value` names, the first where it names none; for a name that no branch has, a schema that says which there are. */
function branchOf({ anyOf, discriminator: { propertyName }, ...rest }: Discriminated, value: unknown): TSchema {
	const choice = (branch: TSchema) => (branch as unknown as { properties: Record<string, Choice> }).properties[propertyName] ?? {};
	const named = fieldOf(value, propertyName);
	const branch = named === undefined ? anyOf[0] : anyOf.find((one) => choice(one).enum?.includes(named));
	const known = anyOf.flatMap((one) => choice(one).enum ?? []);
	return having(
		branch ?? Type.Object({ [propertyName]: Type.Unsafe({ type: 'string', enum: known }) }),
		'default' in rest ? { default: rest.default } : {},
	);
}

/**
 * An object's schema in which every field that is a union with a discriminator is narrowed to the branch that `value` names: what is missing or wrong is
 * then said of that branch, and its defaults alone are filled in.
 */
export function branchesOf(schema: TSchema, value: unknown): TSchema {
	const { properties } = schema as { properties?: Record<string, TSchema> };
	if (properties === undefined || !Object.values(properties).some(isDiscriminated)) return schema;
	const narrowed = Object.entries(properties).map(([name, field]) => [
		name,
		isDiscriminated(field) ? branchOf(field, fieldOf(value, name)) : field,
	]);
	return having(schema, { properties: Object.fromEntries(narrowed) });
}
