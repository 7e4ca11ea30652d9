import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readEnvironment } from '@steelyard/service-process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import yauzl from 'yauzl';
import { ServeOptionsEnvironment } from '../src/environment.js';
import { answer, events, type FakeService, fakeService, problem, run, start } from './command.js';

let service: FakeService;
let folder: string;
beforeEach(async () => {
	service = await fakeService();
	folder = await mkdtemp(join(tmpdir(), 'steelyard-cli-'));
});
afterEach(async () => {
	await service.close();
	await rm(folder, { recursive: true, force: true });
});

const steelyard = (...args: string[]) => run(['--url', service.url, ...args]);

const ID = 'job_1';
/** A page of a list, and what follows after it. */
const listed = (data: readonly object[], next: string | null = null) => ({ object: 'list', data, has_more: next !== null, next });
const job = (patch: object = {}) => ({
	id: ID,
	object: 'job',
	status: 'running',
	stage: 'fusion',
	progress: 0.5,
	epoch: 1,
	step: 10,
	eta_seconds: 3,
	metrics: null,
	modality_weights: null,
	created_at: 1_795_000_000,
	started_at: null,
	finished_at: null,
	attempt: 1,
	cancel_requested: false,
	device: null,
	spec: {
		dataset: 'ds_1',
		model: { family: 'mlp-fusion' },
		weighting: { preset: 'btw' },
		training: { epochs: 40, early_stopping: { metric: 'loss', patience: 10 } },
		metadata: {},
	},
	result: null,
	artifacts: [],
	error: null,
	...patch,
});
const result = {
	metrics: { train: { loss: 0.2, accuracy: 0.95 }, test: { loss: 0.3, accuracy: 0.9 } },
	unimodal: {},
	modality_weights: { text: { mean: 1.2, p10: 1, p90: 1.4, mutual_information: null } },
	best_epoch: 6,
	epochs: 12,
	parameters: 12345,
	seconds: 17.2,
	device: 'cpu',
	device_note: 'no GPU found, using the CPU',
};
const succeeded = job({
	status: 'succeeded',
	finished_at: 1_795_000_100,
	stage: null,
	progress: 1,
	result,
	device: { provider: 'cpu', note: 'no GPU found, using the CPU' },
	artifacts: [{ name: 'model.onnx', bytes: 134_000, sha256: '0', content_type: 'application/octet-stream' }],
});
const dataset = {
	id: 'ds_1',
	name: 'mail',
	metadata: {},
	title: null,
	task: { type: 'binary', classes: [], outputs: 1 },
	splits: { train: { rows: 3121 } },
	modalities: { text: { shape: [4], masked: false, missing: 0 }, vitals: { shape: [8, 27], masked: true, missing: 0.25 } },
	bytes: 15_000_000,
	created_at: 1_795_000_000,
};
const progress = (step: number, more: object = {}) => ({
	type: 'progress',
	stage: 'fusion',
	model: 'fusion',
	progress: step / 100,
	epoch: 1,
	epochs: 40,
	step,
	steps: 100,
	loss: 0.25,
	rows_per_second: 8120,
	eta_seconds: 3,
	...more,
});
const epoch = (model: string) => ({
	type: 'epoch',
	stage: model === 'fusion' ? 'fusion' : 'unimodal',
	model,
	epoch: 11,
	train_loss: 0.1,
	validation: { loss: 0.25 },
	learning_rate: 0.001,
	best: true,
});
const status = (name: string, error: object | null = null) => ({ type: 'status', status: name, attempt: 1, error });

describe('wrong usage', () => {
	it.each([
		[['fly']],
		[['jobs', 'fly']],
		[['jobs']],
		[['jobs', 'show']],
		[['jobs', 'list', '--fast']],
		[['jobs', 'download']],
		[['serve', '--port', 'http']],
		[['--url', 'not-an-address', 'jobs', 'list']],
		[['--url', 'ftp://127.0.0.1', 'jobs', 'list']],
		[['datasets', 'add', '/no/such/folder']],
		[['models', 'add', '/no/such/model.onnx']],
		[['models', 'show']],
		[['jobs', 'create', '/no/such/spec.json']],
		[['jobs', 'download', ID, '-o', '/no/such/folder/model.onnx']],
		[['jobs', 'download', ID, '-o', '-', '--json']],
		[['jobs', 'list', '--limit', '5', '--all']],
		[['jobs', 'list', '--metadata', 'study']],
		[['datasets', 'list', '--created-after', 'winter']],
		[['jobs', 'list', '--order', 'down']],
		[['jobs', 'set', ID]],
		[['models', 'set', 'mdl_1', '--no-name']],
		[['compare', ID]],
		[['compare', ...Array.from({ length: 27 }, (_, i) => `job_${i}`)]],
	])('%j ends with 2, says so on stderr and nothing on stdout', async (args) => {
		const { code, stdout, stderr } = await run(args);
		expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
		expect(stderr).not.toBe('');
		expect(stderr).not.toMatch(/\n\s+at /);
	});

	it('of a spec that is not JSON is refused before anything is sent', async () => {
		await writeFile(join(folder, 'spec.json'), '{"dataset": }');
		const { code, stderr } = await steelyard('jobs', 'create', join(folder, 'spec.json'));
		expect({ code, stderr }).toEqual({
			code: 2,
			stderr: expect.stringContaining('spec.json is not valid JSON: line 1, column 13: value expected'),
		});
		expect(service.seen).toEqual([]);
	});

	it('of a folder without arrays is refused before anything is sent', async () => {
		await writeFile(join(folder, 'manifest.json'), '{}');
		expect(await steelyard('datasets', 'add', folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('no .npy file') });
		expect(service.seen).toEqual([]);
	});

	it.each(['jobs', 'models', 'datasets'])('of a number names the option, what was expected and what was found: %s list', async (group) => {
		for (const limit of ['abc', '0', '101', '1.5', ''])
			expect(await steelyard(group, 'list', '--limit', limit)).toMatchObject({
				code: 2,
				stdout: '',
				stderr: expect.stringContaining(`'--limit <count>' argument '${limit}' is invalid. Expected a whole number from 1 to 100.`),
			});
		expect(service.seen).toEqual([]);
	});

	it('is not asking for help or the version', async () => {
		expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('jobs') });
		expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
	});
});

it('serve --help shows the defaults that the environment variables have', async () => {
	const { stdout } = await run(['serve', '--help'], { STEELYARD_HOME: '', HOST: '', PORT: '' });
	const shown = Object.fromEntries(
		[...stdout.matchAll(/\((STEELYARD_HOME|HOST|PORT)\)\s+\(default:\s+"([^"]*)"\)/g)].map(([, name, value]) => [name, value]),
	);
	const defaults = Object.entries(readEnvironment(ServeOptionsEnvironment, {})).map(([name, value]) => [name, String(value)]);
	expect(shown).toEqual(Object.fromEntries(defaults));
});

describe('a start', () => {
	/** Says each file that is loaded. */
	const hooks = 'export async function load(url, context, next) { process._rawDebug(url); return next(url, context); }';
	const saying = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
	const NODE_OPTIONS = `--import "data:text/javascript,${encodeURIComponent(saying)}"`;

	it.each([['--version'], ['--help'], ...['serve', 'jobs', 'models', 'compare', 'demo', 'weigh'].map((name) => [name, '--help'])])(
		'loads neither schemas nor engine for %s %s',
		async (...args) => {
			const { code, stderr } = await run(args, { NODE_OPTIONS });
			expect(code).toBe(0);
			expect(stderr).toContain('/cli/dist/main.js');
			expect(stderr.split('\n').filter((url) => /typebox|onnx|\/(contracts|dataset|queue|trainer|autodiff)\/dist\//.test(url))).toEqual([]);
		},
	);
});

describe('--json', () => {
	it('gives a resource as the API gives it', async () => {
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, job({ field_of_tomorrow: 1 })));
		const { code, stdout, stderr } = await steelyard('jobs', 'get', ID, '--json');
		expect({ code, value: JSON.parse(stdout), stderr }).toEqual({ code: 0, value: job({ field_of_tomorrow: 1 }), stderr: '' });
	});

	it.each([
		['jobs', [job(), succeeded]],
		['models', [{ id: 'mdl_1', name: 'net.onnx', status: 'ready', metadata: {}, bytes: 3, created_at: 1_795_000_000 }]],
		['datasets', [dataset]],
	])('gives an array for a list of %s', async (kind, data) => {
		service.on(`GET /v1/${kind}`, (response) => answer(response, listed(data, 'an id')));
		const { code, stdout } = await steelyard('--json', kind, 'list', '--limit', '2');
		expect({ code, value: JSON.parse(stdout) }).toEqual({ code: 0, value: data });
		expect(service.seen[0]?.url).toBe(`/v1/${kind}?limit=2`);
	});

	it('leaves stdout empty where the service refuses', async () => {
		service.on(`GET /v1/jobs/${ID}`, (response) => problem(response, 404, 'not_found', 'there is no job job_1'));
		expect(await steelyard('jobs', 'show', ID, '--json')).toEqual({ code: 2, stdout: '', stderr: 'there is no job job_1 (not_found)\n' });
	});

	it('keeps the progress of a watched job out of stdout', async () => {
		await writeFile(join(folder, 'spec.json'), '{"dataset":"ds_1"}');
		service.on('POST /v1/jobs', (response) => answer(response, job({ status: 'queued' }), 202));
		service.on(`GET /v1/jobs/${ID}/events`, (response) => events(response, [progress(10), epoch('fusion'), status('succeeded')]));
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, succeeded));
		const { code, stdout, stderr } = await steelyard('jobs', 'create', join(folder, 'spec.json'), '--watch', '--json');
		expect({ code, value: JSON.parse(stdout) }).toEqual({ code: 0, value: succeeded });
		expect(stderr).toContain('stopped early at epoch 12 of at most 40');
	});
});

