import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatasetResource, parse, TablePreview } from '@steelyard/contracts';
import { datasetKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datasetArchive, zip } from './archive.js';
import { FORM, type FormPart, form } from './form.js';
import { expectProblem, openService, type Service } from './service.js';

let service: Service;
beforeAll(async () => {
	service = await openService({ uploadLimit: 200_000 });
});
afterAll(() => service.close());

const ROWS = 60;
const csv = `age,ward,note,died\n${Array.from({ length: ROWS }, (_, row) => `${20 + ((row * 7) % 50)},${'ABC'[row % 3]},"seen, on day ${row % 7} with ${row % 2 ? 'fever' : 'a cough'} again",${row % 4 === 0 ? 'yes' : 'no'}\n`).join('')}`;

const upload = (payload: Buffer | string, query: Record<string, string>, type = 'application/octet-stream', url = '/v1/datasets') =>
	service.app.inject({ method: 'POST', url, query, headers: { 'content-type': type }, payload });
const preview = (payload: Buffer | string, query: Record<string, string>) =>
	upload(payload, query, 'application/octet-stream', '/v1/table-previews');
const uploadForm = (parts: readonly FormPart[], query: Record<string, string> = {}) => upload(form(...parts), query, FORM);
const file = { name: 'file', filename: 'ward.csv', content: csv };
const manifest = { label: 'died', columns: { labs: ['age'], words: { text: 'note' } }, split: { test: 0.25 } };

describe('a table', () => {
	it.each([
		['raw bytes', () => upload(csv, { filename: 'ward.csv', label: 'died' })],
		['a raw body of its type', () => upload(csv, { label: 'died', name: 'ward' }, 'text/csv; charset=utf-8')],
		['a form', () => uploadForm([{ name: 'label', content: 'died' }, file])],
		['a form whose file comes first', () => uploadForm([file, { name: 'label', content: 'died' }])],
	])('as %s becomes a dataset, and says what its columns are', async (_, send) => {
		const response = await send();
		expect(response.statusCode, response.body).toBe(201);
		const dataset = parse(DatasetResource, response.json());
		expect(dataset).toMatchObject({
			name: 'ward',
			task: { type: 'binary', classes: ['no', 'yes'] },
			splits: { train: { rows: 48 }, test: { rows: 12, labels: { no: 9, yes: 3 } } },
			table: {
				rows: ROWS,
				delimiter: ',',
				label: 'died',
				standard: false,
				columns: [
					{ name: 'age', role: 'feature', kind: 'number', modality: 'numbers', missing: 0, distinct: 50, examples: ['20', '27', '34'] },
					{ name: 'ward', kind: 'category', modality: 'categories' },
					{ name: 'note', kind: 'text', modality: 'note' },
					{ name: 'died', role: 'label' },
				],
			},
			manifest: { label: 'died' },
		});
		expect(Object.keys(dataset.modalities)).toEqual(['numbers', 'categories', 'note']);
		expect((await service.app.inject(`/v1/datasets/${dataset.id}`)).json()).toEqual(dataset);
		expect(await readdir(service.store.path(datasetKeys.folder(dataset.id)))).toContain('features.onnx');
		expect(await readdir(join(service.home, 'uploads')).catch(() => [])).toEqual([]);
	});

	it('is read as its manifest says, beside the file or in an archive', async () => {
		const beside = await uploadForm([{ name: 'manifest', content: JSON.stringify(manifest) }, file]);
		const within = await upload(await zip({ 'data/ward.csv': Buffer.from(csv), 'data/manifest.json': JSON.stringify(manifest) }), {
			filename: 'ward.zip',
		});
		for (const response of [beside, within]) {
			expect(response.statusCode, response.body).toBe(201);
			expect(response.json()).toMatchObject({ modalities: { labs: { shape: [1] }, words: {} }, splits: { test: { rows: 15 } }, manifest });
		}
		expect(within.json().sha256).toBe(beside.json().sha256);
	});

	it('has several labels where the label is a pattern of columns', async () => {
		const [head = '', ...lines] = csv.trim().split('\n');
		const several = [
			`${head.replace('died', 'finding_died')},finding_b`,
			...lines.map((line, row) => `${line},${row % 3 === 0 ? 1 : 0}`),
		].join('\n');
		const query = { filename: 'ward.csv', label: 'finding_*' };
		const task = { type: 'multilabel', classes: ['finding_died', 'finding_b'] };
		const response = await upload(several, query);
		expect(response.statusCode, response.body).toBe(201);
		expect(parse(DatasetResource, response.json())).toMatchObject({ task, table: { label: task.classes } });
		expect(parse(TablePreview, (await preview(several, query)).json())).toMatchObject({ task, label: task.classes });
		expectProblem(await upload(csv, { ...query, label: 'finding_*' }), 422, 'invalid_dataset', 'manifest.label');
	});

	it('is only looked at for a preview', async () => {
		const before = (await service.app.inject('/v1/datasets')).json();
		const response = await preview(csv, { filename: 'ward.csv', label: 'died' });
		expect(response.statusCode, response.body).toBe(200);
		expect(parse(TablePreview, response.json())).toMatchObject({
			object: 'table_preview',
			rows: ROWS,
			task: { type: 'binary' },
			columns: [{ name: 'age', kind: 'number', modality: 'numbers' }, {}, {}, {}],
		});
		expect((await service.app.inject('/v1/datasets')).json()).toEqual(before);
		expectProblem(await preview(await datasetArchive('binary'), { filename: 'a.zip' }), 400, 'invalid_request', 'file');
	});

	it('that cannot be read is refused with what was expected', async () => {
		expectProblem(await upload(csv, { filename: 'ward.csv' }), 422, 'invalid_dataset', 'label');
		expectProblem(await upload(csv, { filename: 'ward.csv', label: 'x' }), 422, 'invalid_dataset', 'manifest.label');
		expectProblem(await upload(csv, { filename: 'ward.csv', manifest: '{"label": 1}' }), 422, 'invalid_dataset', 'manifest.label');
		expectProblem(await upload(csv, { filename: 'ward.csv', manifest: '{"label' }), 422, 'invalid_dataset', 'manifest');
		expectProblem(await upload('a,b\n1\n', { filename: 'ward.csv', label: 'a' }), 422, 'invalid_dataset', 'ward.csv');
		expectProblem(await upload('x', { filename: 'ward.parquet', label: 'a' }), 422, 'invalid_dataset', 'ward.parquet');
		expectProblem(await upload(csv, { filename: 'ward.xlsx' }), 400, 'invalid_request', 'filename');
		expectProblem(await upload(await datasetArchive('binary'), { filename: 'a.zip', label: 'x' }), 400, 'invalid_request', 'label');
		expectProblem(
			await upload(await zip({ 'a.csv': csv, 'manifest.json': '{}' }), { filename: 'a.zip', manifest: '{}' }),
			400,
			'invalid_request',
			'manifest',
		);
		expectProblem(
			await upload(await zip({ 'a.csv': csv, 'b.csv': csv }), { filename: 'a.zip', label: 'died' }),
			422,
			'invalid_dataset',
			'a.csv',
		);
	});
});
