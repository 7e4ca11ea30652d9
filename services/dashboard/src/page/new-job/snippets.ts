import { isObject, type Json, type JsonObject } from './json.js';

/** What a snippet needs to know beside the spec. */
export type Target = {
	/** What is posted. */
	readonly of: 'job' | 'sweep';
	/** The address of the service. */
	readonly url: string;
	/** Whether it wants a key, which a snippet takes from the environment and never has in it. */
	readonly hasKey: boolean;
	/** The project that an admin works in. */
	readonly project: string | null;
};

/** A value as a language writes it. */
type Language = {
	readonly word: (value: boolean | null) => string;
	readonly text: (value: string) => string;
	readonly name: (name: string) => string;
};

/** Up to this many characters a list or an object without others in it stays in one line. */
const SHORT = 60;

function written(value: Json, language: Language, indent: string, step: string): string {
	if (typeof value === 'string') return language.text(value);
	if (typeof value === 'number') return String(value);
	if (typeof value === 'boolean' || value === null) return language.word(value);
	const inner = indent + step;
	const items = isObject(value)
		? Object.entries(value).map(([name, one]) => `${language.name(name)}: ${written(one, language, inner, step)}`)
		: (value as readonly Json[]).map((one) => written(one, language, inner, step));
	const [open, close] = isObject(value) ? ['{', '}'] : ['[', ']'];
	const line = items.join(', ');
	if (items.length === 0) return open + close;
	if (!isObject(value) && line.length <= SHORT && !line.includes('\n')) return `[${line}]`;
	return `${open}\n${items.map((item) => inner + item).join(',\n')}${language === JSON_TEXT ? '' : ','}\n${indent}${close}`;
}

const quoted = (text: string): string => JSON.stringify(text);
const singleQuoted = (text: string): string => `'${quoted(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const JSON_TEXT: Language = { word: String, text: quoted, name: quoted };
const TYPESCRIPT: Language = {
	word: String,
	text: singleQuoted,
	name: (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : singleQuoted(name)),
};
const PYTHON: Language = { word: (value) => (value === null ? 'None' : value ? 'True' : 'False'), text: quoted, name: quoted };

/** A spec as JSON, with short lists in one line. */
export const jsonText = (spec: JsonObject): string => written(spec, JSON_TEXT, '', '  ');

/** A text as one word of a shell. */
const shellWord = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The command line that posts a spec. */
export function curlText(spec: JsonObject, { of, url, hasKey, project }: Target): string {
	const headers = [
		...(hasKey ? ['-H "authorization: Bearer $STEELYARD_API_KEY"'] : []),
		...(project === null ? [] : [`-H ${shellWord(`steelyard-project: ${project}`)}`]),
		"-H 'content-type: application/json'",
	];
	return [`curl ${shellWord(`${url}/v1/${of}s`)}`, ...headers, `-d ${shellWord(jsonText(spec))}`].join(' \\\n  ');
}

/** The same with the client for TypeScript and JavaScript, which then follows a job. */
export function typescriptText(spec: JsonObject, { of, url, hasKey, project }: Target): string {
	const options = [
		`url: ${singleQuoted(url)}`,
		...(hasKey ? ["apiKey: process.env.STEELYARD_API_KEY ?? ''"] : []),
		...(project === null ? [] : [`project: ${singleQuoted(project)}`]),
	];
	return `import { createClient } from '@steelyard/client';

const client = createClient({ ${options.join(', ')} });
const ${of} = await client.${of}s.create(${written(spec, TYPESCRIPT, '', '  ')});
${of === 'job' ? 'for await (const event of client.jobs.events(job.id)) console.log(event);' : 'console.log(sweep.id);'}
`;
}

/** The same with the client for Python. */
export function pythonText(spec: JsonObject, { of, url, hasKey, project }: Target): string {
	const options = [
		quoted(url),
		...(hasKey ? ['api_key=os.environ["STEELYARD_API_KEY"]'] : []),
		...(project === null ? [] : [`project=${quoted(project)}`]),
	];
	return `${hasKey ? 'import os\n\n' : ''}from steelyard import Client

client = Client(${options.join(', ')})
${of} = client.${of}s.create(${written(spec, PYTHON, '', '    ')})
print(${of}["id"])
`;
}
