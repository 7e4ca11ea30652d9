import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { buildApp } from '@steelyard/api';
import { openTraces, type Traces } from '@steelyard/service-process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addDataset, silent as log } from '../services/api/test/service.js';
import { openService, type Service } from '../services/worker/test/service.js';

type Attribute = { key: string; value: { stringValue?: string; intValue?: number } };
type Sent = {
	name: string;
	traceId: string;
	spanId: string;
	parentSpanId?: string;
	startTimeUnixNano: string;
	endTimeUnixNano: string;
	kind: number;
	status: { code?: number; message?: string };
	attributes: Attribute[];
};
type Span = Omit<Sent, 'attributes'> & { service: string; attributes: Record<string, string | number | undefined> };

const valuesOf = (attributes: Attribute[]) =>
	Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue] as const));

/** What a collector of OpenTelemetry does, by OTLP over HTTP with JSON. */
let collector: Server;
let endpoint: string;
const spans: Span[] = [];
let received: { path: string | undefined; headers: Record<string, unknown> } | null = null;
let service: Service;
const children: ChildProcess[] = [];
beforeAll(async () => {
	collector = createServer(async (request, response) => {
		received = { path: request.url, headers: request.headers };
		let body = '';
		for await (const text of request.setEncoding('utf8')) body += text;
		for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans)
			for (const { spans: some } of scopeSpans)
				for (const span of some as Sent[])
					spans.push({
						...span,
						service: String(valuesOf(resource.attributes)['service.name']),
						attributes: valuesOf(span.attributes),
					});
		response.setHeader('content-type', 'application/json').end('{}');
	});
	await once(collector.listen(0, '127.0.0.1'), 'listening');
	endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
	service = await openService();
});
afterAll(async () => {
	await service.close();
	collector.closeAllConnections();
	await new Promise((closed) => collector.close(closed));
});
beforeEach(() => {
	spans.length = 0;
});
afterEach(async () => {
	vi.unstubAllEnvs();
	for (const child of children.splice(0)) {
		if (child.exitCode !== null || child.signalCode !== null) continue;
		child.kill('SIGKILL');
		await once(child, 'exit');
	}
});

/** Runs what a request and a worker do about one job for the stand-in trainer, to its end and to the last span; gives its id. */
async function traced(act: string, requestHeaders: Record<string, string> = {}): Promise<string> {
	vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
	vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'x-team=ward');
	vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=test');
	const open = async (name: string) => (await openTraces({ traces: true }, { name, version: '1', log })) as Traces;
	const [ofApi, ofWorker] = [await open('api'), await open('worker')];
	const config = { host: '127.0.0.1', apiKey: null, uploadLimit: 1e6, modelLimit: 1e6 };
	const app = await buildApp({ config, queue: service.queue, store: service.store, log, traces: ofApi });
	const dataset = await addDataset(app);
	const posted = await app.inject({
		...{ method: 'POST', url: '/v1/jobs', headers: { 'x-request-id': 'req-1', ...requestHeaders } },
		payload: { dataset, metadata: { act } },
	});
	expect(posted.statusCode, posted.body).toBe(202);
	const { id } = posted.json();
	const worker = await service.work({ traces: ofWorker });
	await service.end(id);
	await app.inject('/healthz');
	await app.inject('/metrics');
	await worker.close();
	await app.close();
	for (const traces of [ofApi, ofWorker]) await traces.close();
	return id;
}

const named = (name: string, nth = 0): Span => spans.filter((span) => span.name === name)[nth] ?? expect.unreachable(`no span ${name}`);

