// Fills the tables of fields in docs/*.md from the schemas of @steelyard/contracts, between `<!-- fields: NAME -->` and `<!-- end of fields -->`.
// `node docs/fields.js` writes them; with --check it writes nothing and ends with code 1 where a table is not what the schemas say.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
	Artifact,
	JOB_STAGES,
	JOB_STATUSES,
	JobError,
	JobEventBody,
	JobLogLine,
	JobResource,
	JobResult,
	JobSpec,
	JobWarning,
	Manifest,
	problems,
	SweepDimension,
	SweepResource,
	SweepSpec,
	TableManifest,
	WARNINGS,
} from '../packages/contracts/dist/index.js';

/** `branches`: those of a union that have the field, where not all of them do. @typedef {{ name: string, type: string, standard: string, description: string, branches?: string[] }} Field */

const FOLDER = dirname(fileURLToPath(import.meta.url));
const BLOCK = /<!-- fields: (\S+) -->\n[\s\S]*?<!-- end of fields -->/g;

const code = (/** @type {unknown} */ value) => `\`${JSON.stringify(value)}\``;
const count = (/** @type {number} */ value) => (Math.abs(value) >= 10_000 ? value.toLocaleString('en-US') : String(value));
const isNull = (/** @type {any} */ schema) => schema.type === 'null';
/** What is left of a schema that may also be null. */
const besideNull = (/** @type {any} */ schema) => {
	const others = schema.anyOf?.filter((/** @type {any} */ one) => !isNull(one));
	return others?.length === 1 ? others[0] : schema;
};
const mayBeNull = (/** @type {any} */ schema) =>
	schema.anyOf?.some(isNull) === true || (Array.isArray(schema.type) && schema.type.includes('null'));
const valueOf = (/** @type {any} */ schema) => Object.values(schema.patternProperties ?? {})[0];
/** A record, whose keys are names that a user chooses. */
const isRecord = (/** @type {any} */ schema) => schema.patternProperties !== undefined;

/** A text, or a list. */
const isTextOrList = (/** @type {any} */ schema) =>
	schema.anyOf?.every((/** @type {any} */ one) => one.type === 'string' || one.type === 'array') === true;

