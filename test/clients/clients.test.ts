import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createSession } from '@steelyard/runtime';
import createClient from 'openapi-fetch';
import openapiTypes, { astToString } from 'openapi-typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, serve } from '../serving.js';

const PYTHON = process.env['STEELYARD_PYTHON'] || 'python3';
const run = promisify(execFile);
const here = createRequire(import.meta.url);
const bin = (name: string, path: string) => join(dirname(here.resolve(`${name}/package.json`)), path);
const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));

const hasPythonGenerator = await run(PYTHON, ['-c', 'import openapi_python_client']).then(
	() => true,
	() => false,
);

let folder: string;
let service: Running;
/** The path of the document of the service. */
let document: string;
/** The job that the README posts. */
let example: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'steelyard-clients-'));
	service = await serve(join(folder, 'home'));
	document = join(folder, 'openapi.json');
	await writeFile(document, await (await fetch(`${service.url}/openapi.json`)).text());
	const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
	example = /^ {2}"dataset": .*$/m.exec(readme)?.[0] ?? expect.unreachable('the README posts no job');
});
afterAll(async () => {
	await service?.stop();
	await rm(folder, { recursive: true, force: true });
});

/** Checks the types of a file strictly. The promise rejects with what the compiler says. */
async function compile(file: string): Promise<void> {
	const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext'];
	const resolution = ['--moduleResolution', 'bundler', '--lib', 'es2022,dom,dom.iterable', '--skipLibCheck'];
	await run(process.execPath, [bin('typescript', 'bin/tsc'), ...options, ...resolution, file]).catch(({ stdout }: { stdout: string }) => {
		throw new Error(stdout);
	});
}

/** Imports a file that is written while the test runs. */
const load = async (file: string) => (await import(/* @vite-ignore */ file)) as { train: (...inputs: unknown[]) => Promise<ArrayBuffer> };

/** Expects bytes to be the model of the sample dataset. */
async function expectModel(bytes: ArrayBuffer): Promise<void> {
	const session = await createSession(new Uint8Array(bytes));
	expect(session.inputs.map(({ name }) => name)).toEqual(expect.arrayContaining(['x.subject', 'x.body', 'x.routing', 'x.format']));
	await session.release();
}

