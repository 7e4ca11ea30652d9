import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import yauzl from 'yauzl';
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
	spec: { dataset: 'ds_1', weighting: { preset: 'btw' } },
	result: null,
	artifacts: [],
	error: null,
	...patch,
});
const succeeded = job({
	status: 'succeeded',
	finished_at: 1_795_000_100,
	stage: null,
	progress: 1,
	result: { metrics: { test: { accuracy: 0.9 } }, modality_weights: { text: { mean: 1.2, p10: 1, p90: 1.4, mutual_information: null } } },
});
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
const status = (name: string, error: object | null = null) => ({ type: 'status', status: name, attempt: 1, error });

describe('wrong usage', () => {
	it.each([
		[['fly']],
		[['jobs', 'fly']],
		[['jobs']],
		[['jobs', 'get']],
		[['jobs', 'list', '--fast']],
		[['models', 'download', ID]],
		[['serve', '--port', 'http']],
		[['--url', 'not-an-address', 'jobs', 'list']],
		[['--url', 'ftp://127.0.0.1', 'jobs', 'list']],
		[['datasets', 'add', '/no/such/folder']],
		[['models', 'add', '/no/such/model.onnx']],
		[['models', 'show']],
		[['jobs', 'create', '/no/such/spec.json']],
		[['models', 'download', ID, '-o', '/no/such/folder/model.onnx']],
	])('%j ends with 2, says so on stderr and nothing on stdout', async (args) => {
		const { code, stdout, stderr } = await run(args);
		expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
		expect(stderr).not.toBe('');
		expect(stderr).not.toMatch(/\n\s+at /);
	});

	it('of a spec that is not JSON is refused before anything is sent', async () => {
		await writeFile(join(folder, 'spec.json'), '{"dataset": }');
		const { code, stderr } = await steelyard('jobs', 'create', join(folder, 'spec.json'));
		expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('is not JSON') });
		expect(service.seen).toEqual([]);
	});

	it('of a folder without arrays is refused before anything is sent', async () => {
		await writeFile(join(folder, 'manifest.json'), '{}');
		expect(await steelyard('datasets', 'add', folder)).toMatchObject({ code: 2, stderr: expect.stringContaining('no .npy file') });
		expect(service.seen).toEqual([]);
	});

	it('is not asking for help or the version', async () => {
		expect(await run(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('jobs') });
		expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
	});
});

describe('--json', () => {
	it('gives a resource as the API gives it', async () => {
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, job({ field_of_tomorrow: 1 })));
		const { code, stdout, stderr } = await steelyard('jobs', 'get', ID, '--json');
		expect({ code, value: JSON.parse(stdout), stderr }).toEqual({ code: 0, value: job({ field_of_tomorrow: 1 }), stderr: '' });
	});

	it.each([
		['jobs', [job(), succeeded]],
		['models', [{ id: 'mdl_1', name: 'net.onnx', status: 'ready', bytes: 3 }]],
		['datasets', [{ id: 'ds_1', name: 'mail', task: { type: 'binary' }, splits: {}, modalities: {} }]],
	])('gives an array for a list of %s', async (kind, data) => {
		service.on(`GET /v1/${kind}`, (response) => answer(response, { object: 'list', data, has_more: true }));
		const { code, stdout } = await steelyard('--json', kind, 'list', '--limit', '2');
		expect({ code, value: JSON.parse(stdout) }).toEqual({ code: 0, value: data });
		expect(service.seen[0]?.url).toBe(`/v1/${kind}?limit=2`);
	});

	it('leaves stdout empty where the service refuses', async () => {
		service.on(`GET /v1/jobs/${ID}`, (response) => problem(response, 404, 'not_found', 'there is no job job_1'));
		expect(await steelyard('jobs', 'get', ID, '--json')).toEqual({ code: 2, stdout: '', stderr: 'there is no job job_1 (not_found)\n' });
	});

	it('keeps the progress of a watched job out of stdout', async () => {
		await writeFile(join(folder, 'spec.json'), '{"dataset":"ds_1"}');
		service.on('POST /v1/jobs', (response) => answer(response, job({ status: 'queued' }), 202));
		service.on(`GET /v1/jobs/${ID}/events`, (response) => events(response, [progress(10), status('succeeded')]));
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, succeeded));
		const { code, stdout, stderr } = await steelyard('jobs', 'create', join(folder, 'spec.json'), '--watch', '--json');
		expect({ code, value: JSON.parse(stdout) }).toEqual({ code: 0, value: succeeded });
		expect(stderr).toContain('epoch  2/40  loss 0.2500  8120 rows/s  eta 3 s');
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
	service.on('GET /v1/jobs', (response) => answer(response, { object: 'list', data: [], has_more: false }));
	expect((await run(['jobs', 'list'], { STEELYARD_URL: service.url, STEELYARD_API_KEY: 'a long key' })).code).toBe(0);
	expect(service.seen[0]?.headers.authorization).toBe('Bearer a long key');
});

