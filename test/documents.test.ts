import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startService } from '@steelyard/cli';
import { type Manifest, parseJobSpec, WEIGHTING_PRESETS } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFiles } from '../packages/dataset/test/write-npy.js';
import { runExample } from './documents/example.js';
import { manifestFiles } from './documents/manifest-files.js';
import { blocksOf, deadLinks, picturesOf, rowsOf } from './documents/markdown.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLI = join(ROOT, 'services/cli/bin/steelyard.js');
const run = promisify(execFile);
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const entries = (folder: string): string[] => readdirSync(join(ROOT, folder)).filter((name) => !name.startsWith('.'));

const PAGES = [
	'README.md',
	'CONTRIBUTING.md',
	'SECURITY.md',
	...entries('docs')
		.filter((name) => name.endsWith('.md'))
		.map((name) => `docs/${name}`),
];
const PACKAGES = ['packages', 'models', 'services'].flatMap((group) => entries(group).map((name) => `${group}/${name}`));
const DOCUMENTS = [...PAGES, ...[...PACKAGES, 'clients/python'].map((folder) => `${folder}/README.md`)];
/** Commands of the shell, one a line. */
const COMMANDS = PAGES.flatMap((file) =>
	blocksOf(read(file))
		.filter(({ language }) => language === 'sh')
		.flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n')),
);

