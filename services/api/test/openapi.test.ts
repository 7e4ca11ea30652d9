import { readdir, readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { type Artifact, type List, ListOf, ProblemError, WEIGHTING_PRESETS } from '@steelyard/contracts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examples } from '../src/examples/examples.js';
import type { App } from '../src/fastify-app.js';
import { problemOf } from '../src/plugins/problems.js';
import { ref } from '../src/schemas/components.js';
import { refusals } from '../src/schemas/refusals.js';
import { checkerOf, type Document, eventsOf, operationsOf } from './document.js';
import { openService, type Service } from './service.js';

const ROOT = new URL('../../../', import.meta.url);

let service: Service;
let document: Document;
beforeAll(async () => {
	service = await openService();
	document = (await service.app.inject('/openapi.json')).json();
});
afterAll(() => service.close());

/** The JSON objects of a text that have `key` as their first field. */
function objectsOf(text: string, key: string): string[] {
	return [...text.matchAll(new RegExp(`\\{\\s*"${key}"`, 'g'))].map(({ index }) => {
		let depth = 0;
		for (let end = index; end < text.length; end++) {
			if (text[end] === '{') depth++;
			if (text[end] === '}' && --depth === 0) return text.slice(index, end + 1);
		}
		return expect.unreachable(`no end of ${text.slice(index, index + 80)}`);
	});
}

describe('the OpenAPI document', () => {
	it('is of version 3.1 and has every public route under a name that stays', () => {
		expect(document.openapi).toMatch(/^3\.1\./);
		expect(document.info).toMatchObject({ title: 'Steelyard', version: expect.stringMatching(/^\d/) });
		expect(
			operationsOf(document)
				.map(({ method, path, operation }) => `${method} ${path} ${operation.operationId}`)
				.sort(),
		).toEqual([
			'delete /v1/datasets/{id} deleteDataset',
			'delete /v1/jobs/{id} deleteJob',
			'delete /v1/keys/{id} revokeKey',
			'delete /v1/models/{id} deleteModel',
			'delete /v1/sweeps/{id} deleteSweep',
			'delete /v1/webhook deleteWebhook',
			'get /healthz getHealth',
			'get /readyz getReadiness',
			'get /v1/audit listAuditLines',
			'get /v1/caller getCaller',
			'get /v1/datasets listDatasets',
			'get /v1/datasets/{id} getDataset',
			'get /v1/datasets/{id}/rows listDatasetRows',
			'get /v1/job-changes watchJobs',
			'get /v1/jobs listJobs',
			'get /v1/jobs/{id} getJob',
			'get /v1/jobs/{id}/artifacts listArtifacts',
			'get /v1/jobs/{id}/artifacts/{name} downloadArtifact',
			'get /v1/jobs/{id}/events listJobEvents',
			'get /v1/jobs/{id}/logs getJobLogs',
			'get /v1/jobs/{id}/metrics getJobMetrics',
			'get /v1/jobs/{id}/model downloadModel',
			'get /v1/keys listKeys',
			'get /v1/models listModels',
			'get /v1/models/{id} getModel',
			'get /v1/sweeps listSweeps',
			'get /v1/sweeps/{id} getSweep',
			'get /v1/usage getUsage',
			'get /v1/webhook getWebhook',
			'patch /v1/datasets/{id} updateDataset',
			'patch /v1/jobs/{id} updateJob',
			'patch /v1/models/{id} updateModel',
			'post /v1/datasets createDataset',
			'post /v1/jobs createJob',
			'post /v1/jobs/{id}/cancel cancelJob',
			'post /v1/jobs/{id}/pause pauseJob',
			'post /v1/jobs/{id}/predict predictRows',
			'post /v1/jobs/{id}/resume resumeJob',
			'post /v1/keys createKey',
			'post /v1/models createModel',
			'post /v1/retention applyRetention',
			'post /v1/sweeps createSweep',
			'post /v1/sweeps/{id}/cancel cancelSweep',
			'post /v1/sweeps/{id}/pause pauseSweep',
			'post /v1/sweeps/{id}/resume resumeSweep',
			'post /v1/table-previews previewTable',
			'put /v1/webhook setWebhook',
		]);
	});

	it('names every parameter of every path, and says what each answer is', () => {
		for (const { path, method, operation } of operationsOf(document)) {
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
		const { schemas, headers } = document.components;
		const known = [...Object.keys(schemas).map((name) => `schemas/${name}`), ...Object.keys(headers).map((name) => `headers/${name}`)];
		for (const reference of references) expect(known).toContain(/^#\/components\/(\w+\/\w+)$/.exec(reference)?.[1]);
		const ajv = new Ajv2020({ strict: false });
		ajv.addSchema(document, 'document');
		for (const name of Object.keys(document.components.schemas)) ajv.compile({ $ref: `document#/components/schemas/${name}` });
	});

	it('shows the weighting as one schema per preset', () => {
		expect(document.components.schemas['JobSpec']).toMatchObject({
			properties: { weighting: { anyOf: [...WEIGHTING_PRESETS, 'auto'].map((name) => ({ properties: { preset: { enum: [name] } } })) } },
		});
	});

	it('says a default in words, since generators make what has a default required', () => {
		expect(JSON.stringify(document)).not.toMatch(/"(default|discriminator|patternProperties)":(?!{"description":"Any other error")/);
		const { training } = document.components.schemas['JobRequest']?.properties ?? {};
		expect(training?.properties?.['epochs']?.['description']).toMatch(/; 40 unless given$/);
	});

	it('says what every body is, and of a download which types it may have', () => {
		const operation = (id: string) => operationsOf(document).find(({ operation }) => operation.operationId === id)?.operation;
		for (const id of ['createDataset', 'createModel'])
			expect(Object.keys(operation(id)?.requestBody?.content ?? {})).toEqual(
				expect.arrayContaining(['application/octet-stream', 'multipart/form-data']),
			);
		expect(Object.keys(operation('createJob')?.requestBody?.content ?? {})).toEqual(['application/json']);
		expect(operation('cancelJob')?.requestBody).toBeUndefined();
		expect(Object.keys(operation('downloadArtifact')?.responses['200']?.content ?? {})).toEqual(
			expect.arrayContaining(['application/json', 'application/vnd.apache.parquet', 'application/octet-stream', 'text/markdown']),
		);
	});

	it('has tags and a name in camel case for every operation, and the key where the service has one', async () => {
		for (const { operation } of operationsOf(document)) {
			expect(operation.operationId).toMatch(/^[a-z]+([A-Z][a-z]+)+$/);
			expect(operation.tags).toHaveLength(1);
			expect(Object.keys(operation.responses)).not.toContain('401');
		}
		const app = await service.build({ apiKey: 'a-key' });
		const secured: Document = (await app.inject({ url: '/openapi.json', headers: { authorization: 'Bearer a-key' } })).json();
		for (const { path, operation } of operationsOf(secured)) {
			for (const status of ['401', '403', '429']) expect(status in operation.responses, path).toBe(path.startsWith('/v1/'));
			if (!path.startsWith('/v1/')) expect(operation.security, path).toEqual([]);
		}
		expect(await new Validator().validate(structuredClone(secured) as never)).toEqual({ valid: true });
	});

	it('says which scope of a key every operation needs', async () => {
		const app = await service.build({ apiKey: 'a-key' });
		const secured: Document = (await app.inject({ url: '/openapi.json', headers: { authorization: 'Bearer a-key' } })).json();
		const needing = (scope: string) =>
			operationsOf(secured).flatMap(({ operation }) =>
				JSON.stringify(operation.security) === JSON.stringify([{ key: [scope] }]) ? [operation.operationId] : [],
			);
		const scopes = { read: needing('read'), train: needing('train'), admin: needing('admin') };
		expect(scopes.admin.sort()).toEqual(['applyRetention', 'createKey', 'getUsage', 'listAuditLines', 'listKeys', 'revokeKey']);
		expect(scopes.train.sort()).toEqual([
			...[
				'cancelJob',
				'cancelSweep',
				'createDataset',
				'createJob',
				'createModel',
				'createSweep',
				'deleteDataset',
				'deleteJob',
				'deleteModel',
				'deleteSweep',
				'deleteWebhook',
				'pauseJob',
				'pauseSweep',
				'previewTable',
				'resumeJob',
				'resumeSweep',
				'setWebhook',
			],
			...['updateDataset', 'updateJob', 'updateModel'],
		]);
		expect(Object.values(scopes).flat()).toHaveLength(operationsOf(secured).length - 2);
		const createJob = operationsOf(secured).find(({ operation }) => operation.operationId === 'createJob')?.operation;
		expect(createJob?.responses['403']?.description).toBe('`forbidden`, `quota_exceeded`');
	});

	it('is valid to a strict validator', async () => {
		expect(await new Validator().validate(structuredClone(document) as never)).toEqual({ valid: true });
	});

	it('requires nothing of a request that has a default, and everything of an answer', () => {
		const query = operationsOf(document).flatMap(({ operation }) => operation.parameters?.filter((one) => one.in === 'query') ?? []);
		expect(query.map(({ name }) => name)).toContain('limit');
		expect(query.filter(({ required }) => required)).toEqual([]);
		expect(document.components.schemas['JobRequest']?.['required']).toEqual(['dataset']);
		expect(document.components.schemas['JobSpec']?.['required']).toEqual(
			expect.arrayContaining(['dataset', 'model', 'training', 'weighting']),
		);
		const { fits } = checkerOf(document);
		fits('JobRequest', { dataset: 'ds_1', training: { optimizer: { name: 'sgd' }, early_stopping: { patience: 3 } } });
		expect(() => fits('JobRequest', { dataset: 'ds_1', training: { epochs: '3' } })).toThrow('must be integer');
		expect(() => fits('JobRequest', { dataset: 'ds_1', colour: 'red' })).toThrow('additional');
		expect(() => fits('JobSpec', { dataset: 'ds_1' })).toThrow('required');
	});

	it('has examples of every body and every answer that is no file, and all of them fit their schemas', () => {
		const { fits, fitsSchema } = checkerOf(document);
		for (const { operation } of operationsOf(document)) {
			const { operationId, requestBody, responses } = operation;
			const answers = Object.entries(responses).flatMap(([status, { content = {} }]) => (Number(status) < 300 ? [content] : []));
			for (const content of [requestBody?.content ?? {}, ...answers])
				for (const [type, { schema, examples }] of Object.entries(content)) {
					const what = `${operationId} ${type}`;
					if (type !== 'multipart/form-data' && schema['format'] !== 'binary') expect(Object.keys(examples ?? {}), what).not.toEqual([]);
					for (const { value } of Object.values(examples ?? {}))
						if (type === 'text/event-stream')
							for (const event of eventsOf(String(value))) fits(operationId === 'watchJobs' ? 'JobListChange' : 'JobEvent', event);
						else fitsSchema(schema, value, what);
				}
		}
		expect(Object.keys(examples).filter((id) => !operationsOf(document).some(({ operation }) => operation.operationId === id))).toEqual([]);
	});

	it('describes the jobs that the README and the documents post', async () => {
		const documents = (await readdir(new URL('docs', ROOT))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
		const texts = await Promise.all(['README.md', ...documents].map((name) => readFile(new URL(name, ROOT), 'utf8')));
		const jobs = texts.flatMap((text) => objectsOf(text, 'dataset'));
		expect(jobs.length).toBeGreaterThan(0);
		const { fits } = checkerOf(document);
		for (const job of jobs) fits('JobRequest', JSON.parse(job.replace('ds_…', 'ds_1').replace('mdl_…', 'mdl_1').replace('job_…', 'job_1')));
	});
});

/** Is compiled and never called: a handler has to answer with what its route describes. */
export function routesOfArtifacts(app: App): void {
	const schema = { response: { 200: ListOf(ref('Artifact')), ...refusals('not_found') } };
	const list = (bytes: unknown) => ({
		object: 'list' as const,
		has_more: false,
		data: [{ name: 'a', bytes, sha256: '', content_type: '' }],
	});
	app.get('/good', { schema }, () => list(1) as List<Artifact>);
	// @ts-expect-error The size is no number.
	app.get('/bad', { schema }, () => list('1'));
	// @ts-expect-error One artifact is no list of them.
	app.get('/bad', { schema }, async () => (list(1) as List<Artifact>).data[0]);
	// @ts-expect-error A problem is thrown, not answered.
	app.get('/bad', { schema }, (_request, reply) => reply.code(404).send(problemOf(new ProblemError('not_found', 'no'))));
}