describe('datasets add', () => {
	const dataset = {
		id: 'ds_1',
		name: 'mail',
		task: { type: 'binary' },
		splits: { train: { rows: 3 } },
		modalities: { text: { shape: [4] } },
	};
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
			events(response, [progress(10, { stage: 'unimodal', model: 'text' }), progress(100), status('succeeded')]),
		);
		service.on(`GET /v1/jobs/${ID}`, (response) => answer(response, succeeded));
		const { code, stdout, stderr } = await steelyard('jobs', 'watch', ID);
		expect(code).toBe(0);
		expect(stderr).toMatch(/unimodal text .* 10 %/);
		expect(stderr).not.toMatch(/[\r\u001b]/);
		expect(stdout).toMatch(/accuracy 0\.9000/);
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
		await vi.waitFor(() => expect(child.said().stderr).toContain('loss'), { timeout: 20_000 });
		child.kill('SIGINT');
		expect(await child.ended).toMatchObject({ code: 130, stderr: expect.stringContaining(`${ID} goes on`) });
		expect(service.seen.some(({ method }) => method === 'POST')).toBe(false);
	});
});

describe('models download', () => {
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
		expect(await steelyard('models', 'download', ID, '-o', file, '--json')).toEqual({
			code: 0,
			stdout: `${JSON.stringify(artifact(sha256))}\n`,
			stderr: '',
		});
		expect(await readFile(file)).toEqual(bytes);
	});

	it('leaves what was there where the model did not arrive whole', async () => {
		offer('0'.repeat(64));
		const file = join(folder, 'model.onnx');
		await writeFile(file, 'an older model');
		expect(await steelyard('models', 'download', ID, '-o', file)).toMatchObject({ code: 1, stdout: '' });
		expect(await readFile(file, 'utf8')).toBe('an older model');
		expect(await readdir(folder)).toEqual(['model.onnx']);
	});

	it('leaves nothing when it is ended by Ctrl-C', async () => {
		offer(sha256);
		service.on(`GET /v1/jobs/${ID}/artifacts/model.onnx`, (response) => void response.write('half'));
		const child = start(['--url', service.url, 'models', 'download', ID, '-o', join(folder, 'model.onnx')]);
		await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), { timeout: 20_000 });
		child.kill('SIGINT');
		expect((await child.ended).code).toBe(130);
		expect(await readdir(folder)).toEqual([]);
	});

	it('of a job that is not done is refused', async () => {
		service.on(`GET /v1/jobs/${ID}/artifacts/model.onnx`, (response) => problem(response, 409, 'artifact_not_ready', 'job_1 is running'));
		expect(await steelyard('models', 'download', ID, '-o', join(folder, 'model.onnx'))).toMatchObject({ code: 2 });
		expect(await readdir(folder)).toEqual([]);
	});
});

describe('models of your own', () => {
	const model = (status: string, more: object = {}) => ({
		id: 'mdl_1',
		object: 'model',
		status,
		name: 'net.onnx',
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
		expect(stdout).toMatch(/parameters +8 numbers in 1 that can be trained\n +head\.weight\n/);
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
		service.on('GET /v1/models/mdl_1', (response) => answer(response, model('ready', { report })));
		service.on('DELETE /v1/models/mdl_1', (response) => void response.writeHead(204).end());
		expect(await steelyard('models', 'remove', 'mdl_1')).toMatchObject({ code: 0, stdout: 'removed mdl_1\n' });
		service.on('DELETE /v1/models/mdl_1', (response) => problem(response, 409, 'model_in_use', '1 job has not ended'));
		expect(await steelyard('models', 'remove', 'mdl_1')).toMatchObject({ code: 2, stderr: '1 job has not ended (model_in_use)\n' });
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
