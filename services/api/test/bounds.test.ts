import { Manifest, NAME_PATTERN, ProblemError, parse } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Document, operationsOf, type Schema } from './document.js';
import { addDataset, expectProblem, openService, type Service } from './service.js';

/** The most bytes of a JSON body. */
const LARGEST = 256 * 1024;
/** The most milliseconds that one body may take: ten times what it is to take, since other tests run beside this one. */
const LONGEST = 1000;

/** The milliseconds of processor time that this process has taken: a loaded machine changes them little. */
const processorTime = (): number => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
};

let service: Service;
let document: Document;
beforeAll(async () => {
	service = await openService();
	document = (await service.app.inject('/openapi.json')).json();
});
afterAll(() => service.close());

const resolved = (schema: Schema): Schema => {
	const name = /^#\/components\/schemas\/(\w+)$/.exec(String(schema['$ref']))?.[1];
	return name === undefined ? schema : (document.components.schemas[name] ?? expect.unreachable(`there is no schema ${name}`));
};

/** Every request that clients may send: parameters and bodies of JSON by what they are called. */
const requests = (): { name: string; method: 'POST' | 'PATCH'; url: string; schema: Schema; isBody: boolean }[] =>
	operationsOf(document).flatMap(({ path, method, operation }) => {
		const parameters = (operation.parameters ?? []).map((one) => ({
			name: `${method} ${path} ${one.name}`,
			schema: one.schema,
			isBody: false,
		}));
		const json = operation.requestBody?.content['application/json'];
		const body = json === undefined ? [] : [{ name: `${method} ${path}`, schema: json.schema, isBody: true }];
		return [...parameters, ...body].map((one) => ({
			...one,
			method: method.toUpperCase() as 'POST' | 'PATCH',
			url: path.replaceAll(/\{\w+\}/g, 'job_1'),
			schema: resolved(one.schema),
		}));
	});

/** Whether a pattern holds for short texts alone: it begins and ends, and repeats nothing without end. */
const isShort = (pattern: string) => /^\^.*\$$/.test(pattern) && !/[*+]|\{\d+,\}/.test(pattern.replaceAll(/\[[^\]]*\]/g, '[]'));

/** The places of a schema where a value has no bound, by their path. */
function unbounded(given: Schema, path: string): string[] {
	const schema = resolved(given);
	const { anyOf, items, properties, patternProperties, additionalProperties, type } = schema;
	if (anyOf !== undefined) return anyOf.flatMap((branch) => unbounded(branch, path));
	if (schema['enum'] !== undefined || schema['const'] !== undefined) return [];
	const inside = [
		...(items === undefined ? [] : unbounded(items, `${path}[]`)),
		...Object.entries({ ...properties, ...patternProperties }).flatMap(([name, field]) => unbounded(field, `${path}.${name}`)),
		...(typeof additionalProperties === 'object' ? unbounded(additionalProperties as Schema, `${path}.*`) : []),
	];
	const isBounded = {
		string: 'maxLength' in schema || isShort(String(schema['pattern'])),
		array: 'maxItems' in schema,
		object: properties !== undefined ? additionalProperties === false : 'maxProperties' in schema && 'propertyNames' in schema,
	}[String(type)];
	return isBounded === false ? [path, ...inside] : inside;
}

/** A place in a body: what a body is that has a value there. */
type Place = { path: string; around: (value: string) => string };

/** What a schema looks at in a value; of numbers and choices, nothing but that it is one. */
const essence = (schema: Schema): string =>
	schema['type'] !== 'object' && schema.anyOf === undefined && schema.items === undefined
		? `${schema['type']} ${schema['pattern']}`
		: JSON.stringify(schema);