function rangeOf(/** @type {any} */ { minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
	if (minimum !== undefined && maximum !== undefined) return `, ${count(minimum)} to ${count(maximum)}`;
	const least =
		exclusiveMinimum !== undefined ? `above ${count(exclusiveMinimum)}` : minimum !== undefined ? `at least ${count(minimum)}` : '';
	const most =
		exclusiveMaximum !== undefined ? `below ${count(exclusiveMaximum)}` : maximum !== undefined ? `at most ${count(maximum)}` : '';
	return [least, most]
		.filter((part) => part !== '')
		.map((part) => `, ${part}`)
		.join('');
}

/** @param {any} schema @returns {string} */
function typeOf(schema) {
	const inner = besideNull(schema);
	const or = mayBeNull(schema) ? ' or `null`' : '';
	if (inner.enum !== undefined) return inner.enum.map((/** @type {unknown} */ value) => code(value)).join(', ') + or;
	const type = Array.isArray(inner.type) ? inner.type.find((/** @type {string} */ name) => name !== 'null') : inner.type;
	if (type === 'integer' || type === 'number') return `${type}${rangeOf(inner)}${or}`;
	if (type === 'string') return `text${inner.maxLength === undefined ? '' : `, at most ${count(inner.maxLength)} characters`}${or}`;
	if (type === 'boolean') return `\`true\`, \`false\`${or}`;
	if (type === 'array') return `list of ${typeOf(inner.items)}${or}`;
	if (isRecord(inner)) return `object by name (${typeOf(valueOf(inner))})${or}`;
	if (inner.anyOf?.some((/** @type {any} */ one) => one.enum !== undefined) || isTextOrList(inner))
		return inner.anyOf.map(typeOf).join(', or ');
	if (type === 'object' || inner.anyOf !== undefined) return `object${or}`;
	return `anything${or}`;
}

/** Every field of an object by its path, those of objects inside it behind it. @param {any} object @returns {Field[]} */
function fieldsOf(object, prefix = '', deep = true) {
	return Object.entries(object.properties).flatMap(([key, schema]) => {
		if (/** @type {any} */ (schema).deprecated) return [];
		const name = `${prefix}${key}`;
		const inner = besideNull(schema);
		const description = /** @type {any} */ (schema).description ?? inner.description;
		if (description === undefined) throw new Error(`the schema of ${name} has no description`);
		const required = object.required?.includes(key) === true && !('default' in /** @type {any} */ (schema));
		const standard = 'default' in /** @type {any} */ (schema) ? standardOf(/** @type {any} */ (schema)) : required ? 'required' : '';
		const field = { name, type: typeOf(schema), standard, description };
		/** Of a name or an object, the object. */
		const open = inner.discriminator === undefined ? (inner.anyOf?.find((/** @type {any} */ one) => one.properties) ?? inner) : inner;
		const parts = isRecord(inner) ? { object: valueOf(inner), prefix: `${name}.<name>.` } : { object: open, prefix: `${name}.` };
		return deep && /** @type {any} */ (parts.object)?.properties !== undefined ? [field, ...fieldsOf(parts.object, parts.prefix)] : [field];
	});
}

/** A default; that of an object whose fields have their own is not a value. @param {any} schema */
const standardOf = (schema) =>
	JSON.stringify(schema.default) === '{}' && besideNull(schema).patternProperties === undefined ? 'its defaults' : code(schema.default);

/** The branches of a union that one field tells apart, by that field's value. @param {any} union @returns {[string, any][]} */
const branchesOf = ({ anyOf, discriminator: { propertyName } }) =>
	anyOf.map((/** @type {any} */ branch) => [branch.properties[propertyName].enum[0], branch]);

/** The fields of an object; of a union that one field tells apart, those of all branches, each once. @param {any} schema @returns {Field[]} */
function fieldsOfAll(schema, prefix = '') {
	if (schema.discriminator === undefined) return fieldsOf(schema, prefix);
	const { propertyName } = schema.discriminator;
	const branches = branchesOf(schema);
	const names = branches.map(([name]) => name);
	/** @type {Map<string, Field & { branches: string[] }>} */
	const fields = new Map();
	for (const [branch, { properties, ...rest }] of branches) {
		const { [propertyName]: _, ...others } = properties;
		for (const field of fieldsOf({ ...rest, properties: others }, prefix)) {
			const known = fields.get(field.name);
			if (known === undefined) fields.set(field.name, { ...field, branches: [branch] });
			else known.branches.push(branch);
		}
	}
	const type = names.map(code).join(', ');
	const all = [...fields.values()].map(({ branches: some, ...field }) =>
		some.length < names.length ? { ...field, branches: some } : field,
	);
	return [{ name: `${prefix}${propertyName}`, type, standard: code(names[0]), description: 'which of the fields below there are' }, ...all];
}

/** A Markdown table whose columns are padded, so that it can be read as it is. @param {readonly (readonly string[])[]} rows the head first */
function tableOf(rows) {
	const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
	const widths = cells[0]?.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0))) ?? [];
	const lineOf = (/** @type {readonly string[]} */ row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
	const [head = [], ...body] = cells;
	return [lineOf(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(lineOf)].join('\n');
}

/** Plain text as Markdown, in which `<` would begin a tag and `*` emphasis. */
const plain = (/** @type {string} */ text) => text.replace(/[<*]/g, '\\$&');
const named = (/** @type {Field} */ { name, description, ...rest }) => ({ name: `\`${name}\``, description: plain(description), ...rest });
/** A table of fields: with the defaults of what a client sends, and with the branches of a union that have a field where not all do. @param {Field[]} fields */
function fieldTable(fields, withDefaults = false) {
	const parted = fields.some(({ branches }) => branches !== undefined);
	const row = (/** @type {string[]} */ [name = '', type = '', standard = '', branches = '', description = '']) => [
		name,
		type,
		...(withDefaults ? [standard] : []),
		...(parted ? [branches] : []),
		description,
	];
	const listed = (/** @type {string[]} */ branches = []) => branches.map((name) => `\`${name}\``).join(', ');
	return tableOf([
		row(['field', 'value', 'default', 'only for', 'what it is']),
		...fields
			.map(named)
			.map(({ name, type, standard, branches, description }) => row([name, type, standard, listed(branches), description])),
	]);
}
const sent = (/** @type {Field[]} */ fields) => fieldTable(fields, true);
const answered = (/** @type {Field[]} */ fields) => fieldTable(fields);

const { model, weighting, training, evaluation } = JobSpec.properties;

/** @type {Readonly<Record<import('../packages/contracts/dist/index.js').JobStatus, string>>} */
const STATUSES = {
	queued: 'The job waits for a worker; also after a worker gave it back, when it goes on from its last checkpoint.',
	running: 'A worker trains it.',
	paused: 'The job was paused. It keeps its last checkpoint, and waits to be resumed or cancelled.',
	succeeded: 'Final. `result` and `artifacts` are there.',
	failed: 'Final. `error` says why.',
	cancelled: 'Final, unless the job is resumed. It was cancelled before it was done, and keeps its last checkpoint.',
};

/** @type {Readonly<Record<import('../packages/contracts/dist/index.js').JobStage, string>>} */
const STAGES = {
	preparing: 'The device is chosen, the dataset opened, the graphs are built and differentiated.',
	unimodal: 'One model per modality is trained, or one per modality and fold, where the weighting method needs them.',
	fusion: 'The multimodal model is trained; its weights are refreshed when the method says so.',
	evaluating: 'The exported model is run on every split: the metrics of the result are what that file gives.',
	exporting: 'The artifacts are written.',
};

/** @type {Readonly<Record<import('../packages/contracts/dist/index.js').JobEventBody['type'], string>>} */
const EVENTS = {
	status: 'The status changed.',
	device: 'An attempt has chosen its device.',
	stage: 'A stage began.',
	progress: 'Some steps are done.',
	epoch: 'An epoch is done and validated.',
	weights: 'The weights of the training rows were refreshed.',
	waiting: 'The job waits for something, such as room on the disk, or goes on.',
	warning: 'The trained model, or what was found of it, has something to know of: one of `warnings` of the result.',
};
const eventUnion = { ...JobEventBody, discriminator: { propertyName: 'type' } };

/** @type {Readonly<Record<string, () => string>>} */
const TABLES = {
	job: () => sent(fieldsOf(JobSpec, '', false)),
	sweep: () => {
		const { job, space, search, pruning, ...others } = SweepSpec.properties;
		const union = (/** @type {string} */ name, /** @type {any} */ schema) => fieldsOfAll(schema, `${name}.`);
		const whole = { properties: { job, space }, required: ['job', 'space'] };
		return sent([
			...fieldsOf(whole, '', false),
			...fieldsOf({ properties: others, required: ['budget'] }),
			...union('search', search),
			...union('pruning', pruning),
		]);
	},
	'sweep-dimension': () => sent(fieldsOfAll(SweepDimension)),
	'sweep-resource': () => {
		const { spec: _spec, ...properties } = SweepResource.properties;
		return answered(fieldsOf({ properties }));
	},
	training: () => sent(fieldsOf(training, 'training.')),
	evaluation: () => sent(fieldsOf(evaluation, 'evaluation.')),
	weighting: () => sent(fieldsOfAll(weighting, 'weighting.')),
	model: () =>
		branchesOf(model)
			.map(([family, branch]) => `### \`${family}\`\n\n${sent(fieldsOf(branch, 'model.'))}`)
			.join('\n\n'),
	manifest: () => sent(fieldsOf(Manifest)),
	table: () => sent(fieldsOf(TableManifest)),
	resource: () => answered(fieldsOf(JobResource, '', false)),
	result: () => answered(fieldsOf(JobResult)),
	log: () => answered(fieldsOf(JobLogLine)),
	artifact: () => answered(fieldsOf(Artifact)),
	warning: () => answered(fieldsOf(JobWarning)),
	warnings: () => tableOf([['code', 'what it warns of'], ...Object.entries(WARNINGS).map(([name, text]) => [`\`${name}\``, text])]),
	error: () => answered(fieldsOf(JobError)),
	statuses: () => tableOf([['status', 'what it means'], ...JOB_STATUSES.map((status) => [`\`${status}\``, STATUSES[status]])]),
	stages: () => tableOf([['stage', 'what happens'], ...JOB_STAGES.map((stage) => [`\`${stage}\``, STAGES[stage]])]),
	events: () => tableOf([['type', 'when'], ...branchesOf(eventUnion).map(([type]) => [`\`${type}\``, EVENTS[type]])]),
	event: () => answered(fieldsOfAll(eventUnion)),
	problems: () =>
		tableOf([
			['code', 'HTTP status', 'what it says'],
			...Object.entries(problems).map(([name, { status, title }]) => [`\`${name}\``, String(status), title]),
		]),
};

/** @param {string} text */
const filled = (text) =>
	text.replace(BLOCK, (_, name) => {
		const table = TABLES[name];
		if (table === undefined) throw new Error(`no table is called ${name}; there are ${Object.keys(TABLES).join(', ')}`);
		return `<!-- fields: ${name} -->\n\n${table()}\n\n<!-- end of fields -->`;
	});

const check = process.argv.includes('--check');
for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.md'))) {
	const file = join(FOLDER, name);
	const before = readFileSync(file, 'utf8');
	const after = filled(before);
	if (after === before) continue;
	if (check) {
		process.stderr.write(`docs/${name} is not what the schemas say; run: node docs/fields.js\n`);
		process.exitCode = 1;
	} else {
		writeFileSync(file, after);
		process.stdout.write(`docs/${name}\n`);
	}
}
