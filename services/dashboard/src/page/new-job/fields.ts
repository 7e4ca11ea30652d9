import { type Json, own } from './json.js';
import type { JsonSchema } from './json-schema.js';
import { statedDefault } from './stated-default.js';

/** What kind of value a field has. */
type Kind =
	/** One of some values. */
	| { readonly kind: 'choice'; readonly values: readonly Json[] }
	/** Yes or no. */
	| { readonly kind: 'switch' }
	| { readonly kind: 'number'; readonly isInteger: boolean; readonly range: string }
	/** A text; `of` is the kind of resource whose id it is. */
	| { readonly kind: 'text'; readonly of: 'ds' | 'mdl' | 'job' | null; readonly longest: number | null }
	| { readonly kind: 'list'; readonly item: Field; readonly isOfModalities: boolean }
	/** Values of one kind by names that a person chooses. */
	| { readonly kind: 'record'; readonly value: Field; readonly isByModality: boolean; readonly names: string }
	/** Fields together; `isNullable` where null is a value too, which turns them off. */
	| { readonly kind: 'group'; readonly fields: readonly Field[]; readonly isNullable: boolean }
	/** One of several groups, which the value of the field `by` names; the first unless one is named, which `mustName` forbids. */
	| { readonly kind: 'branches'; readonly by: string; readonly branches: readonly Branch[]; readonly mustName: boolean }
	/** The value of the field `key` alone, or a group that has it and others. */
	| { readonly kind: 'short'; readonly key: string; readonly fields: readonly Field[] }
	/** Any value of JSON. */
	| { readonly kind: 'any' }
	/** A value of any of several kinds. */
	| { readonly kind: 'either'; readonly alternatives: readonly Field[] };

/** One of several groups of fields. */
export type Branch = { readonly name: string; readonly help: string; readonly fields: readonly Field[] };

/** A field of a form, made of its schema. */
export type Field = {
	/** As the spec has it. */
	readonly name: string;
	/** As a person reads it. */
	readonly label: string;
	readonly help: string;
	/** What it is unless it is given; undefined where the schema does not say that as a value. */
	readonly standard: Json | undefined;
	readonly isRequired: boolean;
	/** Whether it is there for what earlier versions wrote, and means nothing. */
	readonly isDeprecated: boolean;
	/** The field beside it that decides whether it is looked at, and by which of its values; null where it always is. */
	readonly only: { readonly of: string; readonly values: readonly string[] } | null;
	readonly schema: JsonSchema;
} & Kind;

export type FieldOf<K extends Kind['kind']> = Extract<Field, { kind: K }>;

/** By this pattern the schema knows a name of a modality. */
const NAME_OF_MODALITY = '^[A-Za-z][A-Za-z0-9_-]{0,62}$';

const labelOf = (name: string): string => {
	const words = name.replaceAll('_', ' ');
	return words.charAt(0).toUpperCase() + words.slice(1);
};

const figure = (value: number): string =>
	Math.abs(value) >= 10_000 && Math.abs(value) < 1e12 ? value.toLocaleString('en') : String(value);

/** Whether a bound is so far out that nobody comes near it. */
const isFar = (value: number): boolean => Math.abs(value) >= 1e15 || (value !== 0 && Math.abs(value) <= 1e-15);

function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
	if (minimum !== undefined && maximum !== undefined && isFar(minimum) && isFar(maximum)) return '';
	if (minimum !== undefined && maximum !== undefined) return `${figure(minimum)} to ${figure(maximum)}`;
	const least =
		exclusiveMinimum !== undefined ? `above ${figure(exclusiveMinimum)}` : minimum !== undefined ? `at least ${figure(minimum)}` : '';
	const most =
		exclusiveMaximum !== undefined ? `below ${figure(exclusiveMaximum)}` : maximum !== undefined ? `at most ${figure(maximum)}` : '';
	return [least, most].filter((part) => part !== '').join(', ');
}

const isNull = ({ type }: JsonSchema): boolean => type === 'null';
const isGroup = ({ type, properties }: JsonSchema): boolean => type === 'object' && properties !== undefined;
/** The one value that a schema allows. */
const onlyValue = (schema: JsonSchema | undefined): string | null =>
	schema?.enum?.length === 1 && typeof schema.enum[0] === 'string' ? schema.enum[0] : null;

/** The field by whose value groups are told apart; null where there is none. */
function discriminatorOf(groups: readonly JsonSchema[]): string | null {
	const names = Object.keys(groups[0]?.properties ?? {});
	return names.find((name) => groups.every(({ properties }) => onlyValue(properties?.[name]) !== null)) ?? null;
}

const shapeOf = ({ type, enum: values, pattern }: JsonSchema): string => JSON.stringify([type, values, pattern]);

/** The field of a group whose value may stand in its place. */
const shorthandOf = (group: JsonSchema, short: JsonSchema): string | null =>
	Object.entries(group.properties ?? {}).find(([, one]) => shapeOf(one) === shapeOf(short))?.[0] ?? null;

/** The field beside `help` that decides whether it is looked at: descriptions say "for cross-attention" or "for adam and adamw" by the values of that field. */
function onlyOf(help: string, name: string, siblings: Readonly<Record<string, JsonSchema>>): Field['only'] {
	for (const [sibling, { enum: values = [] }] of Object.entries(siblings)) {
		if (sibling === name || values.length < 2 || !values.every((value) => typeof value === 'string')) continue;
		const one = `(?:${[...values].sort((a, b) => b.length - a.length).join('|')})(?![\\w-])`;
		const found = [...help.matchAll(new RegExp(`\\bfor (${one}(?:(?:, | and )${one})*)`, 'g'))].flatMap(([, list = '']) =>
			list.split(/, | and /),
		);
		const named = values.filter((value) => found.includes(value));
		if (named.length > 0 && named.length < values.length) return { of: sibling, values: named };
	}
	return null;
}