describe('a job that goes on, and what is shown of it', () => {
	const spec = (training: object = {}) => ({ ...job().spec, training: { ...job().spec.training, ...training } });
	const posted = async (training: object, ...options: string[]) => {
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, { ...succeeded, spec: spec(training) }));
		service.on('POST /v1/jobs', (response) => answer(response, job({ id: 'job_2', status: 'queued' }), 202));
		const { code, stderr } = await steelyard('jobs', 'continue', ID, ...options);
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		return JSON.parse(String(service.seen.at(-1)?.body)) as unknown;
	};

	it('posts the spec of that job, from its last parameters on, with its optimizer where it kept that', async () => {
		const last = { job: ID, parameters: 'last' };
		expect(await posted({}, '--epochs', '7')).toEqual(spec({ epochs: 7, initialise_from: { ...last, optimizer: true } }));
		expect(await posted({ initialise_from: 'job_0' })).toEqual(spec({ initialise_from: { ...last, optimizer: true } }));
		expect(await posted({}, '--fresh-optimizer')).toEqual(spec({ initialise_from: { ...last, optimizer: false } }));
		expect(await posted({ keep_state: 'parameters' })).toEqual(
			spec({ keep_state: 'parameters', initialise_from: { ...last, optimizer: false } }),
		);
		expect(await posted({}, '--from', 'best')).toEqual(spec({ initialise_from: { job: ID, parameters: 'best', optimizer: false } }));
	});

	it('shows how far probabilities are borne out', async () => {
		const calibration = { temperature: 1.57, ece: { train: 0.1, test: 0.0118 }, ece_before: { train: 0.2, test: 0.0218 } };
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, { ...succeeded, result: { ...result, calibration } }));
		expect((await steelyard('jobs', 'show', ID)).stdout).toMatch(
			/calibration +expected error 0\.0118 on test \(0\.0218 before the temperature 1\.57\)/,
		);
	});

	it('shows how a weighting was chosen', async () => {
		const weighting_choice = {
			...{ chosen: 'consensus', reason: 'It stands a broken modality.', metric: 'loss', rows: 40, shuffles: 5 },
			candidates: [
				{ preset: 'uniform', clean: 0.5, standard_error: 0.01, eligible: true, shuffled: { a: 0.9, b: 0.7 }, shuffled_mean: 0.8 },
				{ preset: 'consensus', clean: 0.49, standard_error: 0, eligible: true, shuffled: { a: 0.7, b: null }, shuffled_mean: null },
			],
		};
		const auto = { ...succeeded, result: { ...result, weighting_choice } };
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, auto));
		const { stdout } = await steelyard('jobs', 'show', ID);
		expect(stdout).toContain('weighting chosen by loss on validation: consensus. It stands a broken modality.');
		expect(stdout).toMatch(
			/\nweighting +as it is +standard error +a shuffled +b shuffled +mean of these\nuniform +0\.5\d* +0\.01\d* +0\.9\d* +0\.7\d* +0\.8\d*\n/,
		);
	});

	it('shows a lower precision and the steps that were skipped', async () => {
		const low = { ...succeeded, spec: spec({ precision: 'float16' }), result: { ...result, skipped_steps: 1234 } };
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, low));
		expect((await steelyard('jobs', 'show', ID)).stdout).toMatch(/precision +float16, 1,234 steps skipped/);
	});

	it('shows what a job began with', async () => {
		const initialised = { taken: 5, anew: 4, anew_names: ['a', 'b', 'c', 'd'] };
		const begun = { ...succeeded, spec: spec({ initialise_from: 'job_0' }), result: { ...result, initialised } };
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, begun));
		expect((await steelyard('jobs', 'show', ID)).stdout).toMatch(/begins with +best parameters of job_0: 5 taken, 4 anew \(a, b, c, …\)/);
	});
});

describe('a refusal', () => {
	it.each([
		[400, 'invalid_request', 2],
		[401, 'unauthorized', 2],
		[409, 'job_not_cancellable', 2],
		[500, 'internal', 1],
		[503, 'unavailable', 1],
	])('with %i %s ends with the words of the service and its code', async (http, code, expected) => {
		service.on(`POST /v1/jobs/${ID}/cancel`, (response) => problem(response, http, code, 'because of this'));
		expect(await steelyard('jobs', 'cancel', ID)).toEqual({ code: expected, stdout: '', stderr: `because of this (${code})\n` });
	});

	it('of the connection ends with 1 and says where it was looked for', async () => {
		const { url } = service;
		await service.close();
		expect(await run(['jobs', 'list'], { STEELYARD_URL: url })).toEqual({
			code: 1,
			stdout: '',
			stderr: expect.stringMatching(new RegExp(`^${url} is not reachable: .*npm start`)),
		});
		service = await fakeService();
	});
});

it('sends the key of STEELYARD_API_KEY', async () => {
	service.on('GET /v1/jobs', (response) => answer(response, listed([])));
	expect((await run(['jobs', 'list'], { STEELYARD_URL: service.url, STEELYARD_API_KEY: 'a long key' })).code).toBe(0);
	expect(service.seen[0]?.headers.authorization).toBe('Bearer a long key');
});

