import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf } from './documents/markdown.js';
import { type Running, serve } from './serving.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CLIENT = join(ROOT, 'clients/python');
const PYTHON = process.env['STEELYARD_PYTHON'] || 'python3';
const run = promisify(execFile);
const isThere = await run(PYTHON, ['-c', 'import sys; assert sys.version_info >= (3, 9)']).then(
	() => true,
	() => false,
);

describe.skipIf(!isThere)('the client for Python', () => {
	let folder: string;
	let service: Running;
	const servers: Server[] = [];
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), 'steelyard-python-'));
		await copyFile(join(ROOT, 'services/cli/sample/visits.csv'), join(folder, 'visits.csv'));
		service = await serve(join(folder, 'home'));
	});
	afterEach(async () => {
		for (const server of servers.splice(0)) {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		}
	});
	afterAll(async () => {
		await service?.stop();
		await rm(folder, { recursive: true, force: true });
	});

	/** Runs a program in the folder, and gives what it prints. */
	async function python(program: string): Promise<string> {
		await writeFile(join(folder, 'program.py'), program);
		const env = { ...process.env, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1', no_proxy: '*' };
		const { stdout, stderr } = await run(PYTHON, ['-W', 'error', 'program.py'], { cwd: folder, env });
		expect(stderr).toBe('');
		return stdout;
	}

	/** Runs a program that has a client of `url`, and gives the JSON that it prints. */
	const answers = async (url: string, program: string): Promise<unknown> =>
		JSON.parse(await python(`import json, steelyard\nclient = steelyard.Client('${url}')\n${program}`));

	/** The address of a server that answers so. */
	async function served(listener: RequestListener): Promise<string> {
		const server = createServer(listener).listen(0, '127.0.0.1');
		servers.push(server);
		await once(server, 'listening');
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	}

	it('trains and predicts as its README shows', async () => {
		const [example] = blocksOf(await readFile(join(CLIENT, 'README.md'), 'utf8')).filter(({ language }) => language === 'python');
		const said = await python((example?.text ?? '').replace('http://127.0.0.1:8080', service.url));
		expect(said).toMatch(/^fusion 0 \{'loss': /m);
		expect(said).toMatch(/^\{'prediction': '(yes|no)', 'probabilities': /m);
		expect((await readFile(join(folder, 'model.onnx'))).length).toBeGreaterThan(10_000);
	});

	it('has what the service has', async () => {
		const program = `
preview = client.datasets.preview('visits.csv', label='readmitted')
with open('visits.csv', 'rb') as file:
    dataset = client.datasets.create(file, 'visits.csv', label='readmitted', name='Ward 3', metadata={'study': 'winter'})
found = client.datasets.list(metadata={'study': 'winter'}, limit=5)['data']
rows = client.datasets.rows(dataset['id'], 'test', offset=2, limit=1)
hook = client.webhook.set('https://example.com/hook', on=['failed'])
hooks = [hook['secret'][:6], hook['on'], client.webhook.get().get('secret'), client.webhook.set()['url']]
client.webhook.remove()
changes = client.jobs.watch()
seen = [next(changes)]
client.datasets.update(dataset['id'], {'metadata': {'study': None}})
spec = {'dataset': dataset['id'], 'model': {'hidden': 4}, 'weighting': {'preset': 'uniform'}, 'training': {'epochs': 100000, 'early_stopping': None}}
job = client.jobs.create(spec, idempotency_key='once')
again = client.jobs.create(spec, idempotency_key='once')
seen.append(next(changes))
changes.close()
client.jobs.update(job['id'], {'name': 'long'})
client.jobs.pause(job['id'])
client.jobs.resume(job['id'])
client.jobs.cancel(job['id'])
ended = client.jobs.wait(job['id'])
listed = client.jobs.list(status=['cancelled'], name='lon')['data']
logs = client.jobs.logs(job['id'], limit=3)['object']
client.jobs.remove(job['id'])
model = client.models.create('${join(ROOT, 'services/worker/test/fixtures/linear.onnx')}')
inspected = client.models.inspected(model['id'], delay=0.05)
client.models.remove(model['id'])
client.datasets.remove(dataset['id'])
errors = []
for failing in (lambda: client.jobs.get('job_0'), client.webhook.get, lambda: client.jobs.create({'dataset': 'ds_0', 'colour': 'red'}), lambda: client.datasets.create('visits.csv', 'a.png')):
    try:
        failing()
    except steelyard.SteelyardError as error:
        errors.append([error.code, error.param, error.status])
print(json.dumps([preview['rows'], dataset['name'], len(found), again['id'] == job['id'], ended['status'], [one['id'] == job['id'] for one in listed], logs, inspected['status'], errors, rows['data'][0]['row'], sorted(rows['data'][0]['values']), hooks, seen[0], [seen[1]['type'], seen[1]['job']['id'] == job['id']], client.ready()['ready'], client.caller()['scope']]))
`;
		expect(await answers(service.url, program)).toEqual([
			...[800, 'Ward 3', 1, true, 'cancelled', [true], 'list', 'ready'],
			[
				['not_found', 'id', 404],
				['not_found', null, 404],
				['invalid_request', 'colour', 400],
				['invalid_request', expect.any(String), 400],
			],
			...[2, ['note', 'pulse', 'seen', 'visit', 'ward', 'age'].sort(), ['whsec_', ['failed'], null, null]],
			...[{ type: 'reset' }, ['changed', true]],
			...[true, 'admin'],
		]);
	});

	it('has the sweeps of the service', async () => {
		const program = `
dataset = client.datasets.create('visits.csv', label='readmitted')
job = {'dataset': dataset['id'], 'model': {'hidden': 4}, 'training': {'epochs': 100000, 'early_stopping': None}}
space = {'training.optimizer.learning_rate': {'type': 'log-uniform', 'low': 0.001, 'high': 0.1}}
sweep = client.sweeps.create({'job': job, 'space': space, 'budget': {'trials': 2}, 'concurrency': 1})
listed = [one['id'] == sweep['id'] for one in client.sweeps.list(limit=5)['data']]
said = [client.sweeps.pause(sweep['id'])['status'], client.sweeps.resume(sweep['id'])['status']]
client.sweeps.cancel(sweep['id'])
ended = client.sweeps.wait(sweep['id'], delay=0.05)
client.sweeps.remove(sweep['id'])
try:
    client.sweeps.get(sweep['id'])
except steelyard.SteelyardError as error:
    print(json.dumps([listed, said, ended['status'], error.code]))
`;
		expect(await answers(service.url, program)).toEqual([[true], ['paused', 'running'], 'cancelled', 'not_found']);
	});

	it('goes on with events where they broke off', async () => {
		const asked: unknown[] = [];
		const frame = (id: number, event: object) => `id: ${id}-0\nevent: x\ndata: ${JSON.stringify({ id: `${id}-0`, ...event })}\n\n`;
		const url = await served(({ headers }, response) => {
			asked.push(headers['last-event-id']);
			if (asked.length === 2) return void response.writeHead(503).end();
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			if (asked.length === 1)
				response.write(`retry: 1\n\n${frame(1, { type: 'stage' })}:\n\n${frame(2, { type: 'stage' }).slice(0, 20)}`, () =>
					response.destroy(),
				);
			else response.end(frame(2, { type: 'stage' }) + frame(3, { type: 'status', status: 'succeeded' }));
		});
		expect(await answers(url, "print(json.dumps([event['id'] for event in client.jobs.events('job_1', delay=0.001)]))")).toEqual([
			...['1-0', '2-0', '3-0'],
		]);
		expect(asked).toEqual([undefined, '1-0', '1-0']);
	});

	it('goes on with what changes in the jobs after the last change', async () => {
		const asked: unknown[] = [];
		const frame = (id: number, change: object) => `id: 00-${id}\ndata: ${JSON.stringify(change)}\n\n`;
		const url = await served(({ headers, url: path }, response) => {
			asked.push([path, headers['last-event-id']]);
			response.writeHead(200, { 'content-type': 'text/event-stream' });
			if (asked.length === 1) response.end(frame(1, { type: 'reset' }) + frame(2, { type: 'deleted', id: 'job_1' }));
			else response.write(frame(3, { type: 'deleted', id: 'job_2' }));
		});
		const program = `
import itertools
print(json.dumps([change.get('id') for change in itertools.islice(client.jobs.watch(delay=0.001), 3)]))
`;
		expect(await answers(url, program)).toEqual([null, 'job_1', 'job_2']);
		expect(asked).toEqual([
			['/v1/job-changes', undefined],
			['/v1/job-changes', '00-2'],
		]);
	});

	it('sends again what does no harm twice, and nothing else', async () => {
		const asked: unknown[] = [];
		const url = await served(({ method, headers }, response) => {
			asked.push([method, headers['idempotency-key']]);
			if (asked.length % 2 === 1) response.writeHead(503, { 'retry-after': '0' }).end();
			else response.writeHead(200).end('{"id": "job_1"}');
		});
		const program = `
made = client.jobs.create({'dataset': 'ds_1'})
client.jobs.get('job_1')
try:
    client.jobs.cancel('job_1')
except steelyard.SteelyardError as error:
    print(json.dumps([made['id'], error.code, error.status, error.retry_after]))
`;
		expect(await answers(url, program)).toEqual(['job_1', 'unexpected_answer', 503, 0]);
		const key = (asked[0] as string[])[1];
		expect(key).toMatch(/^[0-9a-f]{32}$/);
		expect(asked).toEqual([
			['POST', key],
			['POST', key],
			['GET', undefined],
			['GET', undefined],
			['POST', undefined],
		]);
	});

	it('holds no whole file in memory, and says what cannot be reached', async () => {
		const BYTES = 200_000_000;
		await writeFile(join(folder, 'large.zip'), '');
		await truncate(join(folder, 'large.zip'), BYTES);
		let received = 0;
		const url = await served(async (request, response) => {
			for await (const chunk of request) received += (chunk as Buffer).length;
			response.writeHead(201).end(JSON.stringify({ length: request.headers['content-length'] }));
		});
		const program = `
import resource
made = client.datasets.create('large.zip')
try:
    steelyard.Client('http://127.0.0.1:1', retries=0).jobs.list()
except steelyard.SteelyardError as error:
    print(json.dumps([made['length'], error.code, error.status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
`;
		const [length, code, status, memory] = (await answers(url, program)) as [string, string, number, number];
		expect([length, code, status, received]).toEqual([String(BYTES), 'unreachable', 0, BYTES]);
		// In kilobytes on Linux, in bytes on macOS.
		expect(memory / (process.platform === 'darwin' ? 1024 : 1)).toBeLessThan(100_000);
	});
});
