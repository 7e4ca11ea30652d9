import type { FoundList } from '@steelyard/contracts';
import { idsFrom } from '@steelyard/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageOf } from '../src/resources/page.js';
import { addDataset, addJob, addModel, expectProblem, openService, type Service } from './service.js';

let service: Service;
let newest: Record<string, string[]>;
beforeAll(async () => {
	service = await openService();
	const { app } = service;
	const made = async (make: (i: number) => Promise<string>) => [await make(0), await make(1), await make(2), await make(3)].reverse();
	const datasets = await made(() => addDataset(app));
	newest = {
		datasets,
		models: await made((i) => addModel(app, `model ${i}`)),
		jobs: await made(async () => (await addJob(app, datasets[0] as string)).id),
	};
});
afterAll(() => service.close());

const page = async (url: string): Promise<{ data: { id: string }[]; has_more: boolean }> => (await service.app.inject(url)).json();

describe.each([
	['datasets', 'ds'],
	['models', 'mdl'],
	['jobs', 'job'],
])('the pages of %s', (plural, kind) => {
	it.each([1, 2, 3, 4, 5])('of %i have each of them once, and end without an empty one', async (limit) => {
		const found: string[] = [];
		for (let after = ''; ; after = `&after=${found.at(-1)}`) {
			const { data, has_more } = await page(`/v1/${plural}?limit=${limit}${after}`);
			expect(data.length).toBeGreaterThan(0);
			found.push(...data.map(({ id }) => id));
			expect(has_more).toBe(found.length < 4);
			if (!has_more) break;
		}
		expect(found).toEqual(newest[plural]);
	});

	it.each(['000', 'zzzzzzzzzzzzzzzzzzzzzzzzzz'])('after what is not there are refused by name: %s', async (rest) => {
		const id = `${kind}_${rest}`;
		expect(expectProblem(await service.app.inject(`/v1/${plural}?after=${id}`), 400, 'invalid_request', 'after').detail).toContain(id);
	});
});

describe.each(['datasets', 'models', 'jobs'])('the list of %s', (plural) => {
	const ids = async (query: string) => (await page(`/v1/${plural}?${query}`)).data.map(({ id }) => id);

	it('has those that fit all that is asked, over pages too', async () => {
		const [last = '', third = '', second = '', first = ''] = newest[plural] ?? [];
		for (const [id, payload] of [
			[first, { name: 'Ward 3', metadata: { 'a b': '1', c: '2' } }],
			[second, { name: 'ward 4', metadata: { 'a b': '1' } }],
			[third, { name: 'other', metadata: { 'a b': '&=[]' } }],
			[last, { name: 'other ward' }],
		] as const)
			await service.app.inject({ method: 'PATCH', url: `/v1/${plural}/${id}`, payload });
		expect(await ids('name=WARD')).toEqual([last, second, first]);
		expect(await ids('name=ward&limit=2')).toEqual([last, second]);
		expect(await ids(`name=ward&limit=2&after=${second}`)).toEqual([first]);
		expect(await ids('metadata[a%20b]=1')).toEqual([second, first]);
		expect(await ids('metadata%5Ba+b%5D=1&metadata[c]=2')).toEqual([first]);
		expect(await ids(`metadata[a b]=${encodeURIComponent('&=[]')}`)).toEqual([third]);
		expect(await ids('name=ward&metadata[c]=3')).toEqual([]);
		const now = Math.floor(Date.now() / 1000);
		expect(await ids(`created_after=${now - 3600}&created_before=${now + 3600}`)).toEqual(newest[plural]);
		expect(await ids(`created_after=${now + 3600}`)).toEqual([]);
		expect(await ids(`created_before=${now - 3600}`)).toEqual([]);
		expect(await page(`/v1/${plural}?name=ward&limit=3`)).toMatchObject({ has_more: false, next: null });
		expect(await page(`/v1/${plural}?name=ward&limit=1`)).toMatchObject({ has_more: true, next: last });
	});

	it.each([
		['name=', 'name'],
		[`name=${'x'.repeat(201)}`, 'name'],
		['name=a&name=b', 'name'],
		['metadata=a', 'metadata'],
		['metadata[a]=b&metadata[a]=c', 'metadata.a'],
		[Array.from({ length: 17 }, (_, i) => `metadata[${i}]=x`).join('&'), 'metadata'],
		[`metadata[${'k'.repeat(65)}]=x`, 'metadata'],
		['metadata[__proto__]=x', 'metadata'],
		['colour[a]=x', 'colour[a]'],
		['created_after=yesterday', 'created_after'],
		['created_before=-1', 'created_before'],
		['created_before=1e300', 'created_before'],
		['limit[a]=3', 'limit[a]'],
	])('is not asked for by %s', async (query, param) => {
		expectProblem(await service.app.inject(`/v1/${plural}?${query}`), 400, 'invalid_request', param);
	});
});