describe('list', () => {
	const page = (ids: readonly string[], next: string | null) =>
		listed(
			ids.map((id) => job({ id })),
			next,
		);

	it('says of every job what it is: its status, family, weighting, dataset, and the metric that sums it up', async () => {
		const regression = { metrics: { test: { loss: 2, mae: 1.5 } } };
		const data = [
			job({ id: 'job_9', bytes: 1_234_567, metrics: { loss: 0.4, auroc: 0.8, accuracy: 0.75 } }),
			succeeded,
			{ ...succeeded, id: 'job_8', result: { ...result, ...regression } },
		];
		service.on('GET /v1/jobs', (response) => answer(response, listed(data)));
		const { stdout, stderr } = await steelyard('jobs', 'list');
		expect(stdout).not.toMatch(/^id +name/);
		expect(stdout).toMatch(
			/^job_9 +running 50 % +mlp-fusion +btw +ds_1 +1\.2 MB +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +accuracy 0\.7500 validation$/m,
		);
		expect(stdout).toMatch(/^job_1 +succeeded .* accuracy 0\.9000 test$/m);
		expect(stdout).toMatch(/^job_8 .* mae 1\.5000 test$/m);
		expect(stderr).toBe('');
	});

	it('says how to see more, and goes on from there', async () => {
		service.on('GET /v1/jobs', (response) => answer(response, page(['job_3', 'job_2'], 'job_2')));
		const { stderr } = await steelyard('jobs', 'list', '--limit', '2', '--after', 'job_4');
		expect(service.seen[0]?.url).toBe('/v1/jobs?limit=2&after=job_4');
		expect(stderr).toBe('There may be more: say the same with --after job_2, or with --all\n');
	});

	it('gives all of them with --all, page by page', async () => {
		const pages = [page(['job_3', 'job_2'], 'job_2'), page([], 'job_1b'), page(['job_1'], null)];
		service.on('GET /v1/jobs', (response) => answer(response, pages.shift()));
		const { stdout, stderr } = await steelyard('jobs', 'list', '--all', '--json');
		expect((JSON.parse(stdout) as Array<{ id: string }>).map(({ id }) => id)).toEqual(['job_3', 'job_2', 'job_1']);
		expect(service.seen.map(({ url }) => url)).toEqual(['', '&after=job_2', '&after=job_1b'].map((after) => `/v1/jobs?limit=100${after}`));
		expect(stderr).toBe('');
	});

	it('asks for those that fit, in an order, and says what they are called and came to', async () => {
		const one = { ...succeeded, spec: { ...succeeded.spec, name: `Ward 3 ${'x'.repeat(60)}` } };
		service.on('GET /v1/jobs', (response) => answer(response, listed([one, job()])));
		const { stdout } = await steelyard(
			...['jobs', 'list', '--status', 'succeeded', '--status', 'running', '--name', 'ward', '--dataset', 'ds_1'],
			...['--metadata', 'study=winter', '--metadata', 'a=b=c', '--sort', 'train.loss', '--order', 'asc', '--created-after', '1795000000'],
		);
		const query = new URL(service.seen[0]?.url ?? '', service.url).searchParams;
		expect([...query].sort()).toEqual(
			[
				...[
					['status', 'succeeded'],
					['status', 'running'],
					['name', 'ward'],
					['dataset', 'ds_1'],
					['limit', '20'],
				],
				...[
					['metadata[study]', 'winter'],
					['metadata[a]', 'b=c'],
					['sort', 'train.loss'],
					['order', 'asc'],
					['created_after', '1795000000'],
				],
			].sort(),
		);
		expect(stdout).toMatch(/^id +name +status/);
		expect(stdout).toMatch(new RegExp(`^job_1 +Ward 3 x{32}… +succeeded .* loss 0\\.2000 train$`, 'm'));
		expect(stdout).toMatch(/^job_1 +running 50 % .* –$/m);
	});

	it.each(['datasets', 'models'])('of %s asks for those that fit, and takes a date for a time', async (group) => {
		service.on(`GET /v1/${group}`, (response) => answer(response, listed([])));
		const args = ['--name', 'a b', '--metadata', 'k=', '--created-after', '2026-11-28', '--created-before', '2026-11-28T12:00Z'];
		expect((await steelyard(group, 'list', ...args)).stdout).toBe(`There are no ${group} that fit.\n`);
		const query = Object.fromEntries(new URL(service.seen[0]?.url ?? '', service.url).searchParams);
		const midnight = new Date(2026, 10, 28).getTime() / 1000;
		expect(query).toEqual({
			...{ limit: '20', name: 'a b', 'metadata[k]': '', created_after: String(midnight) },
			created_before: String(Date.UTC(2026, 10, 28, 12) / 1000),
		});
	});

	it('says so where there are none', async () => {
		service.on('GET /v1/models', (response) => answer(response, listed([])));
		expect(await steelyard('models', 'list')).toEqual({ code: 0, stdout: 'There are no models.\n', stderr: '' });
	});
});

describe('show', () => {
	const shown = async (resource: object, verb = 'show'): Promise<string> => {
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, resource));
		return (await steelyard('jobs', verb, ID)).stdout;
	};

	it('shows all that the record of a job holds', async () => {
		const text = await shown(succeeded);
		expect(text).toMatch(/^epochs +best epoch 7 of 12 trained, at most 40$/m);
		expect(text).toMatch(/^model +mlp-fusion, 12,345 parameters$/m);
		expect(text).toMatch(/^device +no GPU found, using the CPU$/m);
		expect(text).toMatch(/^weight text +mean 1\.20, 80 % of rows between 1\.00 and 1\.40$/m);
		expect(text).toMatch(/^metric +train +test$\n^loss +0\.2000 +0\.3000$\n^accuracy +0\.9500 +0\.9000$/m);
		expect(text).toMatch(/^model\.onnx +134 kB$/m);
	});

	it('shows the intervals of metrics', async () => {
		const intervals = { test: { accuracy: { low: 0.85, high: 0.94 }, loss: null } };
		const text = await shown({ ...succeeded, result: { ...result, intervals } });
		expect(text).toMatch(/^loss +0\.2000 +0\.3000$\n^accuracy +0\.9500 +0\.9000 \(0\.8500–0\.9400\)$/m);
	});

	it('shows what a job loses where a modality breaks', async () => {
		const robustness = {
			split: 'test',
			metric: 'accuracy',
			rows: 62,
			clean: 0.9,
			modalities: {
				text: { missing: 0.25, shuffled: { mean: 0.2, low: 0.15, high: 0.25 }, noisy: [0.01, 0.1, 0.3] },
				audio: { missing: null, shuffled: null, noisy: [] },
			},
		};
		const text = await shown({ ...succeeded, result: { ...result, robustness } });
		expect(text).toContain('the accuracy of 0.9000 on 62 rows of test gets worse by');
		expect(text).toMatch(/^text +\+0\.2500 +\+0\.2000 \(\+0\.1500 to \+0\.2500\) +\+0\.0100 +\+0\.1000 +\+0\.3000$/m);
		expect(text).toMatch(/^audio +– +– +– +– +–$/m);
	});

	it('says that weights are all equal where they are', async () => {
		const one = { mean: 1, p10: 1, p90: 1, mutual_information: null };
		const equal = { ...succeeded, result: { ...result, modality_weights: { text: one, audio: one } } };
		expect(await shown(equal)).toMatch(/^weights +all equal: 1\.00 for every modality in every row$/m);
		const constant = {
			...succeeded,
			result: { ...result, modality_weights: { text: one, audio: { ...one, mean: 2, p10: 2, p90: 2 } } },
		};
		expect(await shown(constant)).toMatch(/^weight text +1\.00 in every row$/m);
	});

	it('shows how far a running job is, and why a failed one failed', async () => {
		const running = await shown(job({ epoch: 6, modality_weights: { text: 0.9 }, metrics: { loss: 0.4 }, attempt: 2 }));
		expect(running).toMatch(/^status +running, fusion, attempt 2$/m);
		expect(running).toMatch(/^progress +50 %, about 3 s left$/m);
		expect(running).toMatch(/^epochs +7 of at most 40$/m);
		expect(running).toMatch(/^weight text +mean 0\.90 so far$/m);
		const error = { code: 'device_unavailable', message: 'cuda is not available here', param: 'device' };
		expect(await shown(job({ status: 'failed', finished_at: 1_795_000_100, error }))).toMatch(
			/^error +cuda is not available here \(device_unavailable, at device\)$/m,
		);
	});

	it('shows the splits and modalities of a dataset, and what is missing', async () => {
		service.on('GET /v1/datasets/ds_1', (response) => answer(response, dataset));
		const { stdout } = await steelyard('datasets', 'show', 'ds_1');
		expect(stdout).toMatch(/^rows +train 3,121$/m);
		expect(stdout).toMatch(/^modality vitals +8 steps of 27 features, missing in 25\.0 % of the rows$/m);
		expect(stdout).toMatch(/^size +15 MB$/m);
	});

	it('goes by its older name "get" too', async () => {
		expect(await shown(succeeded, 'get')).toBe(await shown(succeeded));
		service.on('GET /v1/datasets/ds_1', (response) => answer(response, dataset));
		expect((await steelyard('datasets', 'get', 'ds_1')).code).toBe(0);
	});
});

