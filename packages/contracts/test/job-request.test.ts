import { describe, expect, it } from 'vitest';
import { fieldErrors, JobRequest, JobSpec, parseJobSpec, requestOf } from '../src/index.js';

type Schema = { required?: string[]; properties?: Record<string, Schema>; anyOf?: Schema[]; default?: unknown; discriminator?: unknown };

/** Every object of a schema, at any depth. */
const objectsIn = (schema: Schema): Schema[] => [
	...(schema.properties === undefined ? [] : [schema]),
	...[...Object.values(schema.properties ?? {}), ...(schema.anyOf ?? [])].flatMap(objectsIn),
];

describe('the schema of a job request', () => {
	it('requires no field that has a default, at any depth, and every other that the spec requires', () => {
		const [requests, specs] = [objectsIn(JobRequest as unknown as Schema), objectsIn(JobSpec as unknown as Schema)];
		expect(requests.length).toBeGreaterThan(8);
		requests.forEach(({ properties, required = [] }, i) => {
			const expected = specs[i]?.required?.filter((name) => properties?.[name]?.default === undefined) ?? [];
			expect(required).toEqual(expected);
		});
		expect(requests.flatMap(({ required = [] }) => required)).toEqual(expect.arrayContaining(['dataset', 'inputs']));
	});

	it('takes what the service takes, and refuses unknown fields and wrong types', () => {
		const job = { dataset: 'ds_1', model: { hidden: 8 }, training: { optimizer: { name: 'sgd' } } };
		expect(() => parseJobSpec(job)).not.toThrow();
		expect(fieldErrors(JobRequest, job)).toEqual([]);
		expect(fieldErrors(JobSpec, job)).not.toEqual([]);
		expect(fieldErrors(JobRequest, {})).toMatchObject([{ param: 'dataset', detail: 'is required' }]);
		expect(fieldErrors(JobRequest, { ...job, colour: 'red' })).toMatchObject([{ param: 'colour' }]);
		expect(fieldErrors(JobRequest, { ...job, device: 'tpu' })).toMatchObject([{ param: 'device' }]);
	});

	it('leaves the schema of the spec as it is', () => {
		const before = JSON.stringify(JobSpec);
		requestOf(JobSpec);
		expect(JSON.stringify(JobSpec)).toBe(before);
	});
});
