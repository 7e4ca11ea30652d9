import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { DatasetResource, DatasetRows, parse } from '@steelyard/contracts';
import { datasetKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { datasetArchive, datasetFiles, zip } from './archive.js';
import { FORM, type FormPart, form } from './form.js';
import { addDataset, addJob, expectProblem, openService, type Service } from './service.js';

let service: Service;
let archive: Buffer;
beforeAll(async () => {
	service = await openService({ uploadLimit: 200_000 });
	archive = await datasetArchive('binary');
});
afterAll(() => service.close());

const upload = (payload: Buffer | string, type = 'application/zip', query = '') =>
	service.app.inject({ method: 'POST', url: `/v1/datasets${query}`, headers: { 'content-type': type }, payload });

const uploadForm = (...parts: FormPart[]) => upload(form(...parts), FORM);

/** What lies about of uploads that have ended. */
const leftovers = () => readdir(join(service.home, 'uploads')).catch(() => []);

describe('an upload', () => {
	it.each([
		['a raw zip', () => upload(archive)],
		['raw bytes with a name', () => upload(archive, 'application/octet-stream', '?filename=ward.ZIP')],
		['a form', () => uploadForm({ name: 'file', filename: 'ward.zip', content: archive })],
	])('as %s is validated and answered with the dataset', async (_, send) => {
		const response = await send();
		expect(response.statusCode, response.body).toBe(201);
		const dataset = parse(DatasetResource, response.json());
		expect(dataset).toMatchObject({ object: 'dataset', name: 'small binary', task: { type: 'binary' }, splits: { train: { rows: 12 } } });
		expect(Object.keys(dataset.modalities).sort()).toEqual(['labs', 'text']);
		expect(response.headers.location).toBe(`/v1/datasets/${dataset.id}`);
		expect((await service.app.inject(`/v1/datasets/${dataset.id}`)).json()).toEqual(dataset);
		expect(await leftovers()).toEqual([]);
	});

	it('as npz is validated too', async () => {
		const { 'manifest.json': _, ...arrays } = datasetFiles('binary');
		const response = await upload(await zip(arrays), 'application/octet-stream', '?filename=a.npz');
		expect(response.statusCode, response.body).toBe(201);
		expect(response.json()).toMatchObject({ manifest: null, name: 'a' });
	});

	it.each([
		['raw bytes', (file: Buffer) => upload(file, 'application/octet-stream', '?filename=ward%203.v2.zip'), 'ward 3.v2'],
		['raw bytes from a path', (file: Buffer) => upload(file, 'application/octet-stream', '?filename=data%2Fward.ZIP'), 'ward'],
		['a form', (file: Buffer) => uploadForm({ name: 'file', filename: 'ward.zip', content: file }), 'ward'],
		['a file without a name', (file: Buffer) => upload(file, 'application/octet-stream', '?filename=.zip'), 'dataset'],
		['bytes without a name', (file: Buffer) => upload(file), 'dataset'],
	])('as %s is called like its file where the manifest gives no name', async (_, send, name) => {
		const { 'manifest.json': __, ...arrays } = datasetFiles('binary');
		const { id } = (await send(await zip(arrays))).json();
		expect((await service.app.inject(`/v1/datasets/${id}`)).json().name).toBe(name);
	});

	it.each(['a\0b', 'x'.repeat(250), 'x'.repeat(3000), '😀'.repeat(70), '', '..', 'a\nb', '__proto__', 'constructor '])(
		'with a name that no file can have is refused: %#',
		async (name) => {
			const { 'manifest.json': _, ...files } = datasetFiles('binary');
			const modalities = JSON.stringify({ task: { type: 'binary' }, modalities: { [name]: {} } });
			expectProblem(await upload(await zip({ ...files, 'manifest.json': modalities })), 422, 'invalid_dataset', 'manifest.modalities');
			const splits = JSON.stringify({ task: { type: 'binary' }, splits: { [name]: {} } });
			expectProblem(await upload(await zip({ ...files, 'manifest.json': splits })), 422, 'invalid_dataset', 'manifest.splits');
			const group = JSON.stringify({ task: { type: 'binary' }, group: name });
			expectProblem(await upload(await zip({ ...files, 'manifest.json': group })), 422, 'invalid_dataset', 'manifest.group');
		},
	);

	it.each(['', 'a\nb', 'a\0b', '__proto__', 'x'.repeat(201), '\ud800'])(
		'with a class of a name that no line can have is refused: %#',
		async (name) => {
			const { 'manifest.json': _, ...files } = datasetFiles('binary');
			const manifest = JSON.stringify({ task: { type: 'binary', classes: ['no', name] } });
			const response = await upload(await zip({ ...files, 'manifest.json': manifest }));
			expectProblem(response, 422, 'invalid_dataset', 'manifest.task.classes.1');
		},
	);

	it('that is no dataset is refused with the words of the reader, and leaves nothing', async () => {
		const before = (await service.app.inject('/v1/datasets?limit=100')).json().data.length;
		const files = datasetFiles('binary');
		delete files['train_labels.npy'];
		expectProblem(await upload(await zip(files)), 422, 'invalid_dataset');
		expectProblem(await upload('this is no zip file at all'), 422, 'invalid_dataset');
		expectProblem(await upload(archive.subarray(0, archive.length - 30)), 422, 'invalid_dataset');
		expect(await leftovers()).toEqual([]);
		expect((await service.app.inject('/v1/datasets?limit=100')).json().data).toHaveLength(before);
	});

	it.each([
		['of another kind', () => upload(archive, 'application/octet-stream', '?filename=a.tar'), 400, 'invalid_request', 'filename'],
		['of bytes without a name', () => upload(archive, 'application/octet-stream'), 400, 'invalid_request', 'filename'],
		['with an unknown query', () => upload(archive, 'application/zip', '?file=a.zip'), 400, 'invalid_request', 'file'],
		['of an unknown type', () => upload(archive, 'application/x-tar'), 415, 'unsupported_media_type', 'content-type'],
		['of JSON', () => upload('{}', 'application/json'), 415, 'unsupported_media_type', 'content-type'],
		['that is empty', () => upload(''), 400, 'invalid_request', 'file'],
		['past the limit', () => upload(Buffer.alloc(200_001)), 413, 'too_large', 'file'],
		[
			'as a form past the limit',
			() => uploadForm({ name: 'file', filename: 'a.zip', content: Buffer.alloc(200_001) }),
			413,
			'too_large',
			'file',
		],
		['as a form without a file', () => uploadForm(), 400, 'invalid_request', 'file'],
		['as a form with a field', () => uploadForm({ name: 'note', content: 'x' }), 400, 'invalid_request', 'note'],
		['as a form with another file', () => uploadForm({ name: 'data', filename: 'a.zip', content: 'x' }), 400, 'invalid_request', 'data'],
		[
			'as a form that ends early',
			() => upload(form({ name: 'file', filename: 'a.zip', content: archive }).subarray(0, 300), FORM),
			400,
			'invalid_request',
			null,
		],
		['as a form without boundary', () => upload('x', 'multipart/form-data'), 400, 'invalid_request', null],
		['as a form with a named field of every object', () => uploadForm({ name: '__proto__', content: 'x' }), 400, 'invalid_request', null],
	])('%s is refused', async (_, send, status, code, param) => {
		expectProblem(await send(), status, code, param === null ? undefined : param);
		expect(await leftovers()).toEqual([]);
	});

	it('as a form with two files is refused and keeps neither', async () => {
		const before = (await service.app.inject('/v1/datasets?limit=100')).json().data.length;
		const response = await uploadForm(
			{ name: 'file', filename: 'a.zip', content: archive },
			{ name: 'file', filename: 'b.zip', content: archive },
		);
		expectProblem(response, 400, 'invalid_request', 'file');
		expect((await service.app.inject('/v1/datasets?limit=100')).json().data).toHaveLength(before);
	});

	it('past the limit is told so over a socket while its bytes still come', async () => {
		if (service.app.server.address() === null) await service.app.listen({ host: '127.0.0.1', port: 0 });
		const { port } = service.app.server.address() as AddressInfo;
		const upload = httpRequest({
			port,
			host: '127.0.0.1',
			method: 'POST',
			path: '/v1/datasets',
			headers: { 'content-type': 'application/zip' },
		});
		const answer = once(upload, 'response');
		for (let i = 0; i < 64; i++) upload.write(Buffer.alloc(100_000));
		upload.end();
		const [response] = await answer;
		expect(response.statusCode).toBe(413);
		response.resume();
		await once(response, 'end');
	});

	it('that breaks off leaves nothing', async () => {
		if (service.app.server.address() === null) await service.app.listen({ host: '127.0.0.1', port: 0 });
		const { port } = service.app.server.address() as AddressInfo;
		const socket = connect(port, '127.0.0.1');
		await once(socket, 'connect');
		socket.write('POST /v1/datasets HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/zip\r\ncontent-length: 1000\r\n\r\nPK');
		await vi.waitFor(async () => expect(await leftovers()).toHaveLength(1), { timeout: 10_000 });
		socket.destroy();
		await vi.waitFor(async () => expect(await leftovers()).toEqual([]), { timeout: 10_000 });
	});
});

describe('datasets', () => {
	it('are listed newest first, a page at a time', async () => {
		const ids = [await addDataset(service.app), await addDataset(service.app), await addDataset(service.app)];
		const first = (await service.app.inject('/v1/datasets?limit=2')).json();
		expect(first).toMatchObject({ object: 'list', has_more: true });
		expect(first.data.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]]);
		const next = (await service.app.inject(`/v1/datasets?limit=1&after=${ids[1]}`)).json();
		expect(next.data[0].id).toBe(ids[0]);
	});

	it('are listed without what is large, which each of them shows by itself', async () => {
		const classes = Array.from({ length: 2000 }, (_, i) => `${'class'.repeat(20)}${i}`);
		const manifest = {
			name: 'large',
			about: 'x'.repeat(100_000),
			task: { type: 'multiclass', classes },
			modalities: { labs: {}, text: {} },
		};
		const whole = (await upload(await zip({ ...datasetFiles('multiclass'), 'manifest.json': JSON.stringify(manifest) }))).json();
		expect(whole).toMatchObject({ manifest, task: { classes } });
		expect((await service.app.inject(`/v1/datasets/${whole.id}`)).json()).toEqual(whole);
		const list = await service.app.inject('/v1/datasets?limit=1');
		expect(list.body.length).toBeLessThan(2000);
		const [listed] = list.json().data;
		expect(parse(DatasetResource, listed)).toMatchObject({
			...{ id: whole.id, name: 'large', sha256: whole.sha256, manifest: null },
			task: { type: 'multiclass', classes: [], outputs: 2000 },
			splits: { train: { rows: 12, labels: {} } },
			modalities: { labs: { shape: [2], masked: false, missing: 0, dtype: 'float32' } },
		});
		await service.store.remove(datasetKeys.listed(whole.id));
		expect((await service.app.inject('/v1/datasets?limit=1')).json().data).toEqual([listed]);
	});

	it.each([
		['limit=0', 'limit'],
		['limit=101', 'limit'],
		['limit=many', 'limit'],
		['limit=1.5', 'limit'],
		['page=2', 'page'],
		['limit=1&limit=2', 'limit'],
	])('are not listed by %s', async (query, param) => {
		expectProblem(await service.app.inject(`/v1/datasets?${query}`), 400, 'invalid_request', param);
	});

	it('are listed where what a list shows of one is torn', async () => {
		const id = await addDataset(service.app);
		const listed = async () => (await service.app.inject('/v1/datasets?limit=1')).json().data;
		const before = await listed();
		await service.store.put(datasetKeys.listed(id), '{"id": ');
		expect(await listed()).toEqual(before);
	});

	it('that do not exist are not found', async () => {
		for (const id of ['ds_none', 'job_1', '..', '%2e%2e%2fjobs', 'DS_A']) {
			expectProblem(await service.app.inject(`/v1/datasets/${id}`), 404, 'not_found');
			expectProblem(await service.app.inject(`/v1/datasets/${id}/rows`), 404, 'not_found');
			expectProblem(await service.app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` }), 404, 'not_found');
		}
	});

	it('show the rows of a split by pages, also many at once', async () => {
		const id = await addDataset(service.app);
		const rows = async (query: string) => service.app.inject(`/v1/datasets/${id}/rows${query}`);
		const first = parse(DatasetRows, (await rows('')).json());
		expect(first).toMatchObject({ object: 'list', split: 'train', total: 12, kept: 12, left_out: [], has_more: false });
		expect(first.data.map(({ row }) => row)).toEqual([...Array(12).keys()]);
		const pages = await Promise.all([0, 5, 10].map((offset) => rows(`?offset=${offset}&limit=5`)));
		expect(pages.flatMap((page) => page.json().data)).toEqual(first.data);
		expect(pages.map((page) => page.json().has_more)).toEqual([true, true, false]);
		expectProblem(await rows('?split=nothing'), 400, 'invalid_request', 'split');
		for (const query of ['?limit=101', '?limit=0', '?offset=-1', '?from=1']) expectProblem(await rows(query), 400, 'invalid_request');
	});

	it('are deleted with their files once no job that has not ended uses them', async () => {
		const id = await addDataset(service.app);
		const job = await addJob(service.app, id);
		const remove = () => service.app.inject({ method: 'DELETE', url: `/v1/datasets/${id}` });
		expectProblem(await remove(), 409, 'dataset_in_use');
		expect((await service.app.inject(`/v1/datasets/${id}`)).statusCode).toBe(200);
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
		const removed = await remove();
		expect([removed.statusCode, removed.body]).toEqual([204, '']);
		expectProblem(await remove(), 404, 'not_found');
		expect((await service.app.inject(`/v1/jobs/${job.id}`)).json()).toMatchObject({ status: 'cancelled', spec: { dataset: id } });
		const again = await service.app.inject({ method: 'POST', url: '/v1/jobs', payload: job.spec });
		expect(expectProblem(again, 422, 'dataset_not_found', 'dataset').detail).toContain('it was deleted, or never existed');
		expect(await readdir(join(service.home, 'datasets'))).not.toContain(id);
	});
});