describe("the README's job", () => {
	it('is typed by openapi-typescript and trained through openapi-fetch', async () => {
		const program = `
import type { Client } from './fetch';
import type { components, paths } from './types';
type Body<Path extends keyof paths> = paths[Path] extends { post: { requestBody: { content: infer Content } } } ? Content : never;

export const example: Body<'/v1/jobs'>['application/json'] = {
${example}
};
export const smallest: Body<'/v1/jobs'>['application/json'] = { dataset: 'ds_1' };
export const noQuery: paths['/v1/jobs']['get']['parameters']['query'] = {};

export async function train(api: Client<paths>, archive: Blob): Promise<ArrayBuffer> {
	const found = <T>({ data, error }: { data?: T; error?: components['schemas']['Problem'] }): T => {
		if (data === undefined) throw new Error(error?.detail);
		return data;
	};
	const dataset = found(await api.POST('/v1/datasets', {
		params: { query: { filename: 'mail.zip' } },
		headers: { 'content-type': 'application/octet-stream' },
		body: archive as unknown as string,
		bodySerializer: (body) => body,
	}));
	const posted = found(await api.POST('/v1/jobs', { body: { ...example, dataset: dataset.id, training: { epochs: 2 }, weighting: { preset: 'uniform' } } }));
	const params = { path: { id: posted.id } };
	// The stream ends when the job has ended.
	await api.GET('/v1/jobs/{id}/events', { params, headers: { accept: 'text/event-stream' }, parseAs: 'text' });
	const job = found(await api.GET('/v1/jobs/{id}', { params }));
	if (job.status !== 'succeeded') throw new Error(job.error?.message ?? job.status);
	return found(await api.GET('/v1/jobs/{id}/model', { params, parseAs: 'arrayBuffer' }));
}
`;
		const types = join(folder, 'typescript');
		await mkdir(types);
		await writeFile(join(types, 'types.ts'), astToString(await openapiTypes(await readFile(document, 'utf8'))));
		await writeFile(join(types, 'fetch.d.ts'), `export type { Client } from '${bin('openapi-fetch', 'dist/index.d.mts')}';\n`);
		await writeFile(join(types, 'train.ts'), program);
		await compile(join(types, 'train.ts'));
		await writeFile(join(types, 'wrong.ts'), program.replace('{ epochs: 2 }', "{ epochs: '2' }"));
		await expect(compile(join(types, 'wrong.ts'))).rejects.toThrow("Type 'string' is not assignable to type 'number'");
		const { train } = await load(join(types, 'train.ts'));
		await expectModel(await train(createClient({ baseUrl: service.url }), new Blob([await readFile(SAMPLE)])));
	});

	it('is trained by the client that hey-api makes', async () => {
		const client = join(folder, 'hey');
		await run(process.execPath, [bin('@hey-api/openapi-ts', 'bin/run.js'), '-i', document, '-o', join(client, 'made'), '--no-log-file']);
		await writeFile(
			join(client, 'train.ts'),
			`
import { createDataset, createJob, downloadModel, getJob, listJobEvents } from './made';
import type { CreateJobData } from './made';

const example: CreateJobData['body'] = {
${example}
};

export async function train(baseUrl: string, archive: Blob): Promise<Blob> {
	const options = { baseUrl, throwOnError: true } as const;
	const { data: dataset } = await createDataset({ ...options, body: { file: archive as File } });
	const body = { ...example, dataset: dataset.id, training: { epochs: 2 }, weighting: { preset: 'uniform' as const } };
	const { data: posted } = await createJob({ ...options, body });
	const path = { id: posted.id };
	await listJobEvents({ ...options, path, headers: { accept: 'text/event-stream' }, parseAs: 'text' });
	const { data: job } = await getJob({ ...options, path });
	if (job.status !== 'succeeded') throw new Error(job.error?.message ?? job.status);
	const { data: model } = await downloadModel({ ...options, path, parseAs: 'blob' });
	return model as Blob;
}
`,
		);
		await compile(join(client, 'train.ts'));
		const { train } = await load(join(client, 'train.ts'));
		const model = (await train(service.url, new File([await readFile(SAMPLE)], 'mail.zip'))) as unknown as Blob;
		await expectModel(await model.arrayBuffer());
	});

	it.skipIf(!hasPythonGenerator)('is trained by the client that openapi-python-client makes', async () => {
		const project = join(folder, 'python');
		await run(PYTHON, ['-m', 'openapi_python_client', 'generate', '--path', document, '--output-path', project, '--meta', 'none']);
		const program = join(folder, 'train.py');
		await writeFile(
			program,
			`
import io, sys
sys.path.insert(0, ${JSON.stringify(folder)})
from python import Client
from python.api.datasets import create_dataset
from python.api.jobs import create_job, download_model, get_job, list_job_events
from python.models import CreateDatasetFilesBody, Dataset, Job, JobRequest
from python.types import File

client = Client(base_url=${JSON.stringify(service.url)})
with open(${JSON.stringify(SAMPLE)}, "rb") as archive:
    dataset = create_dataset.sync(client=client, body=CreateDatasetFilesBody(file=File(payload=archive, file_name="mail.zip")))
assert isinstance(dataset, Dataset), dataset
example = JobRequest.from_dict({
${example}
})
example.dataset = dataset.id
example.training.epochs = 2
job = create_job.sync(client=client, body=example)
assert isinstance(job, Job), job
client.get_httpx_client().get(f"/v1/jobs/{job.id}/events", headers={"accept": "text/event-stream"}, timeout=600)
job = get_job.sync(job.id, client=client)
assert job.status == "succeeded", job
model = download_model.sync(job.id, client=client)
open(${JSON.stringify(join(folder, 'model.onnx'))}, "wb").write(model.payload.read())
`,
		);
		await run(PYTHON, [program]);
		const bytes = await readFile(join(folder, 'model.onnx'));
		await expectModel(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
	});
});
