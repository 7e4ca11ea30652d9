import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Environment as ApiEnvironment } from '@steelyard/api';
import { Environment as WorkerEnvironment } from '@steelyard/worker';
import { Ajv } from 'ajv';
import { DCLinter } from 'dclint';
import { type Copy, type Dockerfile, DockerfileParser, type From } from 'dockerfile-ast';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const composeFile = join(root, 'docker-compose.yml');
const images = ['api', 'worker-cpu', 'worker-cuda'] as const;

interface Service {
	readonly image?: string;
	readonly build?: { readonly context: string; readonly dockerfile: string };
	readonly user?: string;
	readonly command?: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	readonly ports?: readonly string[];
	readonly volumes?: readonly string[];
	readonly profiles?: readonly string[];
	readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
	readonly healthcheck?: object;
	readonly [key: string]: unknown;
}

/** What dclint answers; its own declarations cannot be resolved by NodeNext. */
interface LintResult {
	readonly messages: readonly { readonly line: number; readonly message: string; readonly rule: string; readonly severity: string }[];
}

interface Compose {
	readonly services: Readonly<Record<string, Service>>;
	readonly volumes: Readonly<Record<string, unknown>>;
}

function readCompose(): Compose {
	return parse(readFileSync(composeFile, 'utf8'), { merge: true }) as Compose;
}

function readDockerfile(image: string): { source: string; dockerfile: Dockerfile } {
	const source = readFileSync(join(root, 'docker', `${image}.Dockerfile`), 'utf8');
	return { source, dockerfile: DockerfileParser.parse(source) };
}