describe('datasets add', () => {
	const entriesOf = async (bytes: Buffer): Promise<Record<string, number>> => {
		const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(bytes, { lazyEntries: false });
		const entries: Record<string, number> = {};
		return new Promise((resolve, reject) => {
			zip.on('error', reject);
			zip.on('entry', (entry: yauzl.Entry) => (entries[entry.fileName] = entry.uncompressedSize));
			zip.on('end', () => resolve(entries));
		});
	};
	beforeEach(() => service.on('POST /v1/datasets', (response) => answer(response, dataset, 201)));

	it('sends the arrays and the manifest of a folder as a zip of its name, and nothing else', async () => {
		const source = join(folder, 'mail');
		await mkdir(source);
		for (const name of ['train_text.npy', 'train_labels.npy', 'manifest.json', 'notes.txt']) await writeFile(join(source, name), name);
		expect(await steelyard('datasets', 'add', `${source}/`, '--json')).toEqual({
			code: 0,
			stdout: `${JSON.stringify(dataset)}\n`,
			stderr: '',
		});
		const [upload] = service.seen;
		expect(upload?.url).toBe('/v1/datasets?filename=mail.zip');
		expect(await entriesOf(upload?.body as Buffer)).toEqual({ 'manifest.json': 13, 'train_labels.npy': 16, 'train_text.npy': 14 });
	});

	it('sends a file as it is', async () => {
		await writeFile(join(folder, 'mail.npz'), 'bytes of an archive');
		expect(await steelyard('datasets', 'add', join(folder, 'mail.npz'))).toMatchObject({ code: 0, stderr: '' });
		expect(service.seen[0]).toMatchObject({ url: '/v1/datasets?filename=mail.npz', body: Buffer.from('bytes of an archive') });
	});

	it('ends with an error where an array of the folder cannot be read', async () => {
		const source = join(folder, 'mail');
		await mkdir(join(source, 'train_text.npy'), { recursive: true });
		const { code, stderr } = await steelyard('datasets', 'add', source);
		expect(code).not.toBe(0);
		expect(stderr).not.toMatch(/\n\s+at /);
	});
});

describe('jobs watch', () => {
	it('shows plain lines where there is no terminal, and ends with 0 when the job has succeeded', async () => {
		service.on(`GET /v1/jobs/${ID}/events`, (response) =>
			events(response, [progress(10, { stage: 'unimodal', model: 'text' }), epoch('text'), status('succeeded')]),
		);
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, succeeded));
		const { code, stdout, stderr } = await steelyard('jobs', 'watch', ID);
		expect(code).toBe(0);
		expect(stderr).toContain('unimodal text     stopped early at epoch 12 of at most 40, best epoch 12, validation loss 0.2500\n');
		expect(stderr).not.toMatch(/[\r\u001b]/);
		expect(stdout).toMatch(/^accuracy +0\.9500 +0\.9000$/m);
	});

	it('ends with 1 when the job has failed, and says why', async () => {
		const error = { code: 'diverged', message: 'the loss is not finite', param: null };
		service.on(`GET /v1/jobs/${ID}/events`, (response) => events(response, [progress(10, { loss: null }), status('failed', error)]));
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, job({ status: 'failed', finished_at: 1_795_000_100, error })));
		const { code, stderr } = await steelyard('jobs', 'watch', ID);
		expect(code).toBe(1);
		expect(stderr).toContain('failed: the loss is not finite (diverged)');
	});

	it('is left by Ctrl-C, the job goes on', async () => {
		service.on(`GET /v1/jobs/${ID}/events`, (response) => events(response, [progress(10)]));
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, job()));
		const child = start(['--url', service.url, 'jobs', 'watch', ID]);
		await vi.waitFor(() => expect(service.seen.at(-1)?.url).toContain('/events'), { timeout: 20_000 });
		child.kill('SIGINT');
		expect(await child.ended).toMatchObject({ code: 130, stderr: expect.stringContaining(`${ID} goes on`) });
		expect(service.seen.some(({ method }) => method === 'POST')).toBe(false);
	});
});

describe('jobs logs', () => {
	const line = (id: string, message: string, more = {}) => ({
		id,
		at: 1_795_000_000_000,
		attempt: 1,
		level: 'info',
		source: 'worker',
		message,
		...more,
	});
	const page = (...data: object[]) => ({ object: 'list', data, has_more: false });

	it('shows the last lines, as text or as lines of JSON', async () => {
		const lines = [line('1-1', 'attempt 1 begins'), line('1-2', 'out of luck', { level: 'warn', source: 'stderr' })];
		service.on(`GET /v1/jobs/${ID}/logs`, (response) => answer(response, page(...lines)));
		const { code, stdout } = await steelyard('jobs', 'logs', ID, '--lines', '2');
		expect(code).toBe(0);
		expect(stdout).toMatch(/^2026-\d\d-\d\d [\d:]{8} attempt 1 info: attempt 1 begins\n.* attempt 1 warn stderr: out of luck\n$/);
		expect(service.seen[0]?.url).toBe(`/v1/jobs/${ID}/logs?limit=2`);
		const { stdout: json } = await steelyard('jobs', 'logs', ID, '--json');
		expect(
			json
				.trimEnd()
				.split('\n')
				.map((text) => JSON.parse(text)),
		).toEqual(lines);
	});

	it('follows the log until the job has ended, and shows every line once', async () => {
		const pages = [
			page(line('1-1', 'one')),
			{ ...page(line('1-2', 'two')), has_more: true },
			page(line('1-3', 'three')),
			page(line('1-4', 'four')),
		];
		const records = [job(), job(), succeeded];
		service.on(`GET /v1/jobs/${ID}/logs`, (response) => answer(response, pages.shift() ?? page()));
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, records.shift() ?? succeeded));
		const { code, stdout } = await steelyard('jobs', 'logs', ID, '--follow');
		expect(code).toBe(0);
		expect(
			stdout
				.trimEnd()
				.split('\n')
				.map((text) => text.split(': ')[1]),
		).toEqual(['one', 'two', 'three', 'four']);
		expect(service.seen.map(({ url }) => url).filter((url) => url.includes('/logs'))).toEqual(
			['?limit=200', '?after=1-1', '?after=1-2', '?after=1-3'].map((query) => `/v1/jobs/${ID}/logs${query}`),
		);
	});
});

describe('jobs create', () => {
	beforeEach(() => service.on('POST /v1/jobs', (response) => answer(response, job(), 202)));

	it('takes a job from options alone, or over a file', async () => {
		await steelyard('jobs', 'create', '--dataset', 'ds_1', '--set', 'model.family=mmim-moe', '--set', 'training.epochs=5');
		await writeFile(join(folder, 'spec.json'), '{"dataset": "ds_0", "training": {"epochs": 9, "seed": 2}}');
		await steelyard('jobs', 'create', join(folder, 'spec.json'), '--dataset', 'ds_1', '--set', 'training.epochs=5');
		expect(service.seen.map(({ body }) => JSON.parse(String(body)))).toEqual([
			{ dataset: 'ds_1', model: { family: 'mmim-moe' }, training: { epochs: 5 } },
			{ dataset: 'ds_1', training: { epochs: 5, seed: 2 } },
		]);
	});

	it('wants one of both, and fields that are fields', async () => {
		expect(await steelyard('jobs', 'create')).toMatchObject({ code: 2, stderr: 'expected a file with a job, or --dataset ID\n' });
		const { code, stderr } = await steelyard('jobs', 'create', '--dataset', 'ds_1', '--set', 'epochs');
		expect([code, stderr]).toEqual([2, expect.stringContaining('--set epochs: expected FIELD=VALUE')]);
		expect(service.seen).toEqual([]);
	});
});

