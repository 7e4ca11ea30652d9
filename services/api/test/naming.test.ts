import { datasetKeys, modelKeys } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { datasetArchive } from './archive.js';
import { FORM, type FormPart, form } from './form.js';
import { addDataset, addJob, addModel, expectProblem, openService, type Service } from './service.js';

let service: Service;
let dataset: string;
let archive: Buffer;
beforeAll(async () => {
	service = await openService();
	dataset = await addDataset(service.app);
	archive = await datasetArchive('binary');
});
afterAll(() => service.close());

type Named = { id: string; name?: string; metadata: Record<string, string> };
const patch = (url: string, payload: object) => service.app.inject({ method: 'PATCH', url, payload });
const get = async (url: string) => (await service.app.inject(url)).json();

/** What is called something, and how one is made. A job has its name and its metadata in its spec. */
const KINDS: readonly [string, { make: () => Promise<string>; isFor?: string; named: (resource: never) => Named }][] = [
	['datasets', { make: () => addDataset(service.app), named: (one: Named) => one }],
	['models', { make: () => addModel(service.app), named: (one: Named) => one }],
	[
		'jobs',
		{ make: async () => (await addJob(service.app, dataset)).id, named: ({ id, spec }: { id: string; spec: Named }) => ({ ...spec, id }) },
	],
];

describe.each(KINDS)('the names and metadata of %s', (plural, { make, named }) => {
	const read = async (id: string) => named((await get(`/v1/${plural}/${id}`)) as never);

	it('are changed by key, where null removes one, and answered as they then are', async () => {
		const id = await make();
		const url = `/v1/${plural}/${id}`;
		const answers = [
			await patch(url, { name: 'Ward 3, night', metadata: { ward: '3', shift: 'night' } }),
			await patch(url, { metadata: { ward: '4', who: 'Ann' } }),
			await patch(url, { metadata: { shift: null, absent: null } }),
			await patch(url, {}),
		];
		for (const answer of answers) expect(answer.statusCode, answer.body).toBe(200);
		expect(answers.map((answer) => named(answer.json() as never).metadata)).toEqual([
			{ ward: '3', shift: 'night' },
			{ ward: '4', shift: 'night', who: 'Ann' },
			{ ward: '4', who: 'Ann' },
			{ ward: '4', who: 'Ann' },
		]);
		expect(await read(id)).toMatchObject({ name: 'Ward 3, night', metadata: { ward: '4', who: 'Ann' } });
		expect(await get(url)).toEqual(answers.at(-1)?.json());
		const list = await get(`/v1/${plural}`);
		expect(named(list.data.find((one: Named) => one.id === id) as never)).toMatchObject({
			name: 'Ward 3, night',
			metadata: { ward: '4', who: 'Ann' },
		});
	});

	it('are all kept where many change at the same moment', async () => {
		const id = await make();
		await Promise.all(Array.from({ length: 8 }, (_, i) => patch(`/v1/${plural}/${id}`, { metadata: { [`key ${i}`]: String(i) } })));
		expect(Object.keys((await read(id)).metadata).sort()).toEqual(Array.from({ length: 8 }, (_, i) => `key ${i}`));
	});

	it.each<[object, string]>([
		[{ name: '' }, 'name'],
		[{ name: 'x'.repeat(201) }, 'name'],
		[{ name: 'two\nlines' }, 'name'],
		[{ name: 3 }, 'name'],
		[{ metadata: { a: 1 } }, 'metadata.a'],
		[{ metadata: { a: 'x'.repeat(513) } }, 'metadata.a'],
		[{ metadata: { ['k'.repeat(65)]: 'x' } }, 'metadata'],
		[{ metadata: null }, 'metadata'],
		[{ status: 'ready' }, 'status'],
		[{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'x'])) }, 'metadata'],
	])('are not changed to %j', async (change, param) => {
		const id = await make();
		const before = await read(id);
		expectProblem(await patch(`/v1/${plural}/${id}`, change), 400, 'invalid_request', param);
		expect(await read(id)).toEqual(before);
	});

	it('of what is not there are not changed', async () => {
		for (const id of [`${(await make()).split('_')[0]}_0`, 'nothing'])
			expectProblem(await patch(`/v1/${plural}/${id}`, { name: 'x' }), 404, 'not_found', 'id');
	});

	it('are changed with a line in the audit log', async () => {
		const id = await make();
		await patch(`/v1/${plural}/${id}`, { name: 'x' });
		await vi.waitFor(async () =>
			expect((await get('/v1/audit?limit=1')).data).toMatchObject([
				{ operation: `update${plural[0]?.toUpperCase()}${plural.slice(1, -1)}`, resource: id, method: 'PATCH', status: 200 },
			]),
		);
	});
});

describe('a job', () => {
	it('is posted with a name, which null takes away', async () => {
		const { id, spec } = await addJob(service.app, dataset, { name: 'first try' });
		expect(spec.name).toBe('first try');
		const answer = await patch(`/v1/jobs/${id}`, { name: null });
		expect(answer.json().spec).not.toHaveProperty('name');
		expectProblem(
			await service.app.inject({ method: 'POST', url: '/v1/jobs', payload: { dataset, name: '' } }),
			400,
			'invalid_request',
			'name',
		);
	});

	it('is the answer to a repeated post also after it was renamed', async () => {
		const post = () =>
			service.app.inject({ method: 'POST', url: '/v1/jobs', headers: { 'idempotency-key': 'named' }, payload: { dataset, name: 'a' } });
		const { id } = (await post()).json();
		await patch(`/v1/jobs/${id}`, { name: 'b' });
		expect((await post()).json()).toMatchObject({ id, spec: { name: 'b' } });
	});
});

