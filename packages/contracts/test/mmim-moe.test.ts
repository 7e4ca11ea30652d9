import { describe, expect, it } from 'vitest';
import { parseJobSpec } from '../src/index.js';

const parsed = (model: object) => parseJobSpec({ dataset: 'ds_1', model: { family: 'mmim-moe', ...model } }).model;

describe('the config of mmim-moe', () => {
	it('has a default for every field', () => {
		expect(parsed({})).toMatchObject({ width: 128, layers: 2, block: 'attention', experts: 16, top_k: 2 });
	});

	it('is refused, as that of fuse-moe is, where an embedding would go to more experts than there are', () => {
		expect(parsed({ experts: 4, top_k: 4 })).toMatchObject({ top_k: 4 });
		expect(() => parsed({ experts: 4, top_k: 5 })).toThrow('model.top_k must be at most model.experts (4), found 5');
		expect(() => parsed({ experts: 1 })).toThrow('model.top_k must be at most model.experts (1), found 2');
	});
});
