import { alternativeOf, branchOf, type Field, isLookedAt } from './fields.js';
import { having, isObject, isSame, type Json, type JsonObject, own } from './json.js';

/** The fields of a group that differ from their defaults, and those that the group does not know: the service refuses these, in its own words. */
function differencesIn(fields: readonly Field[], group: JsonObject): JsonObject {
	const kept = Object.entries(group).map(([name, value]): [string, Json | undefined] => {
		const field = fields.find((one) => one.name === name);
		return [name, field === undefined ? value : differences(field, value)];
	});
	return Object.fromEntries(kept.filter((entry): entry is [string, Json] => entry[1] !== undefined));
}

const unlessEmpty = (value: JsonObject): JsonObject | undefined => (Object.keys(value).length === 0 ? undefined : value);

/** What of a value differs from the defaults of its field, and says the same; undefined where nothing does. */
export function differences(field: Field, value: Json | undefined): Json | undefined {
	if (value === undefined || isSame(value, field.standard)) return undefined;
	if (field.isDeprecated && field.schema.enum?.includes(value)) return undefined;
	switch (field.kind) {
		case 'group': {
			if (!isObject(value)) return value;
			const left = differencesIn(field.fields, value);
			return unlessEmpty(left) ?? (field.standard === null ? {} : undefined);
		}
		case 'branches': {
			const branch = branchOf(field, value);
			if (!isObject(value) || branch === undefined) return value;
			const left = differencesIn(branch.fields, having(value, field.by, undefined));
			return unlessEmpty(branch === field.branches[0] && !field.mustName ? left : { [field.by]: branch.name, ...left });
		}
		case 'short': {
			if (!isObject(value)) return value;
			const { [field.key]: named, ...others } = value;
			const left = differencesIn(
				field.fields.filter(({ name }) => name !== field.key),
				others,
			);
			if (unlessEmpty(left) === undefined) return named === undefined ? undefined : differences(field, named);
			return named === undefined ? left : { [field.key]: named, ...left };
		}
		case 'record': {
			if (!isObject(value)) return value;
			return unlessEmpty(
				Object.fromEntries(Object.entries(value).map(([name, one]) => [name, differences(field.value, one) ?? emptied(field.value, one)])),
			);
		}
		case 'either': {
			const alternative = alternativeOf(field, value);
			return alternative === undefined ? value : differences(alternative, value);
		}
		default:
			return value;
	}
}

/** What stays of a value that has a name and no differences: the name has to stay. */
const emptied = (field: Field, value: Json): Json => (field.kind === 'group' ? {} : value);

/** A value with the known defaults of all that is looked at; undefined where there is nothing to say, or something required is not given. */
export function filled(field: Field, value: Json | undefined): Json | undefined {
	switch (field.kind) {
		case 'group':
			return value === null || (value === undefined && field.standard === null) ? value : filledIn(field.fields, value);
		case 'branches': {
			const branch = branchOf(field, value);
			if (branch === undefined) return value;
			const others = isObject(value) ? having(value, field.by, undefined) : {};
			return { [field.by]: branch.name, ...((filledIn(branch.fields, others) as JsonObject | undefined) ?? others) };
		}
		case 'short':
			return isObject(value) ? filledIn(field.fields, value) : (value ?? field.standard);
		case 'record':
			return isObject(value)
				? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(field.value, one) ?? one]))
				: value;
		case 'either': {
			const alternative = alternativeOf(field, value);
			return alternative === undefined ? value : filled(alternative, value);
		}
		default:
			return value ?? field.standard;
	}
}

function filledIn(fields: readonly Field[], value: Json | undefined): Json | undefined {
	if (value !== undefined && !isObject(value)) return value;
	const entries: [string, Json][] = [];
	for (const field of fields) {
		const given = own(value, field.name);
		const whole = (!field.isDeprecated && isLookedAt(field, fields, value)) || given !== undefined ? filled(field, given) : undefined;
		if (whole !== undefined) entries.push([field.name, whole]);
		else if (field.isRequired && value === undefined) return undefined;
	}
	const known = new Set(fields.map(({ name }) => name));
	entries.push(...Object.entries(value ?? {}).filter(([name]) => !known.has(name)));
	return value === undefined && entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** How many values of a field differ from their defaults. */
export function changesIn(field: Field, value: Json | undefined): number {
	const left = differences(field, value);
	if (left === undefined) return 0;
	if (field.kind === 'group' && isObject(left))
		return field.fields.reduce((sum, one) => sum + changesIn(one, own(left, one.name)), 0) + strangers(field.fields, left);
	if (field.kind === 'branches' && isObject(left)) {
		const branch = branchOf(field, left);
		if (branch !== undefined) return Object.keys(left).length;
	}
	return 1;
}

const strangers = (fields: readonly Field[], value: JsonObject): number =>
	Object.keys(value).filter((name) => !fields.some((field) => field.name === name)).length;