/** Every place of a schema. Of places that look at the same, one is enough. */
function placesOf(given: Schema, path = '', around: Place['around'] = (value) => value, seen = new Set<string>()): Place[] {
	const schema = resolved(given);
	if (seen.has(essence(schema))) return [];
	seen.add(essence(schema));
	const { anyOf = [], items, properties = {}, patternProperties = {}, additionalProperties } = schema;
	/** Fields of one value, which decide about the branch of a union, and `dataset`. */
	const fixed = Object.entries(properties).flatMap(([name, field]) => {
		const [only, other] = (field['enum'] as unknown[] | undefined) ?? [];
		return only === undefined || other !== undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(only)},`];
	});
	const value =
		Object.values(patternProperties)[0] ?? (typeof additionalProperties === 'object' ? (additionalProperties as Schema) : undefined);
	const inner = (field: Schema, name: string, wrap: Place['around']) =>
		placesOf(field, `${path}.${name}`, (text) => around(wrap(text)), seen);
	return [
		{ path, around },
		...anyOf.flatMap((branch) => placesOf(branch, path, around, seen)),
		...Object.entries(properties).flatMap(([name, field]) => inner(field, name, (text) => `{${fixed.join('')}"${name}":${text}}`)),
		...(value === undefined ? [] : inner(value, '*', (text) => `{"a":${text}}`)),
		...(items === undefined ? [] : inner(items, '[]', (text) => `[${text}]`)),
	];
}

/** As many pieces as fill a body. */
const filled = (piece: (i: number) => string): string => {
	const pieces: string[] = [];
	for (let i = 0, length = 0; length < LARGEST - 2000; i++) {
		const one = piece(i);
		pieces.push(one);
		length += one.length + 1;
	}
	return pieces.join(',');
};

/** Values that are as large as a body can be. */
const HOSTILE = {
	'equal texts': `[${filled(() => '"a"')}]`,
	'different texts': `[${filled((i) => `"a${i}"`)}]`,
	'whole numbers': `[${filled(() => '1')}]`,
	'empty objects': `[${filled(() => '{}')}]`,
	'unknown fields': `{${filled((i) => `"a${i}":1`)}}`,
	'fields of objects': `{${filled((i) => `"a${i}":{"a":1}`)}}`,
	'a long text': `"${'a'.repeat(LARGEST - 2000)}"`,
	'a long text of one letter with marks': `"a${'\\u0301'.repeat(LARGEST / 6 - 1000)}"`,
	'a long name': `{"${'a'.repeat(LARGEST - 2000)}":1}`,
	'deep nesting': `${'['.repeat(60)}${filled(() => '[]')}${']'.repeat(60)}`,
	'deeper nesting': '['.repeat(LARGEST - 2000),
};

describe('what a client sends', () => {
	it('is bounded in every place', () => {
		const found = requests();
		expect(found.length).toBeGreaterThan(20);
		expect(found.filter(({ isBody }) => isBody).map(({ name }) => name)).toContain('post /v1/jobs');
		expect(found.flatMap(({ name, schema }) => unbounded(schema, name))).toEqual([]);
		// Fields that it does not know are kept and not looked at.
		expect(unbounded(Manifest as unknown as Schema, 'manifest')).toEqual([
			'manifest',
			'manifest.task',
			`manifest.modalities.${NAME_PATTERN}`,
		]);
	});

	it.each(Object.entries(HOSTILE))('takes a moment to be refused where it is %s, in whatever place', async (_, value) => {
		const bodies = requests().filter(({ isBody }) => isBody);
		for (const { method, url, name, schema } of bodies) {
			for (const { path, around } of placesOf(schema)) {
				const payload = around(value);
				const started = processorTime();
				const response = await service.app.inject({ method, url, headers: { 'content-type': 'application/json' }, payload });
				const milliseconds = processorTime() - started;
				expect(response.statusCode, `${name}${path}`).toBeGreaterThanOrEqual(400);
				expect(response.statusCode, `${name}${path}: ${response.body.slice(0, 300)}`).toBeLessThan(500);
				expect(response.body.length, `${name}${path}`).toBeLessThan(2000);
				expect(milliseconds, `${name}${path}`).toBeLessThan(LONGEST);
			}
		}
	});

	it.each(Object.entries(HOSTILE).filter(([name]) => name !== 'deeper nesting'))(
		'takes a moment to be checked as a manifest that is %s, in whatever place',
		(_, value) => {
			for (const { path, around } of placesOf(Manifest as unknown as Schema)) {
				const body: unknown = JSON.parse(around(value));
				const started = processorTime();
				expect(() => parse(Manifest, body, 'invalid_dataset')).toThrow(ProblemError);
				expect(processorTime() - started, path).toBeLessThan(LONGEST);
			}
		},
	);

	it('is told what is too much, by its place and its bound', async () => {
		const refused = async (payload: object, param: string, detail: string) => {
			const response = await service.app.inject({ method: 'POST', url: '/v1/jobs', payload });
			expect(expectProblem(response, 400, 'invalid_request', param).detail).toContain(detail);
		};
		const unknown = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}`, 1]));
		const custom = (fields: object) => ({
			dataset: 'ds_1',
			model: { family: 'custom', model: 'mdl_1', output: 'y', inputs: { a: 'a' }, ...fields },
		});
		await refused(
			{ dataset: 'ds_1', modalities: Array(64_000).fill('a') },
			'modalities',
			'must not have more than 4096 items, found 64000',
		);
		await refused({ dataset: 'ds_1', modalities: ['..'] }, 'modalities.0', 'must be a letter and at most 62 more letters, digits, _ and -');
		await refused({ dataset: 'ds_1', ...unknown }, 'a0', 'a0 is not a known field');
		await refused({ dataset: 'ds_1', training: unknown }, 'training.a0', 'is not a known field');
		await refused({ dataset: 'ds_1', metadata: { ['a'.repeat(65)]: '' } }, 'metadata', 'expected names of at most 64 characters');
		await refused(custom({ inputs: { 'a\nb': 'a' } }), 'model.inputs', 'has the field "a\\nb"; expected names of a letter and at most 62');
		await refused(custom({ masks: { '': 'a' } }), 'model.masks', 'has the field ""; expected names of a letter');
		await refused(custom({ frozen: Array(1001).fill('a') }), 'model.frozen', 'must not have more than 1000 items');
	});

	it('takes a moment where a job names thousands of modalities that are not there', async () => {
		const dataset = await addDataset(service.app);
		const names = Array.from({ length: 4096 }, (_, i) => `m${i}`);
		const mapped = Object.fromEntries(names.map((name) => [name, name]));
		for (const model of [undefined, { family: 'custom', model: 'mdl_1', output: 'y', inputs: mapped, masks: mapped }]) {
			const started = processorTime();
			const payload = { dataset, model, modalities: names };
			expectProblem(await service.app.inject({ method: 'POST', url: '/v1/jobs', payload }), 422, 'modality_not_found');
			expect(processorTime() - started).toBeLessThan(LONGEST);
		}
	});
});
