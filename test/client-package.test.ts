import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openService, type Service } from '../services/api/test/service.js';
import { CHROMIUM, openBrowser } from './chromium.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGE = join(ROOT, 'packages/client');
const TSC = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
/** The most that a page may load of the client: minified and compressed. */
const MOST_BYTES = 8000;
const run = promisify(execFile);

/** A folder with the packed client among its packages, and nothing else. */
let folder: string;
let service: Service;
let url: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-client-'));
	const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
		cwd: PACKAGE,
		shell: process.platform === 'win32',
	});
	const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
	const installed = join(folder, 'node_modules/@steelyard/client');
	await mkdir(installed, { recursive: true });
	await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
	await writeFile(join(folder, 'package.json'), '{"type": "module"}');
	service = await openService();
	url = await service.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
	await service?.close();
	await rm(folder, { recursive: true, force: true });
});

/** The types that the face of the client hands on. */
async function typesOfContracts(): Promise<string[]> {
	const [, list = ''] =
		/export type \{([^}]*)\} from '@steelyard\/contracts'/.exec(await readFile(join(PACKAGE, 'src/index.ts'), 'utf8')) ?? [];
	return list.split(',').flatMap((name) => name.trim() || []);
}

/** Compiles a text as a stranger would, in the folder that has the client alone. The promise rejects with what the compiler says. */
async function compile(text: string, resolution: 'nodenext' | 'bundler'): Promise<void> {
	const file = join(folder, 'consumer.ts');
	await writeFile(file, text);
	const module = resolution === 'nodenext' ? 'nodenext' : 'preserve';
	const options = [
		'--noEmit',
		'--strict',
		'--exactOptionalPropertyTypes',
		'--skipLibCheck',
		'false',
		'--target',
		'es2022',
		'--lib',
		'es2023,dom',
	];
	await run(process.execPath, [TSC, ...options, '--types', '', '--module', module, '--moduleResolution', resolution, file], {
		cwd: folder,
	}).catch(({ stdout }: { stdout: string }) => {
		throw new Error(stdout);
	});
}

const CONSUMER = `
import { createClient, SteelyardError, type JobEvent, type JobRequest, type JobResource, type Prediction } from '@steelyard/client';

const client = createClient({ url: 'http://127.0.0.1:8080', retries: 0 });
const spec: JobRequest = { dataset: 'ds_1', model: { family: 'mlp-fusion', hidden: 4 }, weighting: { preset: 'btw' }, training: { epochs: 3 } };

export async function train(file: Blob, onEvent: (event: JobEvent) => void): Promise<Prediction[]> {
	const { id } = await client.datasets.create(file, 'a.csv', { label: 'y', onProgress: (sent: number, total: number | null) => void [sent, total] });
	const job: JobResource = await client.jobs.create({ ...spec, dataset: id });
	for await (const event of client.jobs.events(job.id)) {
		onEvent(event);
		if (event.type === 'epoch') console.log(event.epoch, event.validation['accuracy'] ?? 0);
	}
	const { data } = await client.jobs.predict(job.id, [{ age: 7 }]);
	return data;
}
export const reason = (error: unknown): string | null => (error instanceof SteelyardError ? error.param : null);

// @ts-expect-error The field is not one of a job.
await client.jobs.create({ dataset: 'ds_1', colour: 'red' });
// @ts-expect-error There is no such preset.
await client.jobs.create({ dataset: 'ds_1', weighting: { preset: 'none such' } });
`;

