// Writes docs/configuration.md, the table of all environment variables, from the schemas that the programs read them by.
// `node docs/configuration.js` writes the file; with --check it writes nothing and ends with code 1 where the file is not what the schemas say.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { redisVariables } from '../packages/service-process/dist/index.js';
import { Environment as ApiEnvironment } from '../services/api/dist/config.js';
import { ClientEnvironment, DoctorEnvironment, ServeOptionsEnvironment, StartEnvironment } from '../services/cli/dist/environment.js';
import { Environment as WorkerEnvironment } from '../services/worker/dist/config.js';

const FILE = fileURLToPath(new URL('configuration.md', import.meta.url));

/** @typedef {{ description: string, default?: string | number, secret?: boolean }} Variable */

/** What docker-compose.yml sets for its containers itself, or what its own Redis, without TLS and sentinels, has no use for. */
const SET_BY_COMPOSE = new Set([...['HOST', 'PORT', 'STEELYARD_HOME', 'STEELYARD_REDIS'], ...Object.keys(redisVariables)]);
/** What it reads, or hands on to them. */
const COMPOSE = {
	...Object.fromEntries(
		Object.entries({ ...ApiEnvironment.properties, ...WorkerEnvironment.properties }).filter(([name]) => !SET_BY_COMPOSE.has(name)),
	),
	STEELYARD_PORT: { default: 8080, description: 'The port on 127.0.0.1 under which `docker compose` makes the API reachable.' },
};

/** Who reads which variables, in the order of the table. @type {[reader: string, variables: Record<string, Variable>][]} */
const READERS = [
	['commands', /** @type {any} */ ({ ...ClientEnvironment.properties, ...DoctorEnvironment.properties })],
	['serve', /** @type {any} */ ({ ...ServeOptionsEnvironment.properties, ...StartEnvironment.properties })],
	['API', /** @type {any} */ (ApiEnvironment.properties)],
	['worker', /** @type {any} */ (WorkerEnvironment.properties)],
	['compose', /** @type {any} */ (COMPOSE)],
];

const HEAD = `# Configuration

Every part of Steelyard is configured by environment variables. A variable that is set but empty counts as not set. A value that cannot be used ends the
start with a message that names the variable. The API and the workers log what they run with when they start, without the values of secrets.

**Read by** says which programs look at a variable: _commands_ are those of \`steelyard\` that speak to a service, such as \`steelyard jobs\`; _serve_ is
\`steelyard serve\` (\`npm start\`), whose environment the API and the worker that it starts inherit; _API_ and _worker_ are these processes, also where each
is started by itself; _compose_ is \`docker compose\`.

This file is written by \`node docs/configuration.js\` from the schemas of the programs.

`;

const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|');

/** A default value; a count of whole gibibytes is given in that unit as well. @param {string | number | undefined} value */
function defaultOf(value) {
	if (value === undefined) return '';
	const gibibytes = Number(value) / 1024 ** 3;
	return `\`${value}\`${Number.isInteger(gibibytes) && gibibytes > 0 ? ` (${gibibytes} GiB)` : ''}`;
}

function document() {
	/** @type {Map<string, Variable & { readers: string[] }>} */
	const all = new Map();
	for (const [reader, variables] of READERS)
		for (const [name, variable] of Object.entries(variables)) {
			const known = all.get(name);
			if (known === undefined) all.set(name, { ...variable, readers: [reader] });
			else known.readers.push(reader);
		}
	const rows = [...all].map(([name, { description, default: value, secret = false, readers }]) => [
		`\`${name}\``,
		defaultOf(value),
		readers.join(', '),
		cell(`${description}${secret ? ' A secret.' : ''}`),
	]);
	const head = ['Variable', 'Default', 'Read by', 'What it does'];
	const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column]?.length ?? 0)));
	const lines = [head, widths.map((width) => '-'.repeat(width)), ...rows].map(
		(cells) => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`,
	);
	return `${HEAD}${lines.join('\n')}\n`;
}

const text = document();
if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
	process.stderr.write('docs/configuration.md is not what the schemas say: run "node docs/configuration.js"\n');
	process.exitCode = 1;
}