describe('jobs curves', () => {
	it('shows a line for each curve, or the curves as JSON', async () => {
		const curves = { object: 'metrics', epochs: [epoch('fusion'), epoch('fusion')], weights: [] };
		service.on(`GET /v1/jobs/${ID}/metrics`, (response) => answer(response, curves));
		expect((await steelyard('jobs', 'curves', ID)).stdout).toMatch(/^fusion, 2 epochs[^]*\n {2}train loss +\d\.\d{4} {2}▄▄ {2}\d\.\d{4}\n/);
		expect(JSON.parse((await steelyard('jobs', 'curves', ID, '--json')).stdout)).toEqual(curves);
	});

	it('says so where there are none yet', async () => {
		service.on(`GET /v1/jobs/${ID}/metrics`, (response) => answer(response, { object: 'metrics', epochs: [], weights: [] }));
		expect(await steelyard('jobs', 'curves', ID)).toEqual({ code: 0, stdout: '', stderr: 'The job has not trained an epoch yet.\n' });
	});
});

it('jobs artifacts lists what a job has produced, with checksums', async () => {
	const artifact = { name: 'report.md', bytes: 1234, sha256: 'a1b2', content_type: 'text/markdown' };
	service.on(`GET /v1/jobs/${ID}/artifacts`, (response) => answer(response, { object: 'list', data: [artifact], has_more: false }));
	expect((await steelyard('jobs', 'artifacts', ID)).stdout).toBe('artifact   size    sha256\nreport.md  1.2 kB  a1b2\n');
});

describe('jobs report', () => {
	const card = '# Model card: ward\n\nAccuracy 0.9 – fine.\n';
	const [bytes, sha256] = [Buffer.from(card), createHash('sha256').update(card).digest('hex')];
	beforeEach(() => {
		const artifact = { name: 'report.md', bytes: bytes.length, sha256, content_type: 'text/markdown; charset=utf-8' };
		service.on(`GET /v1/jobs/${ID}/artifacts`, (response) => answer(response, { object: 'list', data: [artifact], has_more: false }));
		service.on(`GET /v1/jobs/${ID}/artifacts/report.md`, (response) => response.end(bytes));
	});

	it('prints the model card, as text or as JSON', async () => {
		expect(await steelyard('jobs', 'report', ID)).toEqual({ code: 0, stdout: card, stderr: '' });
		expect(JSON.parse((await steelyard('jobs', 'report', ID, '--json')).stdout)).toEqual({ report: card });
	});
});

describe('jobs download', () => {
	const bytes = Buffer.from('a trained model');
	const artifact = (sha256: string) => ({ name: 'model.onnx', bytes: bytes.length, sha256, content_type: 'application/octet-stream' });
	const offer = (sha256: string) => {
		service.on(`GET /v1/jobs/${ID}/artifacts`, (response) =>
			answer(response, { object: 'list', data: [artifact(sha256)], has_more: false }),
		);
		service.on(`GET /v1/jobs/${ID}/artifacts/model.onnx`, (response) => void response.end(bytes));
	};
	const sha256 = createHash('sha256').update(bytes).digest('hex');

	it('writes the model, and gives the artifact', async () => {
		offer(sha256);
		const file = join(folder, 'model.onnx');
		expect(await steelyard('jobs', 'download', ID, '-o', file, '--json')).toEqual({
			code: 0,
			stdout: `${JSON.stringify(artifact(sha256))}\n`,
			stderr: '',
		});
		expect(await readFile(file)).toEqual(bytes);
	});

	it('writes to standard output with -o -, and to no file of that name', async () => {
		offer(sha256);
		expect(await steelyard('jobs', 'download', ID, '-o', '-')).toEqual({ code: 0, stdout: bytes.toString(), stderr: '' });
		await expect(readFile('-')).rejects.toThrow('ENOENT');
		offer('0'.repeat(64));
		expect(await steelyard('jobs', 'download', ID, '-o', '-')).toMatchObject({ code: 1, stderr: expect.stringContaining('SHA-256') });
	});

	it('writes another artifact where it is asked for one', async () => {
		const report = { ...artifact(sha256), name: 'report.json' };
		service.on(`GET /v1/jobs/${ID}/artifacts`, (response) => answer(response, { object: 'list', data: [report], has_more: false }));
		service.on(`GET /v1/jobs/${ID}/artifacts/report.json`, (response) => void response.end(bytes));
		const file = join(folder, 'report.json');
		expect((await steelyard('jobs', 'download', ID, '--artifact', 'report.json', '-o', file)).code).toBe(0);
		expect(await readFile(file)).toEqual(bytes);
	});

	it('goes by its older name "models download" too', async () => {
		offer(sha256);
		const file = join(folder, 'model.onnx');
		expect(await steelyard('models', 'download', ID, '-o', file)).toMatchObject({ code: 0, stderr: '' });
		expect(await readFile(file)).toEqual(bytes);
	});

	it('leaves what was there where the model did not arrive whole', async () => {
		offer('0'.repeat(64));
		const file = join(folder, 'model.onnx');
		await writeFile(file, 'an older model');
		expect(await steelyard('jobs', 'download', ID, '-o', file)).toMatchObject({ code: 1, stdout: '' });
		expect(await readFile(file, 'utf8')).toBe('an older model');
		expect(await readdir(folder)).toEqual(['model.onnx']);
	});

	it('leaves nothing when it is ended by Ctrl-C', async () => {
		offer(sha256);
		service.on(`GET /v1/jobs/${ID}/artifacts/model.onnx`, (response) => void response.write('half'));
		const child = start(['--url', service.url, 'jobs', 'download', ID, '-o', join(folder, 'model.onnx')]);
		await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), { timeout: 20_000 });
		child.kill('SIGINT');
		expect((await child.ended).code).toBe(130);
		expect(await readdir(folder)).toEqual([]);
	});

	it('of a job that is not done is refused', async () => {
		service.on(`GET /v1/jobs/${ID}/artifacts/model.onnx`, (response) => problem(response, 409, 'artifact_not_ready', 'job_1 is running'));
		expect(await steelyard('jobs', 'download', ID, '-o', join(folder, 'model.onnx'))).toMatchObject({ code: 2 });
		expect(await readdir(folder)).toEqual([]);
	});
});

describe('names and metadata', () => {
	it.each([
		['jobs', ID, () => job({ spec: { ...job().spec, name: 'Ward 3', metadata: { a: '1', b: 'x\u001b[2J' } } })],
		['datasets', 'ds_1', () => ({ ...dataset, name: 'Ward 3', metadata: { a: '1', b: 'x\u001b[2J' } })],
		[
			'models',
			'mdl_1',
			() => ({
				id: 'mdl_1',
				name: 'Ward 3',
				metadata: { a: '1', b: 'x\u001b[2J' },
				status: 'ready',
				bytes: 1,
				created_at: 1,
				report: null,
				error: null,
			}),
		],
	])('of %s are changed and shown, without what a terminal would take for orders', async (group, id, resource) => {
		service.on(`PATCH /v1/${group}/${id}`, (response) => answer(response, resource()));
		const { code, stdout } = await steelyard(
			...[
				group,
				'set',
				id,
				'--name',
				'Ward 3',
				'--metadata',
				'a=1',
				'--metadata',
				'b=2',
				'--remove-metadata',
				'c',
				'--remove-metadata',
				'b',
			],
		);
		expect(code).toBe(0);
		expect(JSON.parse(String(service.seen[0]?.body))).toEqual({ name: 'Ward 3', metadata: { a: '1', b: '2', c: null } });
		expect(stdout).toMatch(/^name +Ward 3$/m);
		expect(stdout).toMatch(/^metadata +a=1, b=x\\u001b\[2J$/m);
	});

	it('of a job go too', async () => {
		service.on(`PATCH /v1/jobs/${ID}`, (response) => answer(response, job()));
		expect((await steelyard('jobs', 'set', ID, '--no-name')).stdout).not.toMatch(/^(name|metadata)/m);
		expect(JSON.parse(String(service.seen[0]?.body))).toEqual({ name: null });
	});

	it('are given to a job beside those of its file', async () => {
		service.on('POST /v1/jobs', (response) => answer(response, job(), 202));
		await writeFile(join(folder, 'spec.json'), '{"dataset": "ds_1", "name": "old", "metadata": {"a": "1", "b": "2"}}');
		await steelyard('jobs', 'create', join(folder, 'spec.json'), '--name', 'new', '--metadata', 'b=3');
		expect(JSON.parse(String(service.seen[0]?.body))).toEqual({ dataset: 'ds_1', name: 'new', metadata: { a: '1', b: '3' } });
	});

	it('are given to an upload', async () => {
		service.on('POST /v1/datasets', (response) => answer(response, dataset, 201));
		await writeFile(join(folder, 'a.zip'), 'zipped');
		expect((await steelyard('datasets', 'add', join(folder, 'a.zip'), '--name', 'Ward 3', '--metadata', 'a=1')).code).toBe(0);
		expect(Object.fromEntries(new URL(service.seen[0]?.url ?? '', service.url).searchParams)).toEqual({
			...{ filename: 'a.zip', name: 'Ward 3', 'metadata[a]': '1' },
		});
	});
});

it('compares jobs, as text of 80 columns or as JSON', async () => {
	const other = { ...succeeded, id: 'job_2', spec: { ...succeeded.spec, weighting: { preset: 'consensus' } } };
	service.on('GET /v1/jobs/job_1', (response) => answer(response, succeeded));
	service.on('GET /v1/jobs/job_2', (response) => answer(response, other));
	const { code, stdout } = await steelyard('compare', 'job_1', 'job_2');
	expect(code).toBe(0);
	expect(stdout).toMatch(/^weighting\.preset +btw +consensus$/m);
	expect(JSON.parse((await steelyard('compare', 'job_1', 'job_2', '--json')).stdout)).toMatchObject({
		jobs: [{ id: 'job_1' }, { id: 'job_2' }],
		spec: { 'weighting.preset': ['btw', 'consensus'] },
		metrics: { test: { accuracy: [0.9, 0.9] } },
	});
	expect(await steelyard('compare', 'job_1', 'job_3')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('not_found') });
});

