import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetArchive } from './archive.js';
import { addDataset, openService, type Service } from './service.js';

let service: Service;
let dataset: string;
let archive: Buffer;
beforeAll(async () => {
	service = await openService({ uploadLimit: 100_000 });
	dataset = await addDataset(service.app);
	archive = await datasetArchive('binary');
});
afterAll(() => service.close());

type Request = { method: 'GET' | 'POST' | 'DELETE' | 'PUT'; url: string; headers?: Record<string, string>; payload?: string | Buffer };

/** Whatever was sent, the answer is no fault of the server, and an error is a problem document. */
async function answered(request: Request): Promise<void> {
	const response = await service.app.inject(request);
	expect(response.statusCode, `${JSON.stringify(request)}: ${response.body}`).toBeLessThan(500);
	if (response.statusCode >= 400) {
		expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
		expect(response.json()).toMatchObject({ status: response.statusCode, code: expect.any(String), detail: expect.any(String) });
	}
}

const runs = { numRuns: 300 };
const name = fc.oneof(
	fc.constantFrom(
		'dataset',
		'model',
		'training',
		'weighting',
		'device',
		'modalities',
		'metadata',
		'family',
		'inputs',
		'output',
		'epochs',
		'optimizer',
		'name',
		'early_stopping',
		'metric',
		'toString',
		'constructor',
	),
	fc.string({ maxLength: 5 }),
);
const leaf = fc.oneof(
	fc.jsonValue({ maxDepth: 2 }),
	fc.constantFrom<unknown>(
		'custom',
		'mlp-fusion',
		'mdl_1',
		-0,
		1e308,
		-1,
		0.5,
		2 ** 53,
		'',
		'1',
		'null',
		null,
		true,
		'adamw',
		'cuda',
		'auroc',
	),
);
const spec = fc.letrec((tie) => ({
	value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(name, tie('value'), { maxKeys: 6 })),
})).value;

const socketTo = async (): Promise<Socket> => {
	if (service.app.server.address() === null) await service.app.listen({ host: '127.0.0.1', port: 0 });
	const socket = connect((service.app.server.address() as AddressInfo).port, '127.0.0.1');
	await once(socket, 'connect');
	return socket;
};

describe('nothing that a client sends makes the service fail', () => {
	it('as a job of any fields', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.oneof(
					spec,
					fc.dictionary(name, spec).map((fields) => ({ ...fields, dataset })),
				),
				(value) =>
					answered({
						method: 'POST',
						url: '/v1/jobs',
						headers: { 'content-type': 'application/json' },
						payload: JSON.stringify(value) ?? '',
					}),
			),
			runs,
		);
	});

	it('as a body of any text or bytes and any type', async () => {
		const type = fc.oneof(
			fc.constantFrom(
				'application/json',
				'application/json; charset=utf-16',
				'application/zip',
				'application/octet-stream',
				'multipart/form-data; boundary=b',
				'multipart/form-data',
				';',
				'a/b/c',
			),
			fc.stringMatching(/^[ -~]{0,20}$/),
		);
		const body = fc.oneof(
			fc.string(),
			fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
			fc.json(),
			fc.string().map((text) => `--b\r\ncontent-disposition: form-data; name="file"; filename="${text}"\r\n\r\n${text}\r\n--b--\r\n`),
		);
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom(
					'/v1/jobs',
					'/v1/datasets',
					'/v1/datasets?filename=a.zip',
					'/v1/models',
					'/v1/models?filename=a.onnx',
					'/v1/jobs/job_1/cancel',
					'/v1/jobs/job_1/pause',
					'/v1/jobs/job_1/resume',
				),
				type,
				body,
				(url, contentType, payload) => answered({ method: 'POST', url, headers: { 'content-type': contentType }, payload }),
			),
			runs,
		);
	});

	it('as an archive with any byte of it changed', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(fc.nat({ max: archive.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
				async (changes) => {
					const bytes = Buffer.from(archive);
					for (const [at, value] of changes) bytes[at] = value;
					await answered({ method: 'POST', url: '/v1/datasets', headers: { 'content-type': 'application/zip' }, payload: bytes });
				},
			),
			{ numRuns: 150 },
		);
	});

	it('as any path, query string and headers', async () => {
		const segment = fc.oneof(
			fc.constantFrom(
				'v1',
				'jobs',
				'datasets',
				'models',
				'mdl_1',
				'events',
				'artifacts',
				'model',
				'metrics',
				'cancel',
				'pause',
				'resume',
				'job_1',
				'..',
				'%00',
				'%2f',
				dataset ?? 'ds_1',
			),
			fc.string({ maxLength: 8 }).map(encodeURIComponent),
			fc.stringMatching(/^[!-~]{0,8}$/),
		);
		const query = fc.webQueryParameters();
		const headers = fc.dictionary(
			fc.constantFrom(
				'accept',
				'range',
				'if-none-match',
				'last-event-id',
				'idempotency-key',
				'origin',
				'content-length',
				'authorization',
				'accept-version',
			),
			fc.stringMatching(/^[ -~]{0,20}$/),
		);
		await fc.assert(
			fc.asyncProperty(
				fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
				fc.array(segment, { maxLength: 5 }),
				query,
				headers,
				(method, segments, search, fields) => {
					const path = segments.join('/').replaceAll('#', '');
					const url = `/${path}?${search}`;
					// What injection cannot express goes over a socket, below.
					fc.pre(URL.canParse(url, 'http://localhost') && !url.startsWith('//'));
					return answered({ method, url, headers: fields });
				},
			),
			runs,
		);
	});

	it('as any bytes over a socket', async () => {
		const line = fc.oneof(
			fc.constantFrom(
				'GET / HTTP/1.1',
				'POST /v1/jobs HTTP/1.1',
				'POST /v1/datasets?filename=a.zip HTTP/1.1',
				'POST /v1/models HTTP/1.1',
				'GET //x HTTP/1.1',
				'GET \\ HTTP/1.0',
				'CONNECT a:1 HTTP/1.1',
			),
			fc.constantFrom(
				'host: localhost',
				'content-length: 5',
				'content-length: -1',
				'transfer-encoding: chunked',
				'content-type: application/zip',
				'expect: 100-continue',
				'upgrade: websocket',
				'connection: upgrade',
			),
			fc.constantFrom('', '5', 'hello', '0', '{"dataset":'),
			fc.string({ maxLength: 40 }),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
				const socket = await socketTo();
				// A reset is one of the answers that such bytes may have.
				socket.on('error', () => {});
				const closed = once(socket, 'close');
				socket.resume().end(lines.join('\r\n'));
				await closed;
			}),
			{ numRuns: 200 },
		);
		expect((await service.app.inject('/healthz')).statusCode).toBe(200);
	});
});
