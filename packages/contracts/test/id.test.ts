import { describe, expect, it } from 'vitest';
import { isId, parseJobSpec } from '../src/index.js';

describe('an id', () => {
	it('is the kind, an underscore, and lower-case letters and digits', () => {
		expect(isId('ds', 'ds_0k3')).toBe(true);
		expect(isId('job', `job_${'a'.repeat(40)}`)).toBe(true);
	});

	it.each(['', 'ds_', 'job_0k3', 'ds_0K3', 'ds_../x', 'ds_0k3\n', ' ds_0k3', `ds_${'a'.repeat(41)}`])('of a dataset is not %j', (text) => {
		expect(isId('ds', text)).toBe(false);
	});

	it('is held to the same pattern where a job names a dataset or a model', () => {
		const model = (id: string) => ({ family: 'custom', model: id, inputs: { a: 'x' }, output: 'y' });
		expect(() => parseJobSpec({ dataset: 'ds_0K3' })).toThrow(/^dataset /);
		expect(() => parseJobSpec({ dataset: 'ds_0k3', model: model('mdl_0K3') })).toThrow(/^model\.model /);
	});
});
