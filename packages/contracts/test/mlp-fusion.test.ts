import { describe, expect, it } from 'vitest';
import { problemsOf, shaped } from './job-parts.js';

describe('the tensor of mlp-fusion', () => {
	const problems = (count: number, model: object = {}, more: object = {}) => {
		const dataset = shaped(Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, [3]])));
		return problemsOf({ model: { fusion: 'tensor', ...model }, ...more }, dataset);
	};

	it('may have 20,000 numbers per instance', () => {
		expect(problems(2, { tensor_width: 140 })).toEqual([]);
		expect(problems(14)).toEqual([]);
	});

	it('is refused with the widths that are allowed, or with another fusion where none is', () => {
		expect(problems(6, { tensor_width: 5 })).toEqual([
			{
				code: 'invalid_request',
				param: 'model.tensor_width',
				message: expect.stringMatching(
					/\(5 \+ 1\)\^6 = 46656 numbers per instance, expected at most 20000; choose 4 or less, or the fusion low/,
				),
			},
		]);
		expect(problems(15)).toEqual([
			{ code: 'invalid_request', param: 'model.fusion', message: expect.stringMatching(/; choose the fusion low-rank-tensor$/) },
		]);
	});

	it('is that of the modalities of the job alone, and of the fusion tensor alone', () => {
		expect(problems(15, {}, { modalities: ['m0', 'm1'] })).toEqual([]);
		expect(problems(15, { fusion: 'gated' })).toEqual([]);
	});
});
