import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
