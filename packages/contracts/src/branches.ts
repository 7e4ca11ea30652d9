import { type TSchema, Type } from 'typebox';

/** A union of objects in which the value of one field decides about the branch, as `discriminator` of OpenAPI says. */
type Discriminated = { anyOf: TSchema[]; discriminator: { propertyName: string }; default?: unknown };
type Field = { enum?: unknown[]; deprecated?: boolean };

const isDiscriminated = (schema: unknown): schema is Discriminated =>
	typeof schema === 'object' && schema !== null && 'discriminator' in schema;
const fieldOf = (value: unknown, name: string): unknown =>
	typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;

/** A copy of a schema with other keywords. TypeBox keeps facts in hidden properties of a schema, which a spread would lose. */
const having = (schema: TSchema, fields: object): TSchema =>
	Object.assign(Object.create(null, Object.getOwnPropertyDescriptors(schema)), fields);

const fieldsOf = (branch: TSchema): Record<string, Field> => (branch as unknown as { properties: Record<string, Field> }).properties;

/** The branch that `value` names, or the first one if it names none. If no branch has that name, a schema whose error lists the names. */
function branchOf({ anyOf, discriminator: { propertyName }, ...rest }: Discriminated, value: unknown): TSchema {
	const choice = (branch: TSchema) => fieldsOf(branch)[propertyName] ?? {};
	const named = fieldOf(value, propertyName);
	const branch = named === undefined ? anyOf[0] : anyOf.find((one) => choice(one).enum?.includes(named));
	const known = anyOf.flatMap((one) => choice(one).enum ?? []);
	return having(
		branch ?? Type.Object({ [propertyName]: Type.Unsafe({ type: 'string', enum: known }) }),
		'default' in rest ? { default: rest.default } : {},
	);
}

/**
 * The schema of an object, in which every field that is a union with a discriminator is narrowed to the branch that `value` names. Errors are then about
 * that branch, and only its defaults are filled in.
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

/**
 * Why a field that other branches of a union have is refused in the branch that `value` names, with what that branch has instead; null where `name` is no
 * union of the object's schema or no branch has the field.
 */
export function strayField(schema: TSchema, value: unknown, name: string, field: string): string | null {
	const union = (schema as { properties?: Record<string, TSchema> }).properties?.[name];
	if (!isDiscriminated(union) || !union.anyOf.some((one) => Object.hasOwn(fieldsOf(one), field))) return null;
	const { propertyName } = union.discriminator;
	const { [propertyName]: choice, ...fields } = fieldsOf(branchOf(union, fieldOf(value, name)));
	const choices = Object.keys(fields).filter((one) => fields[one]?.deprecated !== true);
	return `means nothing to ${choice?.enum?.[0]}${choices.length === 0 ? ', which has no choices' : `; its choices are ${choices.join(', ')}`}`;
}