/** The fields of a group, without `but`. */
function fieldsOf({ properties = {}, required = [] }: JsonSchema, but: string | null = null): Field[] {
	return Object.entries(properties)
		.filter(([name]) => name !== but)
		.map(([name, schema]) => ({
			...fieldOf(name, schema, required.includes(name)),
			only: onlyOf(schema.description ?? '', name, properties),
		}));
}

function unionOf(all: readonly JsonSchema[], standard: Json | undefined): Kind {
	const others = all.filter((one) => !isNull(one));
	const [first, second] = others;
	if (others.length === 1 && first !== undefined && isGroup(first)) return { kind: 'group', fields: fieldsOf(first), isNullable: true };
	const by = others.every(isGroup) ? discriminatorOf(others) : null;
	if (by !== null)
		return {
			kind: 'branches',
			by,
			mustName: others.every(({ required = [] }) => required.includes(by)),
			branches: others.map((branch) => ({
				name: onlyValue(branch.properties?.[by]) as string,
				help: branch.description ?? statedDefault(branch.properties?.[by] as JsonSchema).help,
				fields: fieldsOf(branch, by),
			})),
		};
	if (others.length === 2 && first !== undefined && second !== undefined && isGroup(second)) {
		const key = shorthandOf(second, first);
		if (key !== null)
			return { kind: 'short', key, fields: fieldsOf(second).map((field) => (field.name === key ? { ...field, standard } : field)) };
	}
	return { kind: 'either', alternatives: others.map((one, i) => fieldOf(String(i), one, true)) };
}

function kindOf(schema: JsonSchema, standard: Json | undefined): Kind {
	if (schema.anyOf !== undefined) return unionOf(schema.anyOf, standard);
	if (schema.enum !== undefined) return { kind: 'choice', values: schema.enum };
	const types = schema.type === undefined ? [] : typeof schema.type === 'string' ? [schema.type] : schema.type;
	if (types.includes('boolean')) return { kind: 'switch' };
	if (types.includes('integer') || types.includes('number'))
		return { kind: 'number', isInteger: types.includes('integer'), range: rangeOf(schema) };
	if (types.includes('array'))
		return {
			kind: 'list',
			item: fieldOf('item', schema.items ?? {}, true),
			isOfModalities: schema.items?.pattern === NAME_OF_MODALITY,
		};
	if (types.includes('object') && schema.properties === undefined && typeof schema.additionalProperties === 'object')
		return {
			kind: 'record',
			value: fieldOf('value', schema.additionalProperties, true),
			isByModality: schema.propertyNames?.pattern === NAME_OF_MODALITY,
			names: schema.propertyNames?.description ?? '',
		};
	if (types.length === 0) return { kind: 'any' };
	if (types.includes('object')) return { kind: 'group', fields: fieldsOf(schema), isNullable: types.includes('null') };
	const of = /^\^(ds|mdl|job)_/.exec(schema.pattern ?? '')?.[1] as 'ds' | 'mdl' | 'job' | undefined;
	return { kind: 'text', of: of ?? null, longest: schema.maxLength ?? null };
}

/** Says of a name of which group it is, since several have one. */
const called = (kind: Kind, group: string): Kind =>
	kind.kind !== 'group' || group === ''
		? kind
		: { ...kind, fields: kind.fields.map((field) => (field.name === 'name' ? { ...field, label: `${group} name` } : field)) };

/** The field that a schema describes. */
export function fieldOf(name: string, schema: JsonSchema, isRequired: boolean): Field {
	const { standard, help } = statedDefault(schema);
	const label = labelOf(name);
	return {
		name,
		label,
		help,
		standard,
		isRequired,
		isDeprecated: schema.deprecated === true,
		only: null,
		schema,
		...called(kindOf(schema, standard), label),
	};
}

/** The form of an object. */
export const formOf = (schema: JsonSchema): FieldOf<'group'> => fieldOf('', schema, true) as FieldOf<'group'>;

/** The branch that a value names, the first where it names none; undefined where there is none of that name. */
export function branchOf({ by, branches }: FieldOf<'branches'>, value: Json | undefined): Branch | undefined {
	const name = own(value, by);
	return name === undefined ? branches[0] : branches.find((branch) => branch.name === name);
}

/** Whether a field is looked at, by what stands beside it. */
export function isLookedAt({ only }: Field, siblings: readonly Field[], group: Json | undefined): boolean {
	if (only === null) return true;
	const value = own(group, only.of) ?? siblings.find(({ name }) => name === only.of)?.standard;
	return only.values.includes(value as string);
}

/** The alternative that a value is of; undefined where it is of none. */
export function alternativeOf({ alternatives }: FieldOf<'either'>, value: Json | undefined): Field | undefined {
	if (value === undefined) return undefined;
	const isOf = ({ kind, schema }: Field): boolean => {
		if (schema.enum !== undefined) return schema.enum.includes(value);
		if (typeof value === 'string') return kind === 'text' || kind === 'short';
		if (typeof value === 'number') return kind === 'number';
		if (typeof value === 'boolean') return kind === 'switch';
		return Array.isArray(value) ? kind === 'list' : value !== null && ['record', 'group', 'branches', 'short'].includes(kind);
	};
	return alternatives.find(isOf);
}

/** What a field expects, in few words: its range and its default. */
export function expectedOf(field: Field): string {
	const { standard } = field;
	const isShown = standard !== undefined && typeof standard !== 'object';
	const unless = isShown ? `default ${typeof standard === 'string' ? standard : JSON.stringify(standard)}` : '';
	return [field.kind === 'number' ? field.range : '', unless].filter((part) => part !== '').join('; ');
}
