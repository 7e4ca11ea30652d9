// Writes the declarations that are published: those of the client, with the types of @steelyard/contracts made of its schemas, so that they stand alone.
// `npm pack` runs it (see package.json). Plain Node, after `tsc -b`.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as contracts from '@steelyard/contracts';

const DIST = fileURLToPath(new URL('dist', import.meta.url));
const TARGET = join(DIST, 'types');
const CONTRACTS = '@steelyard/contracts';

/** @typedef {Record<string, any>} Schema */

/** Schemas of types that contracts exports none for under their name. @type {Readonly<Record<string, Schema>>} */
const UNNAMED = {
	ListQuery: contracts.listQuery('job'),
	UploadsQuery: contracts.uploadsQuery('ds'),
	JobsQuery: contracts.jobsQuery,
	ProblemCode: { enum: Object.keys(contracts.problems) },
};

/** Types with a parameter, by the schema of which `ITEM` stands for that. */
const ITEM = {};
/** @type {Readonly<Record<string, Schema>>} */
const GENERIC = { List: contracts.ListOf(/** @type {any} */ (ITEM)), FoundList: contracts.FoundListOf(/** @type {any} */ (ITEM)) };

/** Names of schemas, so that one inside another is named there. @type {Map<unknown, string>} */
const names = new Map(
	Object.entries(contracts).flatMap(([name, value]) => (typeof value === 'object' && /^[A-Z][a-z]/.test(name) ? [[value, name]] : [])),
);

/** @param {string} name @returns {Schema} */
function schemaOf(name) {
	const schema = UNNAMED[name] ?? GENERIC[name] ?? /** @type {Record<string, unknown>} */ (contracts)[name];
	if (typeof schema === 'object' && schema !== null) return schema;
	throw new Error(`The client uses ${name} of ${CONTRACTS}, which exports no schema of that name: name one in declarations.js`);
}

/** A comment with what a schema says of its values. @param {Schema} schema @param {string} indent */
function commentOf({ description, default: standard }, indent) {
	const unless = standard === undefined || JSON.stringify(standard) === '{}' ? '' : `${JSON.stringify(standard)} unless given`;
	const text = [description, unless].filter(Boolean).join('; ').replaceAll('*/', '*\\/');
	return text === '' ? '' : `${indent}/** ${text} */\n`;
}

const TYPES = /** @type {Readonly<Record<string, string>>} */ ({
	integer: 'number',
	number: 'number',
	string: 'string',
	boolean: 'boolean',
	null: 'null',
});

/**
 * The types that schemas describe, as TypeScript writes them. `use` is told the name of every schema that is named instead of being written out.
 *
 * @param {(name: string) => void} use
 */
function writer(use) {
	/** @param {Schema} schema @param {string} indent @returns {string} */
	function inner(schema, indent) {
		const name = names.get(schema);
		if (name === undefined) return written(schema, indent);
		use(name);
		return name;
	}
	/** @param {Schema[]} schemas @param {string} sign @param {string} indent */
	const joined = (schemas, sign, indent) =>
		[...new Set(schemas.map((one) => inner(one, indent)))]
			.map((type) => (/ [|&] /.test(type) && !type.startsWith('{') ? `(${type})` : type))
			.join(` ${sign} `);
	/** @param {Schema} schema @param {string} indent */
	function fields({ properties = {}, required = [] }, indent) {
		const deeper = `${indent}\t`;
		const lines = Object.entries(properties).map(([name, field]) => {
			const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
			// What has a name says by itself what it is.
			return `${names.has(field) ? '' : commentOf(field, deeper)}${deeper}${key}${required.includes(name) ? '' : '?'}: ${inner(field, deeper)};\n`;
		});
		return lines.length === 0 ? '{}' : `{\n${lines.join('')}${indent}}`;
	}
	/** @param {Schema} schema @param {string} indent @returns {string} */
	function written(schema, indent) {
		const { type, enum: choices, anyOf, allOf, properties, patternProperties, items, minItems, maxItems } = schema;
		if (schema === ITEM) return 'T';
		if (choices !== undefined) return choices.map((/** @type {unknown} */ one) => JSON.stringify(one)).join(' | ');
		if ('const' in schema) return JSON.stringify(schema['const']);
		if (anyOf !== undefined) return joined(anyOf, '|', indent);
		if (allOf !== undefined) return joined(allOf, '&', indent);
		if (Array.isArray(type)) return type.map((one) => TYPES[one]).join(' | ');
		if (type === 'array') {
			const item = inner(items, indent);
			if (minItems !== undefined && minItems === maxItems) return `[${Array(minItems).fill(item).join(', ')}]`;
			return `Array<${item}>`;
		}
		if (patternProperties !== undefined)
			return `Record<string, ${inner(/** @type {Schema} */ (Object.values(patternProperties)[0]), indent)}>`;
		if (type === 'object' || properties !== undefined) return fields(schema, indent);
		return TYPES[type] ?? 'unknown';
	}
	return written;
}

/** The declarations of these types of contracts, and of those that they name. @param {Iterable<string>} wanted */
function declarationsOf(wanted) {
	const open = new Set(wanted);
	/** @type {[string, string][]} */
	const made = [];
	// A set that grows while it is walked is walked to its end.
	for (const name of open) {
		const schema = schemaOf(name);
		const type = writer((used) => open.add(used))(schema, '');
		made.push([name, `${commentOf(schema, '')}export type ${name}${name in GENERIC ? '<T>' : ''} = ${type};\n`]);
	}
	made.sort(([a], [b]) => (a > b ? 1 : -1));
	return made.map(([, text]) => text).join('\n');
}

const files = readdirSync(DIST).filter((name) => name.endsWith('.d.ts'));
const wanted = new Set();
rmSync(TARGET, { recursive: true, force: true });
mkdirSync(TARGET);
for (const file of files) {
	const text = readFileSync(join(DIST, file), 'utf8');
	for (const [, list = ''] of text.matchAll(/(?:import|export) type \{([^}]*)\} from '@steelyard\/contracts'/g))
		for (const name of list.split(',')) if (name.trim() !== '') wanted.add(name.trim());
	writeFileSync(join(TARGET, file), text.replaceAll(`'${CONTRACTS}'`, "'./contracts.js'"));
}
writeFileSync(join(TARGET, 'contracts.d.ts'), declarationsOf([...wanted].sort()));