describe('models of your own', () => {
	const model = (status: string, more: object = {}) => ({
		id: 'mdl_1',
		created_at: 1_795_000_000,
		object: 'model',
		status,
		name: 'net.onnx',
		metadata: {},
		bytes: 7,
		report: null,
		error: null,
		...more,
	});
	const report = {
		opset: 18,
		inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
		outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 1] }],
		parameters: [
			{ name: 'head.weight', dtype: 'float32', shape: [4, 2], trainable: true, reason: '' },
			{ name: 'sqrt_two', dtype: 'float32', shape: [], trainable: false, reason: '' },
		],
		operators: { Gemm: 1 },
		blockers: [] as object[],
	};
	let file: string;
	beforeEach(async () => {
		file = join(folder, 'net.onnx');
		await writeFile(file, 'a graph');
		service.on('POST /v1/models', (response) => answer(response, model('inspecting'), 202));
	});

	it('are sent as they are, and answered at once', async () => {
		expect(await steelyard('models', 'add', file, '--json')).toEqual({
			code: 0,
			stdout: `${JSON.stringify(model('inspecting'))}\n`,
			stderr: '',
		});
		expect(service.seen).toMatchObject([{ method: 'POST', url: '/v1/models?filename=net.onnx', body: Buffer.from('a graph') }]);
	});

	it('are waited for by --wait, and shown with what can be trained', async () => {
		let asked = 0;
		service.on('GET /v1/models/mdl_1', (response) => answer(response, ++asked < 2 ? model('inspecting') : model('ready', { report })));
		const { code, stdout } = await steelyard('models', 'add', file, '--wait');
		expect({ code, asked }).toEqual({ code: 0, asked: 2 });
		expect(stdout).toMatch(/status +ready\n/);
		expect(stdout).toMatch(/inputs +x \[batch, 4\]\n/);
		expect(stdout).toMatch(/parameters +8 trainable numbers in 1 initializer\n +head\.weight\n/);
	});

	it('end with 2 where they are refused, and say why and where', async () => {
		const blocked = { ...report, blockers: [{ code: 'unsupported_operator', message: 'NonZero has no gradient', where: 'nz' }] };
		const error = { code: 'invalid_model', message: 'NonZero has no gradient', param: 'nz' };
		service.on('GET /v1/models/mdl_1', (response) => answer(response, model('refused', { report: blocked, error })));
		const { code, stdout } = await steelyard('models', 'add', file, '--wait');
		expect(code).toBe(2);
		expect(stdout).toMatch(/error +NonZero has no gradient \(invalid_model, at nz\)/);
		expect(stdout).toMatch(/blocked by +NonZero has no gradient \(nz\)/);
		expect((await steelyard('models', 'show', 'mdl_1')).code).toBe(0);
	});

	it('are removed unless a job uses them', async () => {
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, job({ status: 'failed' })));
		service.on(`DELETE /v1/jobs/${ID}`, (response) => void response.writeHead(204).end());
		const removed = { code: 0, stdout: `removed ${ID} with everything that it made\n`, stderr: '' };
		expect(await steelyard('jobs', 'remove', ID)).toEqual(removed);
		expect(await steelyard('jobs', 'delete', ID)).toEqual(removed);

		service.on('GET /v1/models/mdl_1', (response) => answer(response, model('ready', { report })));
		service.on('DELETE /v1/models/mdl_1', (response) => void response.writeHead(204).end());
		expect(await steelyard('models', 'remove', 'mdl_1')).toMatchObject({
			code: 0,
			stdout: expect.stringMatching(/^removed mdl_1; finished jobs/),
		});
		service.on('DELETE /v1/models/mdl_1', (response) => problem(response, 409, 'model_in_use', '1 job has not ended'));
		expect(await steelyard('models', 'remove', 'mdl_1')).toMatchObject({ code: 2, stderr: '1 job has not ended (model_in_use)\n' });
	});
});

describe('keys', () => {
	const token = `steelyard_${'1'.repeat(26)}_${'s'.repeat(43)}`;
	const key = (patch: object = {}) => ({
		...{ id: 'key_1', object: 'key', name: 'ward 3', project: 'ward-3', scope: 'train', prefix: token.slice(0, 36) },
		...{ created_at: 1_795_000_000, expires_at: null, last_used_at: null, ...patch },
	});
	/** What was posted to `/v1/keys`. */
	async function posted(args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ body: unknown; stdout: string }> {
		service.on('POST /v1/keys', (response) => answer(response, { ...key(), token }, 201));
		const { code, stdout, stderr } = await run(['--url', service.url, 'keys', 'create', ...args], env);
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		return { body: JSON.parse(String(service.seen.at(-1)?.body)), stdout };
	}

	it('are created for a project, and shown once with what to do with the token', async () => {
		const { body, stdout } = await posted(['--name', 'ward 3', '--project', 'ward-3', '--scope', 'read', '--expires', '0.5']);
		expect(body).toEqual({ name: 'ward 3', project: 'ward-3', scope: 'read', expires_in_days: 0.5 });
		expect(stdout.split(token)).toHaveLength(2);
		expect(stdout).toMatch(/shown this once.*STEELYARD_API_KEY.*steelyard keys revoke key_1/s);
		expect(JSON.parse((await posted(['--name', 'ward 3', '--json'])).stdout)).toEqual({ ...key(), token });
	});

	it('of admins belong to no project, whatever the environment says', async () => {
		const inWard = { STEELYARD_PROJECT: 'ward-3' };
		expect((await posted(['--name', 'x'], inWard)).body).toEqual({ name: 'x', scope: 'train', project: 'ward-3' });
		expect((await posted(['--name', 'x', '--scope', 'admin'], inWard)).body).toEqual({ name: 'x', scope: 'admin' });
		expect((await posted(['--name', 'x', '--scope', 'admin', '--project', 'y'], inWard)).body).toEqual({
			...{ name: 'x', scope: 'admin', project: 'y' },
		});
	});

	it('are listed, revoked, and say who they are', async () => {
		const data = [key(), key({ id: 'key_2', project: null, scope: 'admin', last_used_at: 1_795_000_060 })];
		service.on('GET /v1/keys', (response) => answer(response, listed(data)));
		const { stdout } = await steelyard('keys', 'list');
		expect(stdout).toMatch(/^key_1 +ward 3 +train +ward-3 .* never +never$/m);
		expect(stdout).toMatch(/^key_2 +ward 3 +admin +every project .* never +\d{4}-\d\d-\d\d /m);
		service.on('DELETE /v1/keys/key_1', (response) => void response.writeHead(204).end());
		expect(await steelyard('keys', 'revoke', 'key_1')).toMatchObject({ code: 0, stdout: expect.stringContaining('revoked key_1') });
		expect((await steelyard('keys', 'revoke', 'key_3')).code).toBe(2);
		const caller = {
			object: 'caller',
			key: 'key_1',
			name: 'ward 3',
			scope: 'train',
			project: 'ward-3',
			has_webhook: false,
			expires_at: null,
		};
		service.on('GET /v1/caller', (response) => answer(response, caller));
		expect((await steelyard('keys', 'self')).stdout).toMatch(/^project +ward-3$/m);
	});

	it.each([[[]], [['--name', 'x', '--scope', 'root']], [['--name', 'x', '--expires', '0']]])('are not created by %j', async (args) => {
		expect(await steelyard('keys', 'create', ...args)).toMatchObject({ code: 2, stdout: '' });
		expect(service.seen).toEqual([]);
	});
});

