import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openAsBlob } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, createClient } from '@steelyard/client';
import type { DatasetResource, JobEvent, JobResource, ModelResource } from '@steelyard/contracts';
import { decodeModel } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smallDataset } from '../packages/trainer/test/small-dataset.js';
import { checkerOf, type Document } from '../services/api/test/document.js';
import { expectExplained } from './explained-rows.js';
import { CLI, type Running, serve } from './serving.js';

const UPLOADED = fileURLToPath(new URL('fixtures/uploaded/fusion.onnx', import.meta.url));
const onPath = (name: string): string | null =>
	(process.env['PATH'] ?? '')
		.split(delimiter)
		.map((folder) => join(folder, name))
		.find(existsSync) ?? null;
const REDIS = onPath('redis-server') ?? onPath('valkey-server');

/** Processes whose command line or environment names `text` (Linux). */
async function processesOf(text: string): Promise<number[]> {
	const found: number[] = [];
	for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
		if (pid === process.pid) continue;
		const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
		if ((await read('cmdline')).includes(text) || (await read('environ')).includes(`STEELYARD_HOME=${text}`)) found.push(pid);
	}
	return found;
}
const until = async (what: string, condition: () => Promise<boolean>): Promise<void> => {
	for (const end = Date.now() + 60_000; !(await condition()); await new Promise((resolve) => setTimeout(resolve, 50)))
		if (Date.now() > end) throw new Error(`waited a minute for: ${what}`);
};