describe('the packed client', () => {
	it('needs no other package, and is licensed as the whole is', async () => {
		const manifest = JSON.parse(await readFile(join(folder, 'node_modules/@steelyard/client/package.json'), 'utf8'));
		expect(Object.keys(manifest.dependencies ?? {})).toEqual([]);
		expect(manifest.private).toBeUndefined();
		expect(await readFile(join(folder, 'node_modules/@steelyard/client/LICENSE'), 'utf8')).toBe(
			await readFile(join(ROOT, 'LICENSE'), 'utf8'),
		);
	});

	it.each(['nodenext', 'bundler'] as const)('has types that a stranger compiles against, resolved as %s', async (resolution) => {
		await compile(CONSUMER, resolution);
		await expect(compile(`${CONSUMER}\nexport const wrong: number = spec.dataset;`, resolution)).rejects.toThrow(
			"'string' is not assignable",
		);
	});

	it('has the types of contracts, whatever way they are written', async () => {
		const names = await typesOfContracts();
		expect(names).toContain('JobResource');
		const generic = new Set(['List', 'FoundList']);
		const of = (from: string, name: string) => `${from}.${name}${generic.has(name) ? '<string>' : ''}`;
		// The request for a job that is published is the stricter one, also within a sweep: of every family and preset it knows the fields.
		const requests = new Set(['JobRequest', 'SweepRequest', 'SweepResource']);
		const both = names.filter((name) => !requests.has(name));
		await compile(
			[
				"import type * as published from '@steelyard/client';",
				`import type * as contracts from '${join(ROOT, 'packages/contracts/dist/index.js')}';`,
				'type Fits<A, B extends A> = [A, B];',
				...names.map((name) => `export type To${name} = Fits<${of('contracts', name)}, ${of('published', name)}>;`),
				...both.map((name) => `export type From${name} = Fits<${of('published', name)}, ${of('contracts', name)}>;`),
			].join('\n'),
			'nodenext',
		);
	});

	it('hands on every type of contracts that its functions take or give', async () => {
		const used = new Set<string>();
		for (const file of ['client', 'datasets', 'jobs', 'follow', 'keys', 'models', 'error'])
			for (const [, list = ''] of (await readFile(join(PACKAGE, `src/${file}.ts`), 'utf8')).matchAll(
				/import type \{([^}]*)\} from '@steelyard\/contracts'/g,
			))
				for (const name of list.split(',')) if (name.trim() !== '') used.add(name.trim());
		expect(used.size).toBeGreaterThan(20);
		const names = await typesOfContracts();
		expect([...used].filter((name) => !names.includes(name))).toEqual([]);
	});

	it('runs in Node', async () => {
		await writeFile(
			join(folder, 'run.mjs'),
			`import { createClient, SteelyardError } from '@steelyard/client';
			const client = createClient({ url: '${url}' });
			const progress = [];
			const table = new Blob(['x,y\\n1,a\\n3,b\\n2,a\\n5,b\\n']);
			const dataset = await client.datasets.create(table, 'small.csv', { label: 'y', onProgress: (...said) => progress.push(said) });
			const refusal = await client.jobs.get('job_0').catch((error) => error);
			console.log(JSON.stringify([dataset.name, progress.at(-1), refusal instanceof SteelyardError, refusal.code]));`,
		);
		const { stdout, stderr } = await run(process.execPath, ['run.mjs'], { cwd: folder });
		expect([JSON.parse(stdout), stderr]).toEqual([['small', [20, 20], true, 'not_found'], '']);
	});

	it(`is smaller than ${MOST_BYTES} bytes, minified and compressed`, async () => {
		expect(gzipSync(await bundled()).length).toBeLessThan(MOST_BYTES);
	});
});

/** The client as one script for browsers, which makes it known as \`steelyard\`. */
async function bundled(): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [join(folder, 'node_modules/@steelyard/client/dist/index.js')],
		...{ bundle: true, minify: true, write: false, platform: 'browser', format: 'iife', globalName: 'steelyard' },
	});
	return (outputFiles?.[0] ?? expect.unreachable()).text;
}

describe.skipIf(CHROMIUM === null)('in a browser, the packed client', () => {
	/** Runs a function body in a page of the service that has a client. */
	const inPage = <T>(page: Page, body: string): Promise<T> => page.evaluate(`(async () => { ${body} })()`) as Promise<T>;

	it('uploads with progress, ends an upload that is aborted, and says what is wrong as everywhere', async () => {
		const browser = await openBrowser();
		try {
			const page = await browser.newPage();
			await page.goto(`${url}/docs/`);
			await page.evaluate(`${await bundled()}; globalThis.client = steelyard.createClient({ url: location.origin, retries: 0 });`);
			const [name, first, last] = await inPage<[string, number[], number[]]>(
				page,
				`const progress = [];
				const rows = Array.from({ length: 20000 }, (_, i) => (i % 7) + ',' + (i % 2 ? 'a' : 'b')).join('\\n');
				const dataset = await client.datasets.create(new Blob(['x,y\\n', rows]), 'many.csv', { label: 'y', onProgress: (...said) => progress.push(said) });
				return [dataset.name, progress[0], progress.at(-1)];`,
			);
			expect(name).toBe('many');
			expect(last[0]).toBe(last[1]);
			expect(first[1]).toBe(last[1]);

			const fails = (body: string) =>
				inPage<unknown[]>(
					page,
					`return await ${body}.then(() => null, (error) => [error.name, error.code, error.status, error.message.slice(0, 40)]);`,
				);
			expect(
				await fails(
					`(() => { const leaving = new AbortController(); return client.datasets.create(new Blob([new Uint8Array(900000)]), 'a.csv', { signal: leaving.signal, onProgress: () => leaving.abort(new RangeError('enough')) }); })()`,
				),
			).toEqual(['RangeError', undefined, undefined, 'enough']);
			expect(await fails(`client.datasets.create(new Blob(['x']), 'a.png', { onProgress() {} })`)).toEqual([
				'SteelyardError',
				'invalid_request',
				400,
				expect.any(String),
			]);
			expect(
				await fails(
					`steelyard.createClient({ url: 'http://127.0.0.1:1', retries: 0 }).datasets.create(new Blob(['x']), 'a.csv', { onProgress() {} })`,
				),
			).toEqual(['SteelyardError', 'unreachable', 0, expect.stringContaining('http://127.0.0.1:1')]);
		} finally {
			await browser.close();
		}
	});
});