describe('the webhook', () => {
	const webhook = { object: 'webhook', project: 'ward-3', url: 'https://example.com/hook', on: ['failed'], created_at: 1_795_000_000 };
	const secret = `whsec_${'s'.repeat(32)}`;

	it('is set, and its secret shown once, with where to read how a signature is checked', async () => {
		service.on('PUT /v1/webhook', (response) => answer(response, { ...webhook, secret }));
		const sent = () => JSON.parse(String(service.seen.at(-1)?.body));
		const { code, stdout, stderr } = await steelyard('webhook', 'set', webhook.url, '--on', 'succeeded, failed');
		expect({ code, stderr, sent: sent() }).toEqual({ code: 0, stderr: '', sent: { url: webhook.url, on: ['succeeded', 'failed'] } });
		expect(stdout.split(secret)).toHaveLength(2);
		expect(stdout).toMatch(/^url +https:\/\/example\.com\/hook$.*^on +failed$.*shown this once.*docs\/jobs\.md/ms);
		expect(JSON.parse((await steelyard('webhook', 'set', '--json')).stdout)).toEqual({ ...webhook, secret });
		expect(sent()).toEqual({});
	});

	it('is shown and removed, and it is said where there is none', async () => {
		service.on('GET /v1/webhook', (response) => answer(response, webhook));
		service.on('DELETE /v1/webhook', (response) => void response.writeHead(204).end());
		expect((await steelyard('webhook', 'show')).stdout).toMatch(/^project +ward-3$/m);
		expect(JSON.parse((await steelyard('webhook', 'show', '--json')).stdout)).toEqual(webhook);
		expect(await steelyard('webhook', 'remove')).toMatchObject({
			code: 0,
			stdout: expect.stringContaining('no notices are sent any more'),
		});
		expect(service.seen.at(-1)?.method).toBe('DELETE');
		service.on('GET /v1/webhook', (response) => problem(response, 404, 'not_found', 'The project ward-3 has no webhook'));
		expect(await steelyard('webhook', 'remove')).toMatchObject({ code: 2, stderr: 'The project ward-3 has no webhook (not_found)\n' });
	});

	it('is not set for ends that there are not', async () => {
		const { code, stderr } = await steelyard('webhook', 'set', '--on', 'succeeded,paused');
		expect({ code, seen: service.seen }).toEqual({ code: 2, seen: [] });
		expect(stderr).toContain('Expected one or more of succeeded, failed, cancelled');
	});
});

describe('the rows of a dataset', () => {
	const rows = (patch: object = {}) => ({
		...{ object: 'list', split: 'test', total: 3000, kept: 1000, left_out: [], has_more: true },
		data: [
			{
				row: 40,
				label: 'yes',
				values: { age: 87, note: 'seen\u001b[2J twice', scan: Array(16).fill(Array(16).fill(0)), tags: ['a', null] },
			},
			{ row: 41, label: null, values: { age: null, note: 'x'.repeat(100), scan: null, tags: [] } },
		],
		...patch,
	});
	const show = (...args: string[]) => steelyard('datasets', 'rows', 'ds_1', ...args);

	it('are shown as a table, and how to see more of them', async () => {
		service.on('GET /v1/datasets/ds_1/rows', (response) => answer(response, rows()));
		const { code, stdout, stderr } = await show('--split', 'test', '--offset', '40', '--limit', '2');
		expect(code).toBe(0);
		expect(service.seen[0]?.url).toBe('/v1/datasets/ds_1/rows?split=test&offset=40&limit=2');
		expect(stdout).toMatch(/^row +label +age +note +scan +tags$/m);
		expect(stdout).toMatch(/^40 +yes +87 +seen\\u001b\[2J twice +16 x 16 values +a,/m);
		expect(stdout).toMatch(/^41 +x{23}…$/m);
		expect(stdout).toContain('test has 3,000 rows, of which the first 1,000 can be shown');
		expect(stderr).toBe('There are more: say the same with --offset 42\n');
		expect(JSON.parse((await show('--json')).stdout)).toEqual(rows());
	});

	it('are said not to be there, and what of them is too much', async () => {
		const values = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`c${i}`, i]));
		const wide = rows({ left_out: ['video'], has_more: false, data: [{ row: 0, label: 1.5, values }] });
		service.on('GET /v1/datasets/ds_1/rows', (response) => answer(response, wide));
		const { stdout, stderr } = await show();
		expect(stdout).toMatch(/ c7$.*and 2 more columns.*too large to be shown: video/ms);
		expect(stderr).toBe('');
		service.on('GET /v1/datasets/ds_1/rows', (response) => answer(response, rows({ data: [], kept: 0, has_more: false })));
		expect((await show()).stdout).toContain('No rows of test were kept');
		service.on('GET /v1/datasets/ds_1/rows', (response) => answer(response, rows({ data: [], has_more: false })));
		expect((await show()).stdout).toContain('There are no more rows: of test the first 1,000 can be shown');
		expect((await show('--limit', '101')).code).toBe(2);
	});
});

it('names the project to work in, by an option or by STEELYARD_PROJECT', async () => {
	service.on('GET /v1/jobs', (response) => answer(response, listed([])));
	await steelyard('jobs', 'list', '--project', 'ward-3');
	await run(['--url', service.url, 'jobs', 'list'], { STEELYARD_PROJECT: 'ward-4' });
	await run(['--url', service.url, 'jobs', 'list'], { STEELYARD_PROJECT: '' });
	expect(service.seen.map(({ headers }) => headers['steelyard-project'])).toEqual(['ward-3', 'ward-4', undefined]);
});

it('shows the audit log, and how to see more of it', async () => {
	const line = {
		...{ id: '2026-11-000001-7', at: 1_795_000_000_000, request: 'r', key: 'key_1', name: 'ward 3', project: 'ward-3' },
		...{ method: 'DELETE', operation: 'deleteJob', resource: 'job_1', status: 204, address: '10.0.0.7' },
	};
	service.on('GET /v1/audit', (response) => answer(response, { object: 'list', data: [line], has_more: true }));
	const { code, stdout, stderr } = await steelyard('audit', '--limit', '1');
	expect(code).toBe(0);
	expect(service.seen[0]?.url).toBe('/v1/audit?limit=1');
	expect(stdout).toMatch(/ ward 3 +ward-3 +deleteJob +job_1 +204 +10\.0\.0\.7$/m);
	expect(stderr).toBe('There are more: steelyard audit --after 2026-11-000001-7\n');
});

