import { type ChildProcess, execFile, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, createClient } from '@steelyard/client';
import type { DatasetResource, JobResource } from '@steelyard/contracts';
import { bundled } from '@steelyard/service-process';
import { datasetKeys, goesOnFrom, jobKeys, modelKeys, openS3Store, type S3Store, s3AddressOf } from '@steelyard/store';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BINARY, ended, startGiven } from '../packages/redis/test/servers.js';
import { CREDENTIALS, freePorts, type S3Server, s3Servers, useEnvironment } from '../packages/store/test/s3-servers.js';
import { smallDataset } from '../packages/trainer/test/small-dataset.js';
import { expectExplained } from './explained-rows.js';
import { CLI } from './serving.js';

const MODEL = fileURLToPath(new URL('../services/worker/test/fixtures/linear.onnx', import.meta.url));
const ENTRIES = { api: '@steelyard/api/main', worker: '@steelyard/worker/main' } as const;
const KEY = 'a-key-of-the-admin-0123456789';
const seaweedfs = s3Servers.find(({ name }) => name === 'seaweedfs');

/** A process of the service with a data folder of its own. */
type Part = { child: ChildProcess; home: string; words(): string; ready: Promise<{ address?: string }> };

let work: string;
let restore: () => void;
const parts: Part[] = [];
beforeAll(async () => {
	work = await mkdtemp(join(tmpdir(), 'steelyard-bucket-'));
	restore = useEnvironment(CREDENTIALS);
});
afterEach(async () => {
	for (const { child } of parts.splice(0)) {
		child.kill('SIGKILL');
		await ended(child);
	}
});
afterAll(async () => {
	restore?.();
	await rm(work, { recursive: true, force: true });
});

/** Starts a process of the service as a container does, in a folder of its own unless one is given. */
async function start(part: keyof typeof ENTRIES, env: Readonly<Record<string, string>>, shared?: string): Promise<Part> {
	const home = shared ?? (await mkdtemp(join(work, `${part}-`)));
	const child = fork(bundled(fileURLToPath(import.meta.resolve(ENTRIES[part]))), {
		env: { PATH: process.env['PATH'], ...CREDENTIALS, PORT: '0', STEELYARD_API_KEY: KEY, ...env, STEELYARD_HOME: home },
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
	let words = '';
	child.stdout?.on('data', () => {});
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		words += text;
	});
	const ready = Promise.race([
		once(child, 'message').then(([message]) => message as { address?: string }),
		once(child, 'close').then(([code]) => {
			throw new Error(`the ${part} ended with ${code}: ${words}`);
		}),
	]);
	ready.catch(() => {});
	const started = { child, home, words: () => words, ready };
	parts.push(started);
	return started;
}

const clientOf = async (api: Part): Promise<Client> => createClient({ url: (await api.ready).address as string, apiKey: KEY });

/** Uploads the files of a folder as a dataset. */
async function addDataset(api: Part, source: string): Promise<string> {
	const env = { ...process.env, STEELYARD_API_KEY: KEY };
	const args = ['--url', (await api.ready).address as string, '--json', 'datasets', 'add', source];
	const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], { env });
	return (JSON.parse(stdout) as DatasetResource).id;
}

const isOver = ({ status }: JobResource) => ['succeeded', 'failed', 'cancelled'].includes(status);
const when = (client: Client, id: string, condition: (job: JobResource) => boolean): Promise<JobResource> =>
	vi.waitFor(
		async () => {
			const job = await client.jobs.get(id);
			if (!condition(job))
				throw new Error(`${id} is ${job.status} at ${job.progress} in attempt ${job.attempt}: ${JSON.stringify(job.error)}`);
			return job;
		},
		{ timeout: 120_000, interval: 50 },
	);

/** Artifacts that name the job or its dataset, or hold times. */
const OWN = ['report.json', 'metrics.json', 'explanation.json'];
/** The checksums of the artifacts of a job that are equal to those of every job like it. */
const sumsOf = ({ artifacts }: JobResource) =>
	Object.fromEntries(artifacts.filter(({ name }) => !OWN.includes(name)).map(({ name, sha256 }) => [name, sha256]));

const jobOn = (dataset: string) => ({
	dataset,
	model: { family: 'mlp-fusion' as const, hidden: 16 },
	weighting: { preset: 'btw' as const, refresh_epochs: 60 },
	training: { epochs: 600, batch_size: 16, early_stopping: null, seed: 3 },
});