const steelyard = async (url: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
	promisify(execFile)(process.execPath, [CLI, '--url', url, ...args]).then(
		({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
		({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
	);

const folders: string[] = [];
const folder = async (): Promise<string> => {
	const made = await mkdtemp(join(tmpdir(), 'steelyard-e2e-'));
	folders.push(made);
	return made;
};
/** Graphs of one's own, by test/oracles/plain_models.py: `x` [batch, 4] → `y` [batch, 2], and one for the modalities of the small dataset. */
const LINEAR = fileURLToPath(new URL('../services/worker/test/fixtures/linear.onnx', import.meta.url));
const MASKED = fileURLToPath(new URL('fixtures/uploaded/masked.onnx', import.meta.url));

let source: string;
let removeSource: () => Promise<void>;
beforeAll(async () => {
	({ source, remove: removeSource } = await smallDataset('binary'));
});
afterAll(async () => {
	await removeSource();
	for (const one of folders) await rm(one, { recursive: true, force: true });
});

const short = (dataset: string) => ({
	dataset,
	model: { family: 'mlp-fusion' as const, hidden: 16 },
	weighting: { preset: 'btw' as const, refresh_epochs: 2 },
	training: { epochs: 6, batch_size: 16 },
});
const endless = (dataset: string) => ({
	dataset,
	model: { hidden: 16 },
	training: { epochs: 100_000, batch_size: 16, early_stopping: null },
});

const checker = async (url: string) => checkerOf((await (await fetch(`${url}/openapi.json`)).json()) as Document);

/** A client that holds every answer of a service, but for streams, against its OpenAPI document. */
async function checkedClient(url: string): Promise<Client> {
	const { check } = await checker(url);
	return createClient({
		url,
		async fetch(input, init) {
			const response = await fetch(input, init);
			const headers = Object.fromEntries(response.headers);
			if (headers['content-type']?.startsWith('text/event-stream')) return response;
			const path = new URL(String(input)).pathname;
			check({ method: init?.method ?? 'GET', url: path, status: response.status, headers, body: await response.clone().text() });
			return response;
		},
	});
}

async function ended(client: Client, id: string): Promise<{ job: JobResource; events: JobEvent[] }> {
	const events: JobEvent[] = [];
	for await (const event of client.jobs.events(id)) events.push(event);
	return { job: await client.jobs.get(id), events };
}
const running = (client: Client, id: string) => until(`${id} to train`, async () => ((await client.jobs.get(id)).step ?? 0) > 0);

const ways: Array<[string, NodeJS.ProcessEnv, boolean]> = [
	['a real Redis server', { REDIS_URL: '', REDIS_SERVER_BIN: REDIS ?? '' }, REDIS !== null],
	['the Redis in JavaScript', { REDIS_URL: '', REDIS_SERVER_BIN: '', PATH: '/nowhere' }, true],
];
for (const [name, env, available] of ways)
	describe.skipIf(!available)(`the service on ${name}`, () => {
		let service: Running;
		let client: Client;
		let dataset: string;
		beforeAll(async () => {
			service = await serve(await folder(), env);
			client = await checkedClient(service.url);
			dataset = (JSON.parse((await steelyard(service.url, '--json', 'datasets', 'add', source)).stdout) as { id: string }).id;
		});
		afterAll(async () => {
			await service?.stop();
		});

		it('trains a posted job, tells of it live, and gives a model that runs', async () => {
			const posted = await client.jobs.create(short(dataset));
			expect(posted).toMatchObject({ object: 'job', status: 'queued', attempt: 0 });
			const { job, events } = await ended(client, posted.id);
			expect(job).toMatchObject({ status: 'succeeded', progress: 1, stage: null, attempt: 1, error: null });
			expect(events.flatMap((event) => (event.type === 'status' ? [event.status] : []))).toEqual(['queued', 'running', 'succeeded']);
			expect(events.flatMap((event) => (event.type === 'stage' ? [event.stage] : []))).toEqual([
				'preparing',
				'unimodal',
				'fusion',
				'evaluating',
				'exporting',
			]);
			const { fits } = await checker(service.url);
			for (const event of events) fits('JobEvent', event);
			expect((await client.jobs.metrics(job.id)).epochs.length).toBeGreaterThan(6);
			expect(job.metrics).toEqual(job.result?.metrics['validation']);
			const means = Object.entries(job.result?.modality_weights ?? {}).map(([modality, { mean }]) => [modality, mean]);
			expect(job.modality_weights).toEqual(Object.fromEntries(means));
			expect(means.map(([modality]) => modality)).toEqual(['a', 'b', 'c']);
			const file = join(await folder(), 'model.onnx');
			expect((await steelyard(service.url, 'models', 'download', job.id, '-o', file)).code).toBe(0);
			const bytes = await readFile(file);
			expect(createHash('sha256').update(bytes).digest('hex')).toBe(
				job.artifacts.find((artifact) => artifact.name === 'model.onnx')?.sha256,
			);
			const session = await createSession(bytes);
			const { prediction } = await session.run({
				'x.a': tensor('float32', [1, 6], new Float32Array(6)),
				'x.b': tensor('float32', [1, 3, 2], new Float32Array(6)),
				'x.c': tensor('float32', [1, 2], new Float32Array(2)),
				'mask.b': tensor('float32', [1, 3], [1, 1, 0]),
				'mask.c': tensor('float32', [1], [1]),
			});
			expect(prediction?.shape).toEqual([1]);
			await session.release();
		});

		it('gives out what explains a job, each file by its media type', async () => {
			const { job } = await ended(client, (await client.jobs.create(short(dataset))).id);
			const get = (name: string) => fetch(`${service.url}/v1/jobs/${job.id}/artifacts/${name}`);
			const table = await get('explanation.parquet');
			expect(table.headers.get('content-type')).toBe('application/vnd.apache.parquet');
			const bytes = Buffer.from(await table.arrayBuffer());
			expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
			const [explanation, diagnostics] = [await get('explanation.json'), await get('diagnostics.json')];
			expect(explanation.headers.get('content-type')).toMatch(/^application\/json/);
			const explained: unknown = await explanation.json();
			expect(explained).toMatchObject({ object: 'explanation', modalities: ['a', 'b', 'c'], split: 'test' });
			const diagnosed: unknown = await diagnostics.json();
			expect(diagnosed).toMatchObject({ object: 'diagnostics', reason: null, unimodal: job.result?.unimodal });
			const written: unknown = await (await get('metrics.json')).json();
			expect(written).toEqual(await client.jobs.metrics(job.id));
			const { fits } = await checker(service.url);
			fits('Explanation', explained);
			fits('Diagnostics', diagnosed);
			fits('JobCurves', written);
		});

		it('shows the rows of a dataset as predictions take them, which are those that explain a job', async () => {
			const { job } = await ended(client, (await client.jobs.create(short(dataset))).id);
			const found = await client.datasets.rows(dataset, { split: 'test', offset: 10, limit: 30 });
			expect(found).toMatchObject({ split: 'test', total: 40, kept: 40, has_more: false, left_out: [] });
			expect(found.data[0]).toMatchObject({ row: 10, values: { c: null } }); // every fifth row lacks c
			expect(found.data.some(({ values }) => (values['b'] as unknown[]).includes(null))).toBe(true);
			await expectExplained(client, job, found);
		});

		it('trains a graph that PyTorch exported, with and without weighting, and gives it back under its own names', async () => {
			const added = await steelyard(service.url, '--json', 'models', 'add', UPLOADED, '--wait');
			expect([added.code, added.stderr]).toEqual([0, '']);
			const model = JSON.parse(added.stdout) as ModelResource;
			expect(model).toMatchObject({ object: 'model', status: 'ready', error: null });
			const custom = {
				dataset,
				modalities: ['a', 'b'],
				model: { family: 'custom' as const, model: model.id, inputs: { a: 'a', b: 'b' }, output: 'logits' },
				training: { epochs: 8, batch_size: 16, optimizer: { name: 'adam' as const, learning_rate: 0.01 } },
			};
			const plain = (await ended(client, (await client.jobs.create(custom)).id)).job;
			expect(plain).toMatchObject({ status: 'succeeded', error: null });
			expect(plain.result?.metrics['test']?.['accuracy']).toBeGreaterThan(0.8);
			const file = join(await folder(), 'model.onnx');
			expect((await steelyard(service.url, 'models', 'download', plain.id, '-o', file)).code).toBe(0);
			const [before, after] = [decodeModel(await readFile(UPLOADED)), decodeModel(await readFile(file))];
			expect([...after.graph.initializers.keys()]).toEqual([...before.graph.initializers.keys()]);
			expect(after.graph.nodes).toEqual(before.graph.nodes);
			const trained = model.report?.parameters.filter(({ trainable }) => trainable).map(({ name }) => name) ?? [];
			for (const [name, { data }] of before.graph.initializers)
				expect(String(after.graph.initializers.get(name)?.data) === String(data), name).toBe(!trained.includes(name));

			const refused = { ...custom, weighting: { preset: 'btw' as const, refresh_epochs: 2 } };
			await expect(client.jobs.create(refused)).rejects.toMatchObject({ status: 422, param: expect.stringContaining('model') });
			// what each modality gives to the fusion, as the exporter named it
			const [first, second] = before.graph.nodes.find(({ op, outputs }) => op === 'Concat' && outputs[0] === 'cat')?.inputs ?? [];
			const weighted = { ...refused, model: { ...custom.model, embeddings: { a: first as string, b: second as string } } };
			const { job } = await ended(client, (await client.jobs.create(weighted)).id);
			expect(job).toMatchObject({ status: 'succeeded', error: null });
			expect(job.artifacts.map(({ name }) => name)).toContain('graph.onnx');
			expect(Object.keys(job.result?.modality_weights ?? {})).toEqual(['a', 'b']);
			await expect(client.models.remove(model.id)).resolves.not.toThrow();
		});

		it('trains a multilabel dataset and gives a model that tells of every label', async () => {
			const { source: folderOfLabels, remove } = await smallDataset('multilabel');
			try {
				const added = await steelyard(service.url, '--json', 'datasets', 'add', folderOfLabels);
				expect([added.code, added.stderr]).toEqual([0, '']);
				const { id, task } = JSON.parse(added.stdout) as DatasetResource;
				expect(task).toEqual({ type: 'multilabel', classes: ['x', 'y', 'z'], outputs: 3 });
				const training = { epochs: 12, batch_size: 16, optimizer: { learning_rate: 0.01 } };
				const { job } = await ended(client, (await client.jobs.create({ ...short(id), training })).id);
				expect(job).toMatchObject({ status: 'succeeded', error: null });
				expect(job.result?.metrics['test']?.['auroc']).toBeGreaterThan(0.8);
				expect(job.result?.unimodal['a']?.['test']).toHaveProperty('subset_accuracy');
				const file = join(await folder(), 'model.onnx');
				expect((await steelyard(service.url, 'models', 'download', job.id, '-o', file)).code).toBe(0);
				const session = await createSession(await readFile(file));
				const { prediction, probabilities } = await session.run({
					'x.a': tensor('float32', [2, 6], new Float32Array(12)),
					'x.b': tensor('float32', [2, 3, 2], new Float32Array(12)),
					'x.c': tensor('float32', [2, 2], new Float32Array(4)),
					'mask.b': tensor('float32', [2, 3], [1, 1, 0, 1, 1, 1]),
					'mask.c': tensor('float32', [2], [1, 0]),
				});
				expect([prediction?.shape, probabilities?.shape]).toEqual([
					[2, 3],
					[2, 3],
				]);
				await session.release();
			} finally {
				await remove();
			}
		});

		it('gives equal jobs equal bytes', async () => {
			const jobs = await Promise.all([client.jobs.create(short(dataset)), client.jobs.create(short(dataset))]);
			const shas: Array<string | undefined> = [];
			for (const { id } of jobs)
				shas.push((await ended(client, id)).job.artifacts.find((artifact) => artifact.name === 'model.onnx')?.sha256);
			expect(shas[0]).toBeTypeOf('string');
			expect(shas[1]).toBe(shas[0]);
		});

		it('cancels a job that runs and one that waits, and neither runs again', async () => {
			const first = await client.jobs.create(endless(dataset));
			const second = await client.jobs.create(endless(dataset));
			await running(client, first.id);
			expect((await client.jobs.cancel(second.id)).status).toBe('cancelled');
			await client.jobs.cancel(first.id);
			expect((await ended(client, first.id)).job).toMatchObject({ status: 'cancelled', attempt: 1 });
			const third = await client.jobs.create(short(dataset));
			expect((await ended(client, third.id)).job.status).toBe('succeeded');
			expect(await client.jobs.get(second.id)).toMatchObject({ status: 'cancelled', attempt: 0 });
			expect(await client.jobs.get(first.id)).toMatchObject({ status: 'cancelled', attempt: 1 });
			await expect(client.jobs.cancel(first.id)).rejects.toMatchObject({ code: 'job_not_cancellable', status: 409 });
		});

		it('goes on from a job that has succeeded, which is kept until then', async () => {
			const first = await client.jobs.create(short(dataset));
			expect((await ended(client, first.id)).job.status).toBe('succeeded');
			const added = await steelyard(service.url, '--json', 'jobs', 'continue', first.id, '--epochs', '100000');
			const endlessly = JSON.parse(added.stdout) as JobResource;
			await running(client, endlessly.id);
			await expect(client.jobs.remove(first.id)).rejects.toMatchObject({ status: 409, code: 'job_in_use' });
			await client.jobs.cancel(endlessly.id);
			await ended(client, endlessly.id);
			const continued = await steelyard(service.url, '--json', 'jobs', 'continue', first.id, '--epochs', '3', '--watch');
			const second = JSON.parse(continued.stdout) as JobResource;
			expect(second.error).toBeNull();
			expect(second.result?.initialised).toMatchObject({ from: first.id, parameters: 'last', optimizer: true, anew: 0, left: 0 });
			expect((await client.jobs.list()).data.find(({ id }) => id === second.id)?.result).not.toHaveProperty('initialised');
			await client.jobs.remove(first.id);
			await expect(client.jobs.create({ dataset, training: { initialise_from: first.id } })).rejects.toMatchObject({
				status: 422,
				code: 'job_not_found',
			});
		});

		it('refuses at the door what could not be trained, and names the field', async () => {
			const refused = async (spec: object, expected: object) => {
				await expect(client.jobs.create({ dataset, ...spec } as never)).rejects.toMatchObject(expected);
			};
			await refused({ training: { epochs: '3' } }, { status: 400, code: 'invalid_request', param: 'training.epochs' });
			await refused({ model: { family: 'resnet' } }, { status: 400, param: 'model.family' });
			await refused({ modalities: ['a', 'smell'] }, { status: 422, code: 'modality_not_found', param: 'modalities.1' });
			await refused({ dataset: 'ds_0' }, { status: 422, code: 'dataset_not_found', param: 'dataset' });
			await refused({ training: { early_stopping: { metric: 'mae' } } }, { status: 422, code: 'unsupported_task' });
			await expect(client.jobs.get('job_0')).rejects.toMatchObject({ status: 404, code: 'not_found' });
			const cuda = (await client.ready()).workers[0]?.devices.cuda;
			if (cuda?.available === false)
				await refused(
					{ device: 'cuda' },
					{
						status: 422,
						code: 'device_unavailable',
						message: expect.stringContaining(cuda.note ?? ''),
					},
				);
		});

		it('inspects an uploaded model while a job trains, and holds jobs against what it found', async () => {
			const job = await client.jobs.create(endless(dataset));
			await running(client, job.id);
			const added = await steelyard(service.url, '--json', 'models', 'add', LINEAR, '--wait');
			expect(added.code, added.stderr).toBe(0);
			const { id, report, ...model } = JSON.parse(added.stdout) as ModelResource;
			expect(model).toMatchObject({ object: 'model', status: 'ready', name: 'linear.onnx', error: null });
			expect(report).toMatchObject({ inputs: [{ name: 'x' }], outputs: [{ name: 'y' }], operators: { Gemm: 1, Relu: 1 }, blockers: [] });
			expect((await client.jobs.get(job.id)).status).toBe('running');
			await client.jobs.cancel(job.id);

			const broken = join(await folder(), 'broken.onnx');
			await writeFile(broken, (await readFile(LINEAR)).subarray(0, 100));
			const refused = await steelyard(service.url, '--json', 'models', 'add', broken, '--wait');
			expect([refused.code, (JSON.parse(refused.stdout) as ModelResource).error?.code]).toEqual([2, 'invalid_model']);

			const custom = { family: 'custom' as const, model: id, inputs: { a: 'x' }, output: 'y' };
			await expect(client.jobs.create({ dataset, modalities: ['a'], model: custom })).rejects.toMatchObject({
				status: 422,
				code: 'invalid_model',
				param: 'model.inputs.a',
				message: expect.stringContaining('[batch, 4], but the modality a is [batch, 6]'),
			});
			await expect(client.jobs.create({ dataset, model: { ...custom, model: 'mdl_0' } })).rejects.toMatchObject({
				code: 'model_not_found',
			});
			expect((await steelyard(service.url, 'models', 'remove', id)).code).toBe(0);
			await expect(client.models.get(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
		});

		it('trains of an uploaded model what is not frozen, gives it the masks, and keeps it while a job uses it', async () => {
			const { id } = JSON.parse((await steelyard(service.url, '--json', 'models', 'add', MASKED, '--wait')).stdout) as ModelResource;
			const job = await client.jobs.create({
				dataset,
				model: {
					family: 'custom',
					model: id,
					inputs: { a: 'a', b: 'b', c: 'c' },
					masks: { b: 'present' },
					output: 'logit',
					frozen: ['encoder.c.*', 'head.bias'],
				},
				training: { epochs: 10, batch_size: 16, optimizer: { learning_rate: 0.01 } },
			});
			await expect(client.models.remove(id)).rejects.toMatchObject({ status: 409, code: 'model_in_use' });
			expect((await ended(client, job.id)).job).toMatchObject({ status: 'succeeded', error: null });
			const numbers = ({ graph }: ReturnType<typeof decodeModel>) =>
				[...graph.initializers].map(([name, { data }]) => [name, String(data)]);
			const before = numbers(decodeModel(await readFile(MASKED)));
			const after = numbers(decodeModel(new Uint8Array(await (await client.jobs.download(job.id, 'model.onnx')).arrayBuffer())));
			expect(after.filter(([, data], i) => data !== before[i]?.[1]).map(([name]) => name)).toEqual([
				'encoder.a.weight',
				'encoder.a.bias',
				'encoder.b.weight',
				'encoder.b.bias',
				'head.weight',
			]);
			expect((await steelyard(service.url, 'models', 'remove', id)).code).toBe(0);
		});

		it('is used from the command line with exit codes that scripts can use', async () => {
			const spec = join(await folder(), 'spec.json');
			await writeFile(spec, JSON.stringify(short(dataset)));
			const watched = await steelyard(service.url, '--json', 'jobs', 'create', spec, '--watch');
			expect(watched.code).toBe(0);
			expect(JSON.parse(watched.stdout)).toMatchObject({ object: 'job', status: 'succeeded' });
			const list = JSON.parse((await steelyard(service.url, 'jobs', 'list', '--json')).stdout) as unknown[];
			expect(Array.isArray(list)).toBe(true);
			await writeFile(
				spec,
				JSON.stringify({ ...short(dataset), training: { optimizer: { name: 'sgd', learning_rate: 100 }, epochs: 6, loss: 'auto' } }),
			);
			const diverged = await steelyard(service.url, '--json', 'jobs', 'create', spec, '--watch');
			expect([diverged.code, (JSON.parse(diverged.stdout) as JobResource).status]).toEqual([1, 'failed']);
			await writeFile(spec, JSON.stringify({ dataset, colour: 'red' }));
			const refused = await steelyard(service.url, 'jobs', 'create', spec);
			expect([refused.code, refused.stdout]).toEqual([2, '']);
			expect(refused.stderr).toContain('colour');
			expect((await steelyard(service.url, 'jobs', 'paint')).code).toBe(2);
			expect((await steelyard('http://127.0.0.1:9', 'jobs', 'list')).code).toBe(1);
		});

		it('goes on with a job that is paused, and whose trainer, and whose worker, is killed, to the same bytes', async () => {
			const spec = {
				...short(dataset),
				training: { epochs: 3000, batch_size: 16, early_stopping: null, seed: 3 },
				weighting: { preset: 'uniform' as const },
			};
			const whole = await ended(client, (await client.jobs.create(spec)).id);
			const job = await client.jobs.create(spec);
			await running(client, job.id);
			await client.jobs.pause(job.id);
			await until('the pause', async () => (await client.jobs.get(job.id)).status === 'paused');
			const { progress } = await client.jobs.get(job.id);
			expect((await client.jobs.resume(job.id)).status).toBe('queued');
			await until('the job to come further', async () => {
				const now = await client.jobs.get(job.id);
				return now.stage === 'fusion' && now.progress > progress;
			});
			const trainers = (await processesOf(service.home)).map(async (pid) => ({
				pid,
				line: await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''),
			}));
			const trainer = (await Promise.all(trainers)).find(({ line }) => line.includes('trainer-child'));
			process.kill(trainer?.pid as number, 'SIGKILL');
			await until('the third attempt', async () => (await client.jobs.get(job.id)).attempt === 3);
			await running(client, job.id);
			process.kill((await client.ready()).workers[0]?.pid as number, 'SIGKILL');
			const { job: after } = await ended(client, job.id);
			expect(after.status).toBe('succeeded');
			expect(after.attempt).toBeGreaterThan(1);
			expect(after.artifacts[0]?.sha256).toBe(whole.job.artifacts[0]?.sha256);
		});

		it('takes up after a kill of everything what was queued and running, and leaves no process behind', async () => {
			const job = await client.jobs.create(endless(dataset));
			const waiting = await client.jobs.create(short(dataset));
			await running(client, job.id);
			const model = await client.models.create(await openAsBlob(LINEAR), 'linear.onnx');
			await service.stop('SIGKILL');
			await until('the API, the worker and the trainer to end', async () => {
				const lines = await Promise.all(
					(await processesOf(service.home)).map((pid) => readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')),
				);
				return lines.every((line) => line.includes('redis'));
			});
			service = await serve(service.home, env);
			client = await checkedClient(service.url);
			await until('the running job to run again', async () => (await client.jobs.get(job.id)).attempt === 2);
			expect((await client.models.inspected(model.id)).status).toBe('ready');
			await client.jobs.cancel(job.id);
			expect((await ended(client, waiting.id)).job.status).toBe('succeeded');
			expect(await service.stop()).toBe(0);
			expect(await processesOf(service.home)).toEqual([]);
		});
	});