describe('the trace of a job', () => {
	it('leads from the request over the queue to its attempt, and in it to the stages of the trainer', async () => {
		const id = await traced('succeed');
		const request = named('POST /v1/jobs');
		const sending = named('send training');
		const attempt = named('process training');
		expect(request).toMatchObject({
			service: 'steelyard-api',
			kind: 2,
			attributes: {
				...{ 'http.request.method': 'POST', 'http.route': '/v1/jobs', 'http.response.status_code': 202 },
				'steelyard.request.id': 'req-1',
			},
		});
		expect(request.parentSpanId ?? '').toBe('');
		expect(sending).toMatchObject({ traceId: request.traceId, parentSpanId: request.spanId, kind: 4 });
		expect(attempt).toMatchObject({ service: 'steelyard-worker', traceId: request.traceId, parentSpanId: sending.spanId, kind: 5 });
		expect(attempt.attributes).toMatchObject({
			...{ 'messaging.destination.name': 'training', 'messaging.message.id': id },
			...{ 'steelyard.job.attempt': 1, 'steelyard.project': 'default', 'steelyard.attempt.end': 'succeeded' },
		});
		expect((await service.get(id)).traceparent).toBe(`00-${sending.traceId}-${sending.spanId}-01`);
		const stages = ['preparing', 'fusion', 'exporting'].map((name) => named(name));
		for (const stage of stages) expect(stage).toMatchObject({ traceId: request.traceId, parentSpanId: attempt.spanId });
		expect(named('refresh weights').parentSpanId).toBe(named('fusion').spanId);
		const starts = stages.map(({ startTimeUnixNano }) => Number(startTimeUnixNano.slice(0, -6)));
		expect(starts).toEqual(starts.toSorted((one, other) => one - other));
		expect(received).toMatchObject({ path: '/v1/traces', headers: { 'x-team': 'ward' } });
		for (const probed of ['GET /healthz', 'GET /metrics']) expect(spans.map(({ name }) => name)).not.toContain(probed);
	});

	it('goes on with that of the client, and has every attempt with how it ended', async () => {
		const traceId = 'a'.repeat(32);
		await traced('crash once, then succeed', { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` });
		expect(named('POST /v1/jobs')).toMatchObject({ traceId, parentSpanId: 'b'.repeat(16) });
		const [first, second] = [named('process training'), named('process training', 1)];
		expect(first).toMatchObject({
			traceId,
			status: { code: 2, message: 'trainer_crashed' },
			attributes: { 'steelyard.attempt.end': 'crashed' },
		});
		expect(second).toMatchObject({ traceId, attributes: { 'steelyard.job.attempt': 2, 'steelyard.attempt.end': 'succeeded' } });
	});

	it('is not made where the client asks for none, nor is a trace context believed that is none', async () => {
		await traced('succeed', { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00` });
		expect(spans.map(({ name }) => name)).toEqual(['POST /v1/datasets']);
		spans.length = 0;
		await traced('succeed', { traceparent: `00-${'0'.repeat(32)}-x` });
		expect(named('POST /v1/jobs').parentSpanId ?? '').toBe('');
	});
});

describe('a process of the service', () => {
	/** Starts and ends it, with a request to the API meanwhile; gives what it has written. */
	async function life(name: string, env: Record<string, string>): Promise<string> {
		const main = fileURLToPath(new URL(`../services/${name}/dist/main.js`, import.meta.url));
		const own = {
			PATH: process.env['PATH'],
			PORT: '0',
			STEELYARD_HOME: service.home,
			STEELYARD_REDIS: JSON.stringify(service.redis.options),
		};
		const child = fork(main, { env: { ...own, NODE_DEBUG: 'esm', ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
		children.push(child);
		let output = '';
		for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
		const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => expect.unreachable(output))]);
		if (message.address !== undefined) expect((await fetch(`${message.address}/v1/jobs`)).status).toBe(200);
		const closed = once(child, 'close');
		child.kill('SIGTERM');
		expect(await closed).toEqual([0, null]);
		expect(output).toContain('packages/queue/');
		return output;
	}
	const SDK = /otlp-traces\.js|opentelemetry\/(sdk-trace|exporter-trace)/;
	const told = (to: string) => ({
		...{ OTEL_EXPORTER_OTLP_ENDPOINT: to, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hush' },
		OTEL_BSP_SCHEDULE_DELAY: '3600000',
	});

	it.each(['api', 'worker'])('such as the %s loads the library of traces only where there is a collector for them', async (name) => {
		expect(await life(name, {})).not.toMatch(SDK);
		const output = await life(name, told(endpoint));
		expect(output).toMatch(SDK);
		expect(output).not.toContain('hush');
		expect(spans.map((span) => `${span.service}: ${span.name}`)).toEqual(name === 'api' ? ['steelyard-api: GET /v1/jobs'] : []);
	});

	it('works and ends as ever while the collector is away, and says so', async () => {
		expect(await life('api', told('http://127.0.0.1:1'))).toContain('the last traces could not be sent');
	});
});