describe.skipIf(seaweedfs?.absent !== false || BINARY === null)(
	'a service whose store is a bucket, on machines that share no folder',
	() => {
		let server: S3Server;
		let store: S3Store;
		let redis: Awaited<ReturnType<typeof startGiven>>;
		let source: string;
		let removeSource: () => Promise<void>;
		beforeAll(async () => {
			server = await (seaweedfs as (typeof s3Servers)[number]).start();
			store = await openS3Store(s3AddressOf(addressOf()));
			redis = await startGiven({ 'maxmemory-policy': 'noeviction' });
			({ source, remove: removeSource } = await smallDataset('binary'));
		});
		afterAll(async () => {
			store?.close();
			await redis?.close();
			await server?.close();
			await removeSource?.();
		});
		const addressOf = (bucket = server.bucket, endpoint = server.endpoint) => `s3://${bucket}/wards?endpoint=${endpoint}`;
		const onBucket = () => ({ REDIS_URL: redis.url, STEELYARD_STORE: addressOf() });

		it('trains, goes on with the job of a worker that was killed, and comes to the bytes of a service with one folder', async () => {
			const [api, ...workers] = await Promise.all([start('api', onBucket()), start('worker', onBucket()), start('worker', onBucket())]);
			const client = await clientOf(api);
			const dataset = await addDataset(api, source);
			const rows = await client.datasets.rows(dataset, { split: 'test', limit: 10 });
			expect(rows).toMatchObject({ split: 'test', total: 40 });
			await Promise.all(workers.map(({ ready }) => ready));

			const uploaded = await client.models.create(await openAsBlob(MODEL), 'linear.onnx');
			expect(await client.models.inspected(uploaded.id)).toMatchObject({ status: 'ready', report: { operators: { Gemm: 1, Relu: 1 } } });

			const job = await client.jobs.create(jobOn(dataset));
			await vi.waitFor(async () => expect((await goesOnFrom(store, job.id, [1])).size).toBe(1), { timeout: 60_000, interval: 20 });
			const at = await client.jobs.get(job.id);
			expect([at.status, at.attempt]).toEqual(['running', 1]);
			const { workers: known } = await client.ready();
			const pid = known.find(({ jobs }) => jobs.includes(job.id))?.pid;
			const [killed] = workers.filter(({ child }) => child.pid === pid);
			killed?.child.kill('SIGKILL');
			await ended(killed?.child as ChildProcess);

			// The same job on a data folder of one machine.
			const inFolder = await (async () => {
				const env = { REDIS_URL: redis.url, STEELYARD_PREFIX: 'folder' };
				const alone = await start('api', env);
				await start('worker', env, alone.home);
				const local = await clientOf(alone);
				const { id } = await local.jobs.create(jobOn(await addDataset(alone, source)));
				return when(local, id, isOver);
			})();
			const found = await when(client, job.id, isOver);
			expect([found.status, found.attempt, found.error]).toEqual(['succeeded', 2, null]);
			expect(sumsOf(found)).toEqual(sumsOf(inFolder));

			const log = (await client.jobs.logs(job.id, { limit: 1000 })).data.map(({ message }) => message);
			expect(log).toContain('the trainer has started, and goes on from what is left of earlier attempts');
			const bytes = Buffer.from(await (await client.jobs.download(job.id, 'model.onnx')).arrayBuffer());
			expect(createHash('sha256').update(bytes).digest('hex')).toBe(sumsOf(found)['model.onnx']);
			const redirecting = `${(await api.ready).address}/v1/jobs/${job.id}/model?redirect=true`;
			const sent = await fetch(redirecting, { redirect: 'manual', headers: { authorization: `Bearer ${KEY}` } });
			expect(sent.status).toBe(307);
			expect(Buffer.from(await (await fetch(sent.headers.get('location') as string)).arrayBuffer()).equals(bytes)).toBe(true);
			await expectExplained(client, job, rows);

			const audited = (await client.audit()).data.map(({ operation, resource }) => [operation, resource]);
			expect(audited).toEqual(expect.arrayContaining([['createJob', job.id]]));
			expect(await client.ready()).toMatchObject({ ready: true, store: { ok: true, note: null } });

			await client.jobs.remove(job.id);
			await client.datasets.remove(dataset);
			await client.models.remove(uploaded.id);
			for (const folder of [jobKeys.folder(job.id), datasetKeys.folder(dataset), modelKeys.folder(uploaded.id)])
				expect(await store.list(folder)).toEqual([]);

			const still = parts.filter((part) => part !== killed);
			for (const { child } of still) child.kill('SIGTERM');
			for (const { child, words } of still) {
				await ended(child);
				expect(child.exitCode, words()).toBe(0);
			}
			for (const { home } of still) expect(await filesIn(join(home, 'work')), home).toEqual([]);
			expect(await leftProcesses()).toEqual([]);
		});

		it.each(['api', 'worker'] as const)(
			'ends the %s with one sentence and code 1 where the bucket is absent or cannot be reached',
			async (part) => {
				const [port = 0] = await freePorts(1);
				for (const [address, words] of [
					[addressOf('none-such'), /^There is no bucket none-such at http.*\n$/],
					[addressOf(server.bucket, `http://127.0.0.1:${port}`), /^The bucket steelyard-test at http\S+ cannot be reached: .*\n$/],
				] as const) {
					const started = await start(part, { REDIS_URL: redis.url, STEELYARD_STORE: address });
					await expect(started.ready).rejects.toThrow(`the ${part} ended with 1`);
					expect(started.child.exitCode).toBe(1);
					expect(started.words()).toMatch(words);
				}
			},
		);
	},
);

/** The files at any depth of a folder, which may be absent. */
async function filesIn(folder: string): Promise<string[]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
		if (error.code === 'ENOENT') return [];
		throw error;
	});
	return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** The processes that name the folder of these tests (Linux). */
async function leftProcesses(): Promise<string[]> {
	const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
	const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')));
	return pids.filter((_, i) => environments[i]?.includes(work));
}