describe('housekeeping', () => {
	it('shows what lies in the data folder', async () => {
		const kept = (count: number, bytes: number) => ({ count, bytes });
		service.on('GET /v1/usage', (response) =>
			answer(response, {
				object: 'usage',
				disk: { total_bytes: 50e9, free_bytes: 20e9, reserved_bytes: 1e9 },
				...{ datasets: kept(2, 3000), models: kept(0, 0), temporary: kept(1, 12) },
				jobs: { ...kept(1234, 8e6), checkpoint_bytes: 5e6 },
				project: { name: 'ward-3', bytes: 5_001_000, datasets: kept(1, 1000), models: kept(0, 0), jobs: kept(3, 5e6) },
			}),
		);
		const { code, stdout } = await steelyard('usage');
		expect(code).toBe(0);
		expect(stdout).toMatch(/^jobs +1,234 +8\.0 MB, of which checkpoints 5\.0 MB$/m);
		expect(stdout).toMatch(/^of ward-3 +4 +5\.0 MB: datasets 1\.0 kB, models 0 B, jobs 5\.0 MB$/m);
		expect(stdout).toMatch(/^disk +50 GB, of which free 20 GB, kept for running jobs 1\.0 GB$/m);
	});

	it('shows what would be removed, and removes it', async () => {
		const found = {
			object: 'retention',
			jobs: { count: 1, bytes: 2000, first: [{ id: 'job_9', reason: 'age', bytes: 2000 }] },
			orphans: { count: 200, bytes: 10, first: [{ key: 'uploads/ds_1', bytes: 10 }] },
		};
		service.on('POST /v1/retention', (response, { url }) => answer(response, { ...found, dry_run: url.endsWith('?dry_run=true') }));
		expect((await steelyard('retention', '--dry-run')).stdout).toBe(
			[
				'1 job that has ended of 2.0 kB would be removed',
				'  job_9  over the limit of age  2.0 kB',
				'200 leftovers of interrupted processes of 10 B would be removed; these are the first 1',
				'  uploads/ds_1  10 B',
				'',
			].join('\n'),
		);
		expect((await steelyard('retention')).stdout).toContain('1 job that has ended of 2.0 kB was removed');
	});
});

describe('operators', () => {
	it('lists what can be differentiated, as JSON and as a table, without a service', async () => {
		const { code, stdout } = await run(['operators', '--json', '--url', 'http://127.0.0.1:9']);
		expect(code).toBe(0);
		const list = JSON.parse(stdout) as Array<{ operator: string; state: string; since: number }>;
		expect(list).toContainEqual({ operator: 'Tanh', state: 'differentiable', since: 1 });
		expect(list).toContainEqual({ operator: 'ArgMax', state: 'zero', since: 1 });
		expect((await run(['operators'])).stdout).toMatch(/^MatMul +differentiable +1$/m);
	});
});

describe('steelyard sweeps', () => {
	const RATE = 'training.optimizer.learning_rate';
	const trial = (patch: object = {}) => ({
		...{ trial: 0, job: 'job_7', assignment: { [RATE]: 0.0123456, 'weighting.preset': 'uniform' } },
		...{ seed: 0, state: 'completed', epochs: 9, value: 0.8125, ...patch },
	});
	const sweep = (patch: object = {}) => ({
		...{ id: 'swp_1', object: 'sweep', project: 'default', status: 'running', created_at: 1_795_000_000, finished_at: null },
		spec: {
			...{ name: 'Ward 3', job: { dataset: 'ds_1' }, metric: 'auroc', direction: 'maximise', budget: { trials: 6 } },
			...{ space: { [RATE]: {}, 'weighting.preset': {} }, search: { type: 'tpe' }, pruning: { type: 'asha' } },
			...{ seeds: 1, concurrency: 4, seed: 1 },
		},
		...{ counts: { completed: 0, pruned: 0, running: 2, failed: 0 }, best: null, trials: [], importance: null },
		...patch,
	});
	const done = sweep({
		...{ status: 'succeeded', finished_at: 1_795_000_100, counts: { completed: 1, pruned: 1, running: 0, failed: 1 } },
		best: { assignment: trial().assignment, jobs: ['job_7'], mean: 0.8125, low: 0.79, high: 0.835 },
		trials: [
			trial(),
			trial({ trial: 2, state: 'pruned', epochs: 1, value: 0.7 }),
			trial({ trial: 1, state: 'failed', epochs: 0, value: null }),
		],
		importance: { [RATE]: 0.75, 'weighting.preset': 0.25 },
	});

	it('show has the best, its interval and its job, the trials, and how much each dimension matters', async () => {
		service.on('GET /v1/sweeps/swp_1', (response) => answer(response, done));
		const { code, stdout } = await steelyard('sweeps', 'show', 'swp_1');
		expect(code).toBe(0);
		expect(stdout).toContain('succeeded: 3 of 6 trials; 1 completed, 1 pruned, 1 failed; best auroc 0.8125');
		expect(stdout).toContain('0.8125, 95 % interval 0.79 to 0.835: learning_rate=0.01235 preset=uniform');
		expect(stdout).toContain('training.optimizer.learning_rate 75 %, weighting.preset 25 %');
		expect(stdout).toMatch(/\n1 +– +0 +failed +job_7 +learning_rate=0.01235 preset=uniform\n$/);
		expect(JSON.parse((await steelyard('--json', 'sweeps', 'show', 'swp_1')).stdout)).toEqual(done);
	});

	it('create posts a file, and with --watch follows the sweep to its end', async () => {
		const spec = { job: { dataset: 'ds_1' }, space: { [RATE]: { type: 'uniform', low: 0, high: 1 } }, budget: { trials: 6 } };
		await writeFile(join(folder, 'sweep.json'), JSON.stringify(spec));
		service.on('POST /v1/sweeps', (response) => answer(response, sweep(), 202));
		service.on('GET /v1/sweeps/swp_1', (response) => answer(response, done));
		const { code, stdout, stderr } = await steelyard('sweeps', 'create', join(folder, 'sweep.json'), '--watch');
		expect([code, stderr]).toEqual([0, 'running: 2 of 6 trials; 2 running\n']);
		expect(stdout).toMatch(/status +succeeded: 3 of 6/);
		expect(JSON.parse(String(service.seen[0]?.body))).toEqual(spec);
		service.on('GET /v1/sweeps/swp_1', (response) => answer(response, sweep({ status: 'failed', finished_at: 1_795_000_100 })));
		expect((await steelyard('sweeps', 'watch', 'swp_1')).code).toBe(1);
	});

	it('watch goes on where the service was away for a while, as it is when it starts again', async () => {
		service.on('POST /v1/sweeps', (response) => answer(response, sweep(), 202));
		await writeFile(join(folder, 'sweep.json'), '{}');
		let looks = 0;
		service.on('GET /v1/sweeps/swp_1', (response) => {
			// The client repeats a request twice by itself.
			if (++looks <= 4) response.destroy();
			else answer(response, done);
		});
		const { code, stderr } = await steelyard('sweeps', 'create', join(folder, 'sweep.json'), '--watch');
		expect(code).toBe(0);
		expect(stderr).toMatch(/\nthe service does not answer; running: 2 of 6 trials; 2 running when it last did\n$/);
		service.on('GET /v1/sweeps/swp_1', (response) =>
			answer(response, { code: 'not_found', detail: 'There is no sweep swp_1', param: 'id' }, 404),
		);
		expect((await steelyard('sweeps', 'create', join(folder, 'sweep.json'), '--watch')).code).not.toBe(0);
	});

	it('list shows each in a line; pause, resume, cancel and remove ask for what they say', async () => {
		service.on('GET /v1/sweeps', (response) => answer(response, listed([done])));
		expect((await steelyard('sweeps', 'list')).stdout).toMatch(
			/^id +name +created +status\nswp_1 +Ward 3 +\S+ \S+ +succeeded: 3 of 6 trials/,
		);
		service.on('GET /v1/sweeps/swp_1', (response) => answer(response, done));
		service.on('DELETE /v1/sweeps/swp_1', (response) => response.writeHead(204).end());
		for (const verb of ['pause', 'resume', 'cancel']) {
			service.on(`POST /v1/sweeps/swp_1/${verb}`, (response) => answer(response, sweep()));
			expect((await steelyard('sweeps', verb, 'swp_1')).code).toBe(0);
		}
		expect((await steelyard('sweeps', 'remove', 'swp_1')).stdout).toBe('removed swp_1; its jobs stay\n');
		expect(service.seen.map(({ method, url }) => `${method} ${url.split('?')[0]}`)).toEqual([
			'GET /v1/sweeps',
			...['pause', 'resume', 'cancel'].map((verb) => `POST /v1/sweeps/swp_1/${verb}`),
			...['GET', 'DELETE'].map((method) => `${method} /v1/sweeps/swp_1`),
		]);
	});
});