const upload = (plural: string, query: string, payload: Buffer | string, type = 'application/octet-stream') =>
	service.app.inject({ method: 'POST', url: `/v1/${plural}${query}`, headers: { 'content-type': type }, payload });

describe.each([
	['datasets', 'ward.zip', 'small binary', () => archive, datasetKeys],
	['models', 'net.onnx', 'net.onnx', () => Buffer.from('a model'), modelKeys],
] as const)('an upload of %s', (plural, filename, itsOwn, bytes, keys) => {
	const file = (): FormPart => ({ name: 'file', filename, content: bytes() });

	it('is named by its query, and has the metadata of it', async () => {
		const answer = await upload(plural, `?filename=${filename}&name=Ward%203&metadata[a]=1&metadata%5Bb%20c%5D=%C3%A4`, bytes());
		expect(answer.json()).toMatchObject({ name: 'Ward 3', metadata: { a: '1', 'b c': 'ä' } });
		expect(await get(`/v1/${plural}/${answer.json().id}`)).toMatchObject({ name: 'Ward 3', metadata: { a: '1', 'b c': 'ä' } });
	});

	it.each<[string, () => FormPart[]]>([
		['before the file', () => [{ name: 'name', content: 'Ward 3' }, { name: 'metadata[a]', content: '1' }, file()]],
		['after it', () => [file(), { name: 'name', content: 'Ward 3' }, { name: 'metadata[a]', content: '1' }]],
		[
			'in one part of JSON',
			() => [{ name: 'metadata', type: 'application/json', content: '{"a": "1"}' }, { name: 'name', content: 'Ward 3' }, file()],
		],
	])('is named by the fields of a form %s', async (_, parts) => {
		const answer = await upload(plural, '', form(...parts()), FORM);
		expect(answer.json(), answer.body).toMatchObject({ name: 'Ward 3', metadata: { a: '1' } });
	});

	it('may have as much metadata as there may be, of the longest characters', async () => {
		const entries = Array.from(
			{ length: 16 },
			(_, i): FormPart => ({
				name: `metadata[${String(i).padStart(2, '0')}${'😀'.repeat(31)}]`,
				content: '😀'.repeat(256),
			}),
		);
		const answer = await upload(plural, '', form(...entries, { name: 'name', content: '😀'.repeat(100) }, file()), FORM);
		expect(answer.json().name, answer.body).toBe('😀'.repeat(100));
		expect(Object.values(answer.json().metadata)).toEqual(entries.map(({ content }) => content));
	});

	it('without either is called as before, without metadata', async () => {
		expect((await upload(plural, `?filename=${filename}`, bytes())).json()).toMatchObject({ name: itsOwn, metadata: {} });
	});

	it.each<[string, () => ReturnType<typeof upload>, string]>([
		['an empty name', () => upload(plural, `?filename=${filename}&name=`, bytes()), 'name'],
		['two names', () => upload(plural, `?filename=${filename}&name=a&name=b`, bytes()), 'name'],
		['two entries of one name', () => upload(plural, `?filename=${filename}&metadata[a]=b&metadata[a]=c`, bytes()), 'metadata.a'],
		['an entry that is too long', () => upload(plural, `?filename=${filename}&metadata[a]=${'x'.repeat(513)}`, bytes()), 'metadata.a'],
		['an entry of the prototype', () => upload(plural, `?filename=${filename}&metadata[__proto__]=x`, bytes()), 'metadata'],
		['metadata that are a text', () => upload(plural, `?filename=${filename}&metadata=x`, bytes()), 'metadata'],
		['a name beside a form', () => upload(plural, '?name=a', form(file()), FORM), 'name'],
		['a field that is not known', () => upload(plural, '', form(file(), { name: 'colour', content: 'red' }), FORM), 'colour'],
		['a name that is a file', () => upload(plural, '', form({ ...file(), name: 'name' }), FORM), 'name'],
		[
			'a field that is cut',
			() => upload(plural, '', form({ name: 'metadata[a]', content: 'x'.repeat(2 ** 18 + 1) }, file()), FORM),
			'metadata[a]',
		],
		[
			'a name twice in a form',
			() => upload(plural, '', form({ name: 'name', content: 'a' }, { name: 'name', content: 'b' }, file()), FORM),
			'name',
		],
	])('with %s is refused', async (_, send, param) => {
		const before = await get(`/v1/${plural}?limit=100`);
		expectProblem(await send(), 400, 'invalid_request', param);
		expect(await get(`/v1/${plural}?limit=100`)).toEqual(before);
	});

	it('that an earlier version kept has no metadata, and can be renamed', async () => {
		const { id } = (await upload(plural, `?filename=${filename}`, bytes())).json();
		for (const key of [keys.record(id), datasetKeys.listed(id)]) {
			const { metadata: _, ...before } = JSON.parse(String((await service.store.get(key)) ?? '{}'));
			if ((await service.store.stat(key)) !== null) await service.store.put(key, JSON.stringify(before));
		}
		expect(await get(`/v1/${plural}/${id}`)).toMatchObject({ name: itsOwn, metadata: {} });
		await patch(`/v1/${plural}/${id}`, { metadata: { a: '1' } });
		// Another process that reads the same store sees it too.
		const other = await service.build({});
		expect((await other.inject(`/v1/${plural}/${id}`)).json()).toMatchObject({ name: itsOwn, metadata: { a: '1' } });
	});
});
