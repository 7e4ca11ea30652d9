import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const table = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
const documented = [...table.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name as string);

/** What the system and npm set, and what the store sets for the library of AWS: nobody sets them for Steelyard. */
const OF_THE_SYSTEM = new Set(['PATH', 'npm_lifecycle_event', 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED']);

function sources(folder: string): string[] {
	return readdirSync(join(root, folder))
		.map((name) => join(root, folder, name, 'src'))
		.filter((path) => existsSync(path))
		.flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true }))
		.filter((entry) => entry.isFile())
		.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

describe('docs/configuration.md', () => {
	test('is what the schemas say', async () => {
		await promisify(execFile)(process.execPath, [join(root, 'docs/configuration.js'), '--check']);
	});

	test('has every variable once', () => {
		expect(documented).toEqual([...new Set(documented)]);
		expect(documented).toEqual(expect.arrayContaining(['STEELYARD_API_KEY', 'STEELYARD_CONCURRENCY', 'STEELYARD_URL', 'REDIS_SERVER_BIN']));
	});

	test('has every variable that a source reads by name', () => {
		const read = [...sources('services'), ...sources('packages'), ...sources('models')].flatMap((source) =>
			[...source.matchAll(/\benv(?:\['(\w+)'\]|\.([A-Z_]+)\b)/g)].map(([, quoted, plain]) => (quoted ?? plain) as string),
		);
		expect(read).toContain('STEELYARD_URL');
		expect([...new Set(read)].filter((name) => !documented.includes(name) && !OF_THE_SYSTEM.has(name))).toEqual([]);
	});

	test('has every variable that docker-compose.yml reads or sets', () => {
		const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
		const named = [...compose.matchAll(/\$\{([A-Z_]+)|^\s+([A-Z][A-Z_]+):/gm)].map(([, read, set]) => (read ?? set) as string);
		expect(named).toContain('STEELYARD_PORT');
		expect([...new Set(named)].filter((name) => !documented.includes(name))).toEqual([]);
	});
});
