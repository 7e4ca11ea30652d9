import { execFile } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, createClient } from '@steelyard/client';
import { isFinal } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, serve } from '../serving.js';

const run = promisify(execFile);
const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));
const LINEAR = fileURLToPath(new URL('../../services/worker/test/fixtures/linear.onnx', import.meta.url));
/** The folder of `addresses.py`. */
const HOOKS = fileURLToPath(new URL('.', import.meta.url));
const KEY = 'a-key-of-this-test';
const SCHEMATHESIS = process.env['STEELYARD_SCHEMATHESIS'] || 'schemathesis';
const isThere = await run(SCHEMATHESIS, ['--version']).then(
	() => true,
	() => false,
);

type Ids = { datasets: string; models: string; jobs: string; keys: string };

/** What is given to the operations on resources, since a made-up id is that of none. */
type Made = { kept: Ids; toDelete: Ids; running: string; event: string; line: string };

async function make(client: Client): Promise<Made> {
	const short = (dataset: string) => ({
		dataset,
		model: { hidden: 4 },
		weighting: { preset: 'uniform' as const },
		training: { epochs: 1 },
	});
	const some = async (): Promise<Ids> => {
		const dataset = await client.datasets.create(await openAsBlob(SAMPLE), 'mail.zip');
		const model = await client.models.create(await openAsBlob(LINEAR), 'linear.onnx');
		const job = await client.jobs.create(short(dataset.id));
		const key = await client.keys.create({ name: 'of a test', scope: 'read', project: 'default' });
		for await (const event of client.jobs.events(job.id)) if (event.type === 'status' && isFinal(event.status)) break;
		return { datasets: dataset.id, models: model.id, jobs: job.id, keys: key.id };
	};
	const kept = await some();
	const toDelete = await some();
	const { id: running } = await client.jobs.create({ ...short(kept.datasets), training: { epochs: 100_000, early_stopping: null } });
	const { data } = await client.audit({ limit: 1 });
	const { value: event } = await client.jobs.events(kept.jobs)[Symbol.asyncIterator]().next();
	return { kept, toDelete, running, event: event.id, line: data[0]?.id ?? expect.unreachable('the audit log has no line') };
}

/** Operations on a resource, by their names: what reads or changes one, and what deletes one. */
const READING: Record<keyof Ids, string[]> = {
	datasets: ['getDataset', 'updateDataset'],
	models: ['getModel', 'updateModel'],
	jobs: ['getJob', 'updateJob', 'getJobMetrics', 'listArtifacts', 'downloadModel'],
	keys: [],
};
const DELETING: Record<keyof Ids, string> = { datasets: 'deleteDataset', models: 'deleteModel', jobs: 'deleteJob', keys: 'revokeKey' };
const LISTING: Record<keyof Ids, string> = { datasets: 'listDatasets', models: 'listModels', jobs: 'listJobs', keys: 'listKeys' };

/**
 * What Schemathesis is told of this service, as TOML. A request that fits the document may still be refused for what a schema does not say: that a form goes
 * without the name of its file, that fields of a job belong together, and which characters of a name are control characters (a pattern that Python cannot read).
 */
function settings({ kept, toDelete, running, event, line }: Made, key: string | null): string {
	const given = (operations: string | string[], parameters: Record<string, string>) =>
		`include-operation-id = ${JSON.stringify(operations)}\nparameters = { ${Object.entries(parameters)
			.map(([name, value]) => `"${name}" = "${value}"`)
			.join(', ')} }`;
	const tags = Object.keys(kept) as (keyof Ids)[];
	const operations = [
		...tags.filter((tag) => READING[tag].length > 0).map((tag) => given(READING[tag], { 'path.id': kept[tag] })),
		...tags.map((tag) => given(DELETING[tag], { 'path.id': toDelete[tag] })),
		...tags.map((tag) => given(LISTING[tag], { 'query.after': kept[tag], 'header.steelyard-project': 'default' })),
		given('listDatasetRows', { 'path.id': kept.datasets, 'query.split': 'test' }),
		given('listAuditLines', { 'query.after': line }),
		given('listJobEvents', { 'path.id': kept.jobs, 'query.after': event, 'header.last-event-id': event }),
		given('getJobLogs', { 'path.id': kept.jobs, 'query.after': '1-1' }),
		given('downloadArtifact', { 'path.id': kept.jobs, 'path.name': 'metrics.json' }),
		given(['cancelJob', 'pauseJob', 'resumeJob'], { 'path.id': running }),
		// It would delete the jobs that the others are about.
		given('applyRetention', { 'query.dry_run': 'true' }),
		'include-operation-id = ["createDataset", "previewTable", "createModel", "createJob", "createKey", "predictRows"]\n' +
			'checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 409, 422]',
	];
	return [...(key === null ? [] : [`[auth.openapi.key]\nbearer = "${key}"`]), ...operations.map((one) => `[[operations]]\n${one}`)].join(
		'\n\n',
	);
}

describe.skipIf(!isThere)('the OpenAPI document', () => {
	let folder: string;
	let service: Running;
	let made: Made;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'steelyard-openapi-'));
		service = await serve(join(folder, 'home'), { STEELYARD_API_KEY: KEY, STEELYARD_PROXIES: '127.0.0.1' });
		const document = await fetch(`${service.url}/openapi.json`, { headers: { authorization: `Bearer ${KEY}` } });
		await writeFile(join(folder, 'openapi.json'), await document.text());
		made = await make(createClient({ url: service.url, apiKey: KEY }));
	}, 120_000);
	afterAll(async () => {
		await service?.stop();
		await rm(folder, { recursive: true, force: true });
	});

	it.each([
		['with a key', KEY, 15],
		['without a key', null, 3],
	])('is what the server does %s', async (_, key, examples) => {
		const config = join(folder, `${key === null ? 'without' : 'with'}.toml`);
		await writeFile(config, settings(made, key));
		// A stream has no end by itself, which Schemathesis would wait for.
		const streams = ['--exclude-operation-id', 'watchJobs'];
		const options = [...streams, '--checks', 'all', '--max-examples', `${examples}`, '--seed', '1', '--no-shrink', '--continue-on-failure'];
		const quiet = ['--suppress-health-check', 'all', '--generation-database', 'none', '--no-color'];
		const said = await run(
			SCHEMATHESIS,
			['--config-file', config, 'run', join(folder, 'openapi.json'), '--url', service.url, ...options, ...quiet],
			{
				cwd: folder,
				maxBuffer: 2 ** 26,
				env: { ...process.env, SCHEMATHESIS_HOOKS: 'addresses', PYTHONPATH: HOOKS, PYTHONDONTWRITEBYTECODE: '1' },
			},
		).then(
			({ stdout }) => stdout,
			({ stdout, stderr }: { stdout: string; stderr: string }) => expect.fail(`${stdout}\n${stderr}`),
		);
		expect(said).toMatch(/Tested: +(\d+)/);
		expect(await readFile(join(folder, 'home', 'logs', 'api.log'), 'utf8')).not.toContain('a request failed unexpectedly');
	});
});