describe('docker-compose.yml', () => {
	let compose: Compose;

	beforeAll(() => {
		compose = readCompose();
	});

	function service(name: string): Service {
		const found = compose.services[name];
		if (found === undefined) throw new Error(`no service "${name}" in docker-compose.yml`);
		return found;
	}

	/** The schema of the Compose Specification, as the linter ships it. */
	function composeSchema(): object {
		const require = createRequire(import.meta.url);
		const schema = JSON.parse(
			readFileSync(join(dirname(require.resolve('dclint/package.json')), 'schemas', 'compose.schema.json'), 'utf8'),
		) as object;
		// It names its draft by another spelling of the address than the one by which validators know it.
		expect(schema).toHaveProperty('$schema', 'https://json-schema.org/draft-07/schema');
		return { ...schema, $schema: 'http://json-schema.org/draft-07/schema#' };
	}

	function violations(document: unknown): string[] {
		const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
		const check = ajv.compile(composeSchema());
		return check(document) ? [] : (check.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
	}

	test('follows the schema of the Compose Specification', () => {
		expect(violations(compose)).toEqual([]);
	});

	test('would not follow it with a misspelt key', () => {
		const { api, ...others } = compose.services;
		expect(violations({ ...compose, services: { ...others, api: { ...api, healthchek: {} } } })).not.toEqual([]);
	});

	test('has nothing that the compose linter calls an error', () => {
		const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
		const results: LintResult[] = linter.lintFiles([composeFile], false);
		expect(results).toHaveLength(1);
		const errors = results
			.flatMap((result) => result.messages)
			.filter((message) => message.severity === 'major' || message.severity === 'critical');
		expect(errors.map((message) => `${message.line}: ${message.message} (${message.rule})`)).toEqual([]);
	});

	test('keeps what Redis holds: append-only file on a volume, no eviction', () => {
		const { command = [], volumes = [] } = service('redis');
		const option = (name: string) => command[command.indexOf(name) + 1];
		expect(option('--appendonly')).toBe('yes');
		expect(option('--maxmemory-policy')).toBe('noeviction');
		expect(volumes).toContain('redis:/data');
	});

	test('opens one port, on loopback, and asks for a key', () => {
		const published = Object.entries(compose.services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
		expect(published).toEqual(['api 127.0.0.1:${STEELYARD_PORT:-8080}:8080']);
		const { environment = {} } = service('api');
		expect(environment['HOST']).toBe('0.0.0.0');
		expect(environment['PORT']).toBe('8080');
		expect(environment['STEELYARD_API_KEY']).toMatch(/^\$\{STEELYARD_API_KEY:\?.+\}$/);
	});

	test.each([
		['api', ApiEnvironment],
		['worker', WorkerEnvironment],
		['worker-cuda', WorkerEnvironment],
	])('sets or hands on to %s every variable that it reads', (name, { properties }) => {
		const read = Object.keys(properties).filter((variable) => variable !== 'STEELYARD_REDIS' && !/^REDIS_(CA|SENTINEL)_/.test(variable));
		expect(Object.keys(service(name).environment ?? {}).sort()).toEqual(read.sort());
	});

	test.each(['api', 'worker', 'worker-cuda'])('gives %s the same Redis and the same data, and waits until Redis is healthy', (name) => {
		const { environment, volumes, depends_on: dependsOn } = service(name);
		expect(environment).toMatchObject({ REDIS_URL: 'redis://redis:6379/0', STEELYARD_HOME: '/var/lib/steelyard' });
		expect(volumes).toEqual(['data:/var/lib/steelyard']);
		expect(dependsOn).toEqual({ redis: { condition: 'service_healthy' } });
	});

	test('lets no service write outside of its volumes, gain rights, or die for good', () => {
		for (const [name, found] of Object.entries(compose.services)) {
			expect({ name, ...found }).toMatchObject({
				name,
				read_only: true,
				cap_drop: ['ALL'],
				security_opt: ['no-new-privileges:true'],
				restart: 'unless-stopped',
				stop_grace_period: expect.stringMatching(/^\d+s$/),
			});
		}
	});

	test('starts the GPU worker only in its profile, with a device', () => {
		expect(service('worker-cuda').profiles).toEqual(['gpu']);
		expect(service('worker-cuda')['deploy']).toMatchObject({
			resources: { reservations: { devices: [{ driver: 'nvidia', capabilities: ['gpu'] }] } },
		});
		for (const name of ['redis', 'api', 'worker']) expect(service(name).profiles).toBeUndefined();
	});

	test('has a profile with a bucket and a second worker, which shares no folder with the first', () => {
		expect(service('s3').profiles).toEqual(['s3']);
		expect(service('s3')['networks']).toEqual(['backend']);
		const { environment, ...second } = service('worker-2');
		const { environment: same, ...first } = service('worker');
		expect(environment).toEqual(same);
		expect(second).toEqual({ ...first, profiles: ['s3'], volumes: ['data-2:/var/lib/steelyard'] });
	});

	test('has a health check for every service, pins every image, and builds from files that exist', () => {
		for (const { image, build, healthcheck } of Object.values(compose.services)) {
			if (build === undefined) {
				expect(image).toMatch(/:\d+\.\d+/);
				expect(healthcheck).toBeDefined();
			} else {
				expect(existsSync(join(root, build.context, build.dockerfile))).toBe(true);
				expect(images.map((name) => `docker/${name}.Dockerfile`)).toContain(build.dockerfile);
			}
		}
	});
});

describe.each(images)('docker/%s.Dockerfile', (image) => {
	let source: string;
	let dockerfile: Dockerfile;

	beforeAll(() => {
		({ source, dockerfile } = readDockerfile(image));
	});

	/** Names of the stages, and instructions of the last one: what ends up in the image. */
	function stages(): { froms: From[]; last: { keyword: string; args: string }[] } {
		const froms = dockerfile.getFROMs();
		const start = froms.at(-1)?.getRange().start.line ?? 0;
		const last = dockerfile
			.getInstructions()
			.filter((instruction) => instruction.getRange().start.line >= start)
			.map((instruction) => ({ keyword: instruction.getKeyword(), args: instruction.getRawArgumentsContent() ?? '' }));
		return { froms, last };
	}

	test('has nothing that the Dockerfile linter objects to', () => {
		expect(
			validate(source, { deprecatedMaintainer: ValidationSeverity.ERROR }).map(
				({ message, range }) => `${range.start.line + 1}: ${message}`,
			),
		).toEqual([]);
	});

	test('builds in one stage, runs in another, from bases pinned to a full version', () => {
		const { froms } = stages();
		expect(froms.length).toBeGreaterThanOrEqual(2);
		for (const from of froms) expect(from.getImage()).toMatch(/^[\w./-]+:\d+\.\d+\.\d+[\w.-]*$/);
	});

	test('runs as a user that is not root', () => {
		const users = stages().last.filter(({ keyword }) => keyword === 'USER');
		expect(users.at(-1)?.args).toMatch(/^[1-9]\d*:[1-9]\d*$/);
	});

	test('says how its health is checked, and starts its program without a shell', () => {
		const { last } = stages();
		expect(last.filter(({ keyword }) => keyword === 'HEALTHCHECK')).toHaveLength(1);
		const commands = last.filter(({ keyword }) => keyword === 'CMD').map(({ args }) => JSON.parse(args) as string[]);
		expect(commands).toEqual([['node', ...(commands[0]?.slice(1, -1) ?? []), 'bundle/main.js']]);
	});

	test('installs by the lockfile, with the package manager that package.json names', () => {
		const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };
		expect(source).toContain(` ${packageManager}\n`);
		expect(source).toContain('pnpm install --offline --frozen-lockfile');
	});

	test('copies from stages that exist and from paths that are in the tree', () => {
		const stageNames = new Set(dockerfile.getFROMs().map((from) => from.getBuildStage()));
		expect(dockerfile.getCOPYs().length).toBeGreaterThan(0);
		for (const copy of dockerfile.getCOPYs() as Copy[]) {
			const stage = copy
				.getFlags()
				.find((flag) => flag.getName() === 'from')
				?.getValue();
			if (stage !== undefined) {
				expect(stageNames).toContain(stage);
				continue;
			}
			const paths = copy.getArguments().map((argument) => argument.getValue());
			for (const path of paths.slice(0, -1)) expect(existsSync(join(root, path)), `${path} is in the tree`).toBe(true);
		}
	});

	test('builds a service of the workspace whose entry is the program it starts', () => {
		const service = /tsc -b services\/(\w+)/.exec(source)?.[1] ?? '';
		expect(image.startsWith(service)).toBe(true);
		expect(source).toContain(`--filter @steelyard/${service} `);
		expect(existsSync(join(root, 'services', service, 'src', 'main.ts'))).toBe(true);
		expect(source).toContain(' && node bin/bundle.js');
	});
});