let folder: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-documents-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the documents', () => {
	it('have a README of fewer than 900 words', () => {
		expect(read('README.md').split(/\s+/).length).toBeLessThan(900);
	});

	it('have no link that leads nowhere', () => {
		expect(DOCUMENTS.flatMap((file) => deadLinks(ROOT, file))).toEqual([]);
	});

	it('have the fields that the schemas say', async () => {
		await expect(run(process.execPath, [join(ROOT, 'docs/fields.js'), '--check'])).resolves.toMatchObject({ stderr: '' });
	});

	it('name files and folders that exist', () => {
		const named = PAGES.flatMap((file) =>
			[...read(file).matchAll(/`((?:packages|models|services|docker|test|docs)\/[\w./-]+)`/g)].map(([, path]) => path as string),
		);
		expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
	});

	it('give every package a place among the layers', () => {
		const named = rowsOf(read('docs/architecture.md')).map(([, name = '']) => name);
		expect(PACKAGES.filter((path) => !named.some((cell) => cell.includes(`\`${path.split('/')[1]}\``)))).toEqual([]);
	});

	it('count the operators as their list does', () => {
		const [, listed] = /^(\d+) can be differentiated/m.exec(read('packages/autodiff/OPERATORS.md')) ?? [];
		const [, counted] = /(\d+) operators that can be differentiated/.exec(read('README.md')) ?? [];
		expect(counted).toBe(listed);
	});

	it('never hide the error of a request', () => {
		expect(COMMANDS.filter((command) => command.includes('curl ') && !command.includes('--fail-with-body'))).toEqual([]);
	});

	it('name commands and options that the command line has', async () => {
		const used = COMMANDS.flatMap((command) => /npx steelyard (.*)/.exec(command)?.[1] ?? []).map((text) => {
			const words = text.split(/\s+/);
			return {
				text,
				words,
				path: words.slice(0, ['datasets', 'jobs', 'keys', 'models', 'sweeps'].includes(words[0] as string) ? 2 : 1).join(' '),
			};
		});
		const helps = new Map<string, string>();
		await Promise.all(
			[...new Set(used.map(({ path }) => path))].map(async (path) => {
				helps.set(path, (await run(process.execPath, [CLI, ...path.split(' '), '--help'])).stdout);
			}),
		);
		const isKnown = ({ words, path }: (typeof used)[number]): boolean => {
			const help = helps.get(path) as string;
			const options = words.filter((word) => /^--?[a-z]/.test(word) && word !== '--json');
			return new RegExp(`^Usage: steelyard ${path}[ |]`).test(help) && options.every((option) => help.includes(option));
		};
		expect(used.filter((one) => !isKnown(one)).map(({ text }) => text)).toEqual([]);
	});

	it('name scripts, programs and variables that there are', async () => {
		const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
		const named = COMMANDS.flatMap((command) => [
			...[...command.matchAll(/\bnpm (?:run )?([a-z][\w:]*)/g)].map(([, name = '']) => `npm ${name}`),
			...[...command.matchAll(/\bnode (?:--\S+ )*([\w./-]+\.js)\b/g)].map(([, path = '']) => path),
			...[...command.matchAll(/\b([A-Z][A-Z_]{3,})=/g)].map(([, variable = '']) => `$${variable}`),
		]);
		// Those of the service have their page; those of the tests are read by a test.
		const sources = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
			.filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
			.map((path) => read(`test/${path}`));
		const variables = new Set(
			[read('docs/configuration.md'), ...sources].flatMap((text) => [...text.matchAll(/[`'](\w+)[`']/g)].map(([, name]) => name)),
		);
		const isThere = (name: string): boolean => {
			if (name.startsWith('npm ')) return ['install', 'test', 'start', 'ci', 'pack'].includes(name.slice(4)) || name.slice(4) in scripts;
			return name.startsWith('$') ? variables.has(name.slice(1)) : existsSync(join(ROOT, name));
		};
		expect(named.length).toBeGreaterThan(20);
		expect(named.filter((name) => !isThere(name))).toEqual([]);
	});

	it('are all in their index', () => {
		const index = read('docs/README.md');
		const missing = entries('docs').filter((name) => name.endsWith('.md') && name !== 'README.md' && !index.includes(`](${name})`));
		expect(missing).toEqual([]);
	});

	it('say of each picture what is to be seen, and show each that is there', () => {
		const shown = DOCUMENTS.flatMap((file) => picturesOf(ROOT, file));
		expect(shown.filter(({ text }) => text.split(' ').length < 8)).toEqual([]);
		const files = entries('docs/pictures').filter((name) => /\.(png|svg)$/.test(name));
		expect(shown.map(({ path }) => path).toSorted()).toEqual(expect.arrayContaining(files.map((name) => `docs/pictures/${name}`)));
	});

	it('have pictures of the page in three widths, which are small together', () => {
		const pictures = entries('docs/pictures').filter((name) => name.endsWith('.png'));
		const bytes = pictures.map((name) => readFileSync(join(ROOT, 'docs/pictures', name)));
		expect(bytes.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1.5e6);
		// The width is the first field of the first chunk.
		expect([...new Set(bytes.map((png) => png.readUInt32BE(16)))].toSorted((a, b) => a - b)).toEqual([360, 800, 1280]);
	});

	it('state no measured figure outside of the page of figures', () => {
		const figures = [...read('docs/performance.md').matchAll(/\b\d+\.\d{2,}\b/g)].map(([figure]) => figure);
		const elsewhere = DOCUMENTS.filter((file) => file !== 'docs/performance.md').flatMap((file) => {
			const words = new Set(read(file).split(/[^\d.]+/));
			return figures.filter((figure) => words.has(figure)).map((figure) => `${file}: ${figure}`);
		});
		expect(figures.length).toBeGreaterThan(20);
		expect(elsewhere).toEqual([]);
	});
});

describe('the page on datasets', () => {
	const manifests = blocksOf(read('docs/datasets.md'))
		.filter(({ language }) => language === 'json')
		.map(({ text }) => JSON.parse(text) as Manifest);

	it.each(manifests.map((manifest) => [manifest.task.type, manifest] as const))(
		'shows a manifest of a %s task that is accepted',
		async (type, manifest) => {
			const [source, target] = [join(folder, 'source'), join(folder, 'target')];
			await mkdir(source);
			await mkdir(target);
			await writeFiles(source, manifestFiles(manifest));
			const { profile } = await ingest(source, target);
			expect(profile.task.type).toBe(type);
			expect(Object.keys(profile.modalities)).toEqual(Object.keys(manifest.modalities ?? { signal: {} }));
			expect(Object.keys(profile.splits)).toEqual(['train', 'test', ...Object.keys(manifest.splits ?? {})]);
		},
	);
});

describe('the page on weighting', () => {
	const page = read('docs/weighting.md');
	/** A value of every choice; refreshes in epochs are a field of all. */
	const choices: Readonly<Record<string, unknown>> = {
		refresh: 'schedule',
		refresh_steps: 10,
		direction: 'agreement',
		normalise: 'row',
		renormalise: 'sum1',
		mutual_information: 'ksg',
		information_scale: 'sum',
		sigma: 'fixed',
		smoothing: { initial: 1 },
		guard: true,
		cross_fit: true,
		folds: 4,
		epsilon: 0.2,
		alpha: 1,
		candidates: ['uniform', 'qmf'],
	};
	const accepted = (preset: string): string[] =>
		Object.keys(choices).filter((name) => {
			try {
				return parseJobSpec({ dataset: 'ds_1', weighting: { preset, [name]: choices[name] } });
			} catch {
				return false;
			}
		});

	it.each([...WEIGHTING_PRESETS, 'auto'])('lists the choices that a job with %s accepts', (preset) => {
		const row = rowsOf(page).find(([name, , cell]) => name === `\`${preset}\`` && !/^\d+$/.test(cell ?? ''));
		const listed = [...(row?.[2] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name).filter((name) => name !== 'refresh_epochs');
		expect(row).toBeDefined();
		expect(listed.toSorted()).toEqual(accepted(preset).toSorted());
	});

	it('counts cells as the study does', () => {
		const study = rowsOf(read('docs/study/README.md'));
		const counts = rowsOf(page).filter((row) => row.length === 4 && row.slice(1).every((cell) => /^\d+$/.test(cell)));
		expect(counts.length).toBeGreaterThan(5);
		for (const row of counts) expect(study.find((other) => other[0] === row[0] && other.length === 6)?.slice(0, 4)).toEqual(row);
	});

	it('repeats what the study says of itself', () => {
		const study = read('docs/study/README.md').replaceAll('\n', ' ');
		for (const words of ['fourteen methods on four real datasets', 'five to nine times as']) {
			expect(study).toContain(words);
			expect(page).toContain(words);
		}
		expect(read('README.md')).toContain('fourteen methods on four real datasets');
	});
});

const hasCurl = (process.env['PATH'] ?? '').split(delimiter).some((path) => existsSync(join(path, 'curl')));

describe.skipIf(!hasCurl)('the example of the tables', () => {
	it('leads from a csv to predictions by the command, in Node and, where it is, in Python', async () => {
		const blocks = blocksOf(read('docs/tables.md'));
		const ofLanguage = (language: string): string[] => blocks.filter((block) => block.language === language).map(({ text }) => text);
		const at = (name: string): string => join(folder, name);
		const service = await startService({ home: at('tables'), port: 0, env: { PATH: process.env['PATH'] } });
		try {
			await runExample(ofLanguage('sh'), { url: service.url, folder, root: ROOT });
		} finally {
			await service.close();
		}
		const [header = '', ...rows] = (await readFile(at('predictions.csv'), 'utf8')).trim().split('\n');
		expect(header).toMatch(/^row,prediction,probability.no,probability.yes,weight\.dates/);
		expect(rows).toHaveLength(800);

		const shown = ofLanguage('text').find((text) => text.startsWith('$ npx steelyard datasets inspect')) as string;
		const [command = '', ...output] = shown.trimEnd().split('\n');
		const words = command.split(' ').slice(3);
		expect((await run(process.execPath, [CLI, ...words], { cwd: ROOT })).stdout.trimEnd().split('\n')).toEqual(output);

		const [script = ''] = ofLanguage('js');
		await writeFile(at('one-row.mjs'), `${script}\nconsole.log(probabilities.data[0] + probabilities.data[1]);\n`);
		if (!existsSync(at('node_modules'))) await symlink(join(ROOT, 'packages/runtime/node_modules'), at('node_modules'));
		expect(Number((await run(process.execPath, ['one-row.mjs'], { cwd: folder })).stdout)).toBeCloseTo(1, 5);

		const python = process.env['STEELYARD_PYTHON'] || 'python3';
		if (
			!(await run(python, ['-c', 'import onnxruntime, pandas']).then(
				() => true,
				() => false,
			))
		)
			return;
		const [program = ''] = ofLanguage('python');
		const printing = 'print(*["no yes".split()[p] for p in prediction])';
		await writeFile(at('predict.py'), `${program.replace('services/cli/sample', `${ROOT}/services/cli/sample`)}\n${printing}\n`);
		const printed = (await run(python, ['predict.py'], { cwd: folder })).stdout.trim().split(' ');
		expect(printed).toEqual(rows.map((row) => row.split(',')[1]));
	});
});

describe.skipIf(!hasCurl)('the example of the README', () => {
	it('leads from a dataset to a prediction', async () => {
		const blocks = blocksOf(read('README.md'));
		// One epoch shows that the commands work; that five train is not the question here.
		const shell = blocks
			.filter(({ language, text }) => language === 'sh' && !text.startsWith('npm '))
			.map(({ text }) => text.replace('"epochs": 5', '"epochs": 1'));
		const script = blocks.find(({ language }) => language === 'js')?.text as string;
		const service = await startService({ home: join(folder, 'home'), port: 0, env: { PATH: process.env['PATH'] } });
		try {
			await runExample(shell, { url: service.url, folder, root: ROOT });
		} finally {
			await service.close();
		}
		await writeFile(join(folder, 'predict.mjs'), script);
		if (!existsSync(join(folder, 'node_modules'))) await symlink(join(ROOT, 'packages/runtime/node_modules'), join(folder, 'node_modules'));
		const { stdout } = await run(process.execPath, ['predict.mjs'], { cwd: folder });
		expect(script.trim().split('\n')).toHaveLength(5);
		const [ham, spam, ...weights] = [...stdout.matchAll(/\d+\.\d+/g)].map(Number);
		expect((ham as number) + (spam as number)).toBeCloseTo(1, 5);
		expect(weights).toHaveLength(4);
		expect(await readFile(join(folder, 'model.onnx'))).not.toHaveLength(0);
	});
});
