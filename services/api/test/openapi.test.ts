import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ready } from './report.js';
import { addDataset, addJob, addModel, judgeModels, openService, type Service } from './service.js';

type Operation = {
	summary?: string;
	parameters?: { name: string; in: string; required?: boolean }[];
	requestBody?: { content: Record<string, { schema: object }> };
	responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
};
type Document = {
	openapi: string;
	info: { title: string; version: string };
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, object> };
};

let service: Service;
let document: Document;
beforeAll(async () => {
	service = await openService();
	document = (await service.app.inject('/openapi.json')).json();
});
afterAll(() => service.close());

const operations = () =>
	Object.entries(document.paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
	);

describe('the OpenAPI document', () => {
	it('is of version 3.1 and has every public route', () => {
		expect(document.openapi).toMatch(/^3\.1\./);
		expect(document.info).toMatchObject({ title: 'Steelyard', version: expect.stringMatching(/^\d/) });
		expect(
			operations()
				.map(({ method, path }) => `${method} ${path}`)
				.sort(),
		).toEqual([
			'delete /v1/datasets/{id}',
			'delete /v1/models/{id}',
			'get /healthz',
			'get /readyz',
			'get /v1/datasets',
			'get /v1/datasets/{id}',
			'get /v1/jobs',
			'get /v1/jobs/{id}',
			'get /v1/jobs/{id}/artifacts',
			'get /v1/jobs/{id}/artifacts/{name}',
			'get /v1/jobs/{id}/events',
			'get /v1/jobs/{id}/metrics',
			'get /v1/jobs/{id}/model',
			'get /v1/models',
			'get /v1/models/{id}',
			'head /v1/jobs/{id}/artifacts/{name}',
			'head /v1/jobs/{id}/model',
			'post /v1/datasets',
			'post /v1/jobs',
			'post /v1/jobs/{id}/cancel',
			'post /v1/models',
		]);
	});

	it('names every parameter of every path, and says what each answer is', () => {
		for (const { path, method, operation } of operations()) {
			const named = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map(({ name }) => name);
			expect(named.sort(), `${method} ${path}`).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());
			expect(operation.summary, `${method} ${path}`).toEqual(expect.any(String));
			expect(Object.keys(operation.responses).length).toBeGreaterThan(0);
			for (const [status, { description, content }] of Object.entries(operation.responses)) {
				expect(description.length, `${method} ${path} ${status}`).toBeGreaterThan(0);
				if (Number(status) >= 400 && path.startsWith('/v1/')) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
			}
		}
	});

	it('has references that lead somewhere and schemas that are JSON Schema 2020-12', () => {
		const text = JSON.stringify(document);
		const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference ?? '');
		expect(references.length).toBeGreaterThan(20);
		for (const reference of references)
			expect(Object.keys(document.components.schemas)).toContain(/^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1]);
		const ajv = new Ajv2020({ strict: false });
		ajv.addSchema(document, 'document');
		for (const name of Object.keys(document.components.schemas)) ajv.compile({ $ref: `document#/components/schemas/${name}` });
	});

	it('describes the answers as they come', async () => {
		const ajv = new Ajv2020({ strict: false });
		ajv.addSchema(document, 'document');
		const fits = (name: string, value: unknown) => {
			const check = ajv.compile({ $ref: `document#/components/schemas/${name}` });
			expect(check(value), `${name}: ${JSON.stringify(check.errors)}`).toBe(true);
		};
		const dataset = await addDataset(service.app);
		fits('Dataset', (await service.app.inject(`/v1/datasets/${dataset}`)).json());
		const model = await addModel(service.app);
		fits('Model', (await service.app.inject(`/v1/models/${model}`)).json());
		const judging = await judgeModels(service.queue, () => ready);
		await vi.waitFor(async () => expect((await service.app.inject(`/v1/models/${model}`)).json().status).toBe('ready'));
		await judging.close(1000);
		fits('Model', (await service.app.inject(`/v1/models/${model}`)).json());
		const custom = { family: 'custom', model, inputs: { labs: 'labs', text: 'text' }, output: 'y' };
		fits('Job', await addJob(service.app, dataset, { model: custom }));
		expect(document.components.schemas['JobSpec']).toMatchObject({
			properties: { model: { anyOf: [{}, {}, {}, {}], discriminator: { propertyName: 'family' } } },
		});
		const job = await addJob(service.app, dataset);
		fits('Job', job);
		fits('JobSpec', job.spec);
		fits('Readiness', (await service.app.inject('/readyz')).json());
		fits('Problem', (await service.app.inject('/v1/jobs/job_0')).json());
		fits('JobCurves', (await service.app.inject(`/v1/jobs/${job.id}/metrics`)).json());
		await service.app.inject({ method: 'POST', url: `/v1/jobs/${job.id}/cancel` });
		for (const event of (await service.app.inject(`/v1/jobs/${job.id}/events`)).json().data) fits('JobEvent', event);
	});
});