describe('the list of jobs', () => {
	const statuses = async (query: string) =>
		(await service.app.inject(`/v1/jobs?${query}`)).json().data.map(({ status }: { status: string }) => status);

	it('has those of one of several statuses, and of a dataset', async () => {
		const { id } = await addJob(service.app, newest['datasets']?.[1] as string);
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${id}/cancel` });
		expect(await statuses('status=cancelled')).toEqual(['cancelled']);
		expect(await statuses('status=cancelled&status=queued')).toEqual(['cancelled', 'queued', 'queued', 'queued', 'queued']);
		expect((await page(`/v1/jobs?dataset=${newest['datasets']?.[1]}`)).data).toMatchObject([{ id }]);
		expect(await statuses('order=asc')).toEqual(['queued', 'queued', 'queued', 'queued', 'cancelled']);
		expect(await statuses('sort=validation.accuracy&order=asc')).toHaveLength(5);
	});

	it.each([
		['status=done', 'status.0'],
		['status=', 'status.0'],
		[Array.from({ length: 7 }, () => 'status=queued').join('&'), 'status'],
		['dataset=job_1', 'dataset'],
		['sort=accuracy', 'sort'],
		['sort=', 'sort'],
		[`sort=test.${'x'.repeat(300)}`, 'sort'],
		['order=down', 'order'],
	])('is not asked for by %s', async (query, param) => {
		const { detail } = expectProblem(await service.app.inject(`/v1/jobs?${query}`), 400, 'invalid_request', param);
		if (param === 'sort' && query.length < 100) expect(detail).toContain('sort must be created, or a metric with its split');
	});
});

describe('a page of what lies in the store', () => {
	it('looks at so many resources and no more, says where it goes on, and misses none', async () => {
		const made = (i: number) => ({ id: `mdl_${'0'.repeat(25)}${i}`, name: i < 2 ? 'wanted' : 'other', created_at: i });
		const all = Array.from({ length: 9 }, (_, i) => made(i));
		const store = { ...service.store, list: async () => all.map(({ id }) => `models/${id}/`) };
		const looked: string[] = [];
		const find = async (id: string) => {
			looked.push(id);
			// A folder that is no resource of the project counts for nothing.
			return id === made(5).id ? null : (all.find((one) => one.id === id) ?? null);
		};
		const names: string[][] = [];
		const counts: number[] = [];
		for (let after: string | null = null; ; ) {
			looked.length = 0;
			const { data, next, has_more }: FoundList<{ name: string }> = await pageOf(
				store,
				'mdl',
				{ limit: 5, name: 'WANT', ...(after === null ? {} : { after }) },
				find,
				4,
			);
			counts.push(looked.length);
			names.push(data.map(({ name }) => name));
			expect(has_more).toBe(next !== null);
			if (next === null) break;
			after = next;
		}
		expect(names).toEqual([[], ['wanted', 'wanted']]);
		// Beside four of the project, one that is none in the first page, and what the second follows after.
		expect(counts).toEqual([5, 5]);
	});

	it('does not look at what was made at another time', async () => {
		const day = 24 * 60 * 60;
		const ids = [1, 5, 9].map((days) => `${idsFrom('mdl', days * day * 1000)}${'0'.repeat(16)}`);
		const store = { ...service.store, list: async () => ids.map((id) => `models/${id}/`) };
		const looked: string[] = [];
		const find = async (id: string) => {
			looked.push(id);
			return { id, name: 'x', created_at: 5 * day };
		};
		await pageOf(store, 'mdl', { limit: 5, created_after: 4 * day, created_before: 6 * day }, find);
		expect(looked).toEqual([ids[1]]);
	});
});
