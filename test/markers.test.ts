import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@steelyard/client';
import { isFinal, type JobResource } from '@steelyard/contracts';
import { serverOnPath } from '@steelyard/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, serve } from './serving.js';

const SAMPLE = fileURLToPath(new URL('../services/cli/sample/spam-mail.zip', import.meta.url));
const LINEAR = fileURLToPath(new URL('../services/worker/test/fixtures/linear.onnx', import.meta.url));

/** Texts that nobody but this test knows. The folder has spaces in its name, at which what looks for paths could take them to end. */
const KEY = 'marker-of-the-key-1';
const PASSWORD = 'marker-of-redis-2';
const HEADER = 'marker-of-traces-3';
const FOLDER = 'marker of a folder 4';
const SECRETS = [KEY, PASSWORD, HEADER];

const binary = serverOnPath();

async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, 'close');
	return port;
}

let root: string;
let home: string;
let stopRedis = async () => {};
let service: Running;
let client: Client;
/** Everything that the service has answered, headers and all. */
const answers: string[] = [];
const jobs: Record<string, JobResource> = {};

/** Every file below a folder of the data folder, by its path from there; one that goes meanwhile is empty. */
async function filesOf(folder: string): Promise<[path: string, text: string][]> {
	const entries = await readdir(join(home, folder), { recursive: true, withFileTypes: true });
	const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
	return Promise.all(
		files.map(async (path): Promise<[string, string]> => [path.slice(home.length + 1), await readFile(path, 'latin1').catch(() => '')]),
	);
}

async function startRedis(): Promise<string> {
	if (binary === null) return '';
	const port = await freePort();
	const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--requirepass', PASSWORD, '--save', '', '--dir', root];
	const child = spawn(binary, options, { stdio: ['ignore', 'pipe', 'ignore'] });
	stopRedis = async () => {
		const gone = once(child, 'exit');
		child.kill('SIGKILL');
		await gone;
	};
	for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept connections')) break;
	child.stdout.resume();
	return `redis://:${PASSWORD}@127.0.0.1:${port}`;
}

async function trained(name: string, spec: Parameters<Client['jobs']['create']>[0]): Promise<void> {
	const { id } = await client.jobs.create(spec);
	for await (const event of client.jobs.events(id)) if (event.type === 'status' && isFinal(event.status)) break;
	jobs[name] = await client.jobs.get(id);
}

/** A request as it stands, whatever comes of it. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
	const response = await fetch(`${service.url}${path}`, { ...init, headers: { authorization: `Bearer ${KEY}`, ...init.headers } });
	answers.push(JSON.stringify([...response.headers]), Buffer.from(await response.clone().arrayBuffer()).toString('latin1'));
	return response;
}

beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-markers-'));
	home = join(root, FOLDER, 'home');
	await mkdir(home, { recursive: true });
	service = await serve(home, {
		STEELYARD_API_KEY: KEY,
		REDIS_URL: await startRedis(),
		// Nobody listens there, which is logged.
		OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
		OTEL_EXPORTER_OTLP_HEADERS: `authorization=${HEADER}`,
		LOG_LEVEL: 'debug',
	});
	client = createClient({
		url: service.url,
		apiKey: KEY,
		async fetch(input, init) {
			const response = await fetch(input, init);
			answers.push(JSON.stringify([...response.headers]));
			void response
				.clone()
				.text()
				// A stream that the client leaves is cut here too; its events tell what was in it.
				.then(
					(text) => answers.push(text),
					() => {},
				);
			return response;
		},
	});

	const dataset = await client.datasets.create(await openAsBlob(SAMPLE), 'mail.zip');
	const short = { dataset: dataset.id, model: { hidden: 4 }, training: { epochs: 1 } };
	await trained('good', { ...short, training: { epochs: 3 }, weighting: { preset: 'btw', refresh_epochs: 1 } });
	await rm(join(home, 'datasets', dataset.id, 'train_body.npy'));
	await trained('without its data', short);

	await ask('/v1/datasets', { method: 'POST', headers: { 'content-type': 'application/zip' }, body: 'PK\u0003\u0004 and no more' });
	const upload = { method: 'POST', headers: { 'content-type': 'application/octet-stream' } };
	for (const body of [await readFile(LINEAR), 'no model', 'PK\u0003\u0004 no archive', (await readFile(LINEAR)).subarray(0, 100)]) {
		const { id } = (await (await ask('/v1/models?filename=net.onnx', { ...upload, body })).json()) as { id: string };
		await client.models.inspected(id).catch(() => {});
		await ask(`/v1/models/${id}`);
	}
	await client.keys.create({ name: 'of a test', scope: 'read', project: 'default' });
	await ask('/v1/jobs', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"dataset": "ds_0"}' });
	await ask('/v1/jobs', { headers: { authorization: 'Bearer something' } });
	await ask('/nothing');
	const paths = ['jobs', 'datasets', 'models', 'keys', 'audit?limit=100', 'usage', 'caller'].map((path) => `/v1/${path}`);
	for (const path of [...paths, '/readyz', '/healthz', '/metrics', '/openapi.json']) await ask(path);
	for (const { id, artifacts } of Object.values(jobs)) {
		for (const part of ['', '/events?limit=1000', '/logs?limit=1000', '/metrics', '/artifacts', '/model'])
			await ask(`/v1/jobs/${id}${part}`);
		for (const { name } of artifacts) await ask(`/v1/jobs/${id}/artifacts/${name}`);
	}
}, 180_000);
afterAll(async () => {
	await service?.stop();
	await stopRedis();
	await rm(root, { recursive: true, force: true });
});

describe('what is planted where only the service should know it', () => {
	it('meets jobs that succeed and fail', () => {
		expect(jobs['good']).toMatchObject({ status: 'succeeded' });
		expect(jobs['without its data']).toMatchObject({ status: 'failed', error: { message: expect.stringContaining('train_body.npy') } });
	});

	it('is in no answer, neither a secret nor the folder', () => {
		expect(answers.length).toBeGreaterThan(60);
		for (const marker of [...SECRETS, FOLDER, root]) expect(answers.filter((answer) => answer.includes(marker))).toEqual([]);
	});

	it('is in no record, event, model, audit line or log of a job', async () => {
		const kept = (await Promise.all(['jobs', 'datasets', 'models', 'audit', 'keys'].map(filesOf))).flat();
		expect(kept.some(([path]) => path.endsWith('model.onnx'))).toBe(true);
		expect(kept.some(([path]) => path.endsWith('logs/1.jsonl'))).toBe(true);
		expect(kept.some(([path]) => path.startsWith('audit/'))).toBe(true);
		for (const marker of [...SECRETS, FOLDER, root])
			expect(kept.filter(([, text]) => text.includes(marker)).map(([path]) => path)).toEqual([]);
	});

	it('is, of the secrets, in no log of the service, nor anywhere else in the data folder', async () => {
		const logs = await filesOf('logs');
		expect(logs.map(([path]) => path)).toEqual(expect.arrayContaining(['logs/api.log', 'logs/worker.log']));
		expect(logs.map(([, text]) => text).join('')).toContain('answered');
		for (const marker of SECRETS)
			expect((await filesOf('.')).filter(([, text]) => text.includes(marker)).map(([path]) => path)).toEqual([]);
	});
});
