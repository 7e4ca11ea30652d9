import { createHash } from 'node:crypto';
import type { JobCurves, JobStatus } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

const MODEL = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) % 251));
const CURVES: JobCurves = { object: 'metrics', epochs: [], weights: [] };
const TAG = `"${createHash('sha256').update(MODEL).digest('hex')}"`;

let service: Service;
let dataset: string;
let path: string;
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
	path = `/v1/jobs/${await endedJob('succeeded', true)}`;
});
afterAll(() => service.close());

/** A job that ended, with or without artifacts of its second attempt. */
async function endedJob(status: JobStatus, withArtifacts: boolean): Promise<string> {
	const { id } = await addJob(service.app, dataset);
	const artifacts = [];
	if (withArtifacts) {
		for (const [name, bytes, type] of [
			['model.onnx', MODEL, 'application/octet-stream'],
			['metrics.json', Buffer.from(JSON.stringify(CURVES)), 'application/json'],
			['empty.txt', Buffer.alloc(0), 'text/plain'],
		] as const) {
			const { sha256 } = await service.store.put(`jobs/${id}/attempts/2/${name}`, bytes);
			artifacts.push({ name, bytes: bytes.length, sha256: sha256, content_type: type });
		}
	}
	await service.queue.jobs.transition(id, ['queued'], 'running', { attempt: 2 });
	await service.queue.jobs.transition(id, ['running'], status, { artifacts });
	return id;
}

const fetchModel = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
	service.app.inject({ method, url: `${path}/artifacts/model.onnx`, headers });

describe('the artifacts of a job', () => {
	it('are listed with size and hash', async () => {
		const list = (await service.app.inject(`${path}/artifacts`)).json();
		expect(list).toMatchObject({ object: 'list', has_more: false });
		expect(list.data[0]).toEqual({ name: 'model.onnx', bytes: 1000, sha256: TAG.slice(1, -1), content_type: 'application/octet-stream' });
	});

	it('are downloaded whole, and the model also under its own path', async () => {
		for (const url of [`${path}/artifacts/model.onnx`, `${path}/model`]) {
			const response = await service.app.inject(url);
			expect(response.statusCode).toBe(200);
			expect(response.rawPayload.equals(MODEL)).toBe(true);
			expect(response.headers).toMatchObject({
				etag: TAG,
				'content-length': '1000',
				'accept-ranges': 'bytes',
				'content-type': 'application/octet-stream',
				'content-disposition': 'attachment; filename="model.onnx"',
			});
		}
		expect((await service.app.inject(`${path}/artifacts/empty.txt`)).rawPayload).toHaveLength(0);
	});

	it('answer HEAD with their headers alone', async () => {
		const response = await fetchModel({}, 'HEAD');
		expect([response.statusCode, response.headers['content-length'], response.headers.etag, response.body]).toEqual([200, '1000', TAG, '']);
	});

	it('are not sent to who has them', async () => {
		const response = await fetchModel({ 'if-none-match': TAG });
		expect([response.statusCode, response.body, response.headers.etag]).toEqual([304, '', TAG]);
		expect((await fetchModel({ 'if-none-match': '"other"' })).statusCode).toBe(200);
	});

	it('are fetched from where they lie by who asks for that, where the store gives an address', async () => {
		for (const url of [`${path}/artifacts/model.onnx?redirect=true`, `${path}/model?redirect=true`]) {
			const own = await service.app.inject(url);
			expect([own.statusCode, own.rawPayload.equals(MODEL)]).toEqual([200, true]);
			const address = 'https://bucket.example.org/signed';
			const presign = vi.spyOn(service.store, 'presign').mockResolvedValue(address);
			try {
				const sent = await service.app.inject(url);
				expect([sent.statusCode, sent.headers.location, sent.headers['cache-control'], sent.body]).toEqual([307, address, 'no-store', '']);
				expect(presign).toHaveBeenCalledWith(expect.stringMatching(/attempts\/2\/model\.onnx$/), { seconds: 300, filename: 'model.onnx' });
				expect((await service.app.inject({ url, method: 'HEAD' })).statusCode).toBe(200);
				expect((await service.app.inject(url.replace('true', 'false'))).statusCode).toBe(200);
				expect((await service.app.inject({ url, headers: { 'if-none-match': TAG } })).statusCode).toBe(304);
			} finally {
				presign.mockRestore();
			}
		}
	});

	it('are sent in part, so that a download can go on', async () => {
		const response = await fetchModel({ range: 'bytes=990-', 'if-range': TAG });
		expect([response.statusCode, response.headers['content-range'], response.headers['content-length']]).toEqual([
			206,
			'bytes 990-999/1000',
			'10',
		]);
		expect(response.rawPayload.equals(MODEL.subarray(990))).toBe(true);
		expect((await fetchModel({ range: 'bytes=3-3' })).rawPayload).toEqual(MODEL.subarray(3, 4));
		expect((await fetchModel({ range: 'bytes=990-', 'if-range': '"older"' })).rawPayload).toHaveLength(1000);
	});

	it('have no part past their end', async () => {
		const response = await fetchModel({ range: 'bytes=1000-' });
		expectProblem(response, 416, 'range_not_satisfiable', 'range');
		expect(response.headers['content-range']).toBe('bytes */1000');
		expect(response.headers.etag).toBeUndefined();
	});

	it('that do not exist are not found, nor is what else lies in the folder', async () => {
		for (const name of ['nothing.txt', '..%2f..%2fjob.json', 'checkpoints', '%2e%2e']) {
			expectProblem(await service.app.inject(`${path}/artifacts/${name}`), 404, 'not_found', name === '%2e%2e' ? undefined : 'name');
		}
	});

	it('are not ready before the job has ended, and a model never where it failed', async () => {
		const { id } = await addJob(service.app, dataset);
		for (const url of ['model', 'artifacts/model.onnx', 'artifacts/report.json']) {
			expectProblem(await service.app.inject(`/v1/jobs/${id}/${url}`), 409, 'artifact_not_ready', 'name');
		}
		expect((await service.app.inject(`/v1/jobs/${id}/artifacts`)).json().data).toEqual([]);
		const failed = await endedJob('failed', false);
		expectProblem(await service.app.inject(`/v1/jobs/${failed}/model`), 409, 'artifact_not_ready');
		expectProblem(await service.app.inject(`/v1/jobs/${failed}/artifacts/report.json`), 404, 'not_found');
	});

	it('hold the curves once they are written', async () => {
		expect((await service.app.inject(`${path}/metrics`)).json()).toEqual(CURVES);
	});
});
