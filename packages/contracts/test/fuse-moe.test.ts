import { describe, expect, it } from 'vitest';
import { ProblemError, parseJobSpec } from '../src/index.js';
import { problemsOf, shaped } from './job-parts.js';

const problemOf = (act: () => unknown): ProblemError => {
	try {
		act();
	} catch (error) {
		if (error instanceof ProblemError) return error;
		throw error;
	}
	throw new Error('was accepted');
};
const parsed = (model: object) => parseJobSpec({ dataset: 'ds_1', model: { family: 'fuse-moe', ...model } }).model;

describe('the config of fuse-moe', () => {
	it('has a default for every field', () => {
		expect(parsed({})).toMatchObject({ width: 128, heads: 8, layers: 3, tokens: 4, sequence_encoder: 'mtand', time_columns: {} });
	});

	it.each<[object, string, string]>([
		[{ width: 100 }, 'model.width', 'a multiple of model.heads (8), found 100'],
		[{ time_width: 12 }, 'model.time_width', 'a multiple of model.heads (8), found 12'],
		[{ experts: 4, top_k: 5 }, 'model.top_k', 'at most model.experts (4), found 5'],
		[{ sequence_encoder: 'rnn' }, 'model.sequence_encoder', '"mtand", "lstm", "gru"'],
		[{ time_columns: { vitals: 'hour' } }, 'model.time_columns.vitals', 'found "hour"'],
		[{ hiden: 5 }, 'model.hiden', 'is not a known field'],
	])('%j is refused with the field and what was found', (model, param, words) => {
		const problem = problemOf(() => parsed(model));
		expect([problem.code, problem.param]).toEqual(['invalid_request', param]);
		expect(problem.message).toContain(words);
	});
});

describe('time columns', () => {
	const dataset = shaped({ vitals: [8, 27], static: [10], pulse: [8, 1] });
	const problems = (time_columns: Record<string, number>) => problemsOf({ model: { family: 'fuse-moe', time_columns } }, dataset);

	it('are features of sequences', () => {
		expect(problems({ vitals: 26 })).toEqual([]);
	});

	it.each<[Record<string, number>, string, string]>([
		[{ vitals: 27 }, 'invalid_model', 'a feature of vitals, 0 to 26, found 27'],
		[{ static: 0 }, 'invalid_model', 'found static of shape [10]'],
		[{ pulse: 0 }, 'invalid_model', 'two features or more, found pulse of shape [8, 1]'],
		[{ labs: 0 }, 'modality_not_found', 'the modality labs, which the dataset lacks; it has vitals, static, pulse'],
	])('%j are refused with what the dataset has', (time_columns, code, words) => {
		const param = `model.time_columns.${Object.keys(time_columns)[0]}`;
		expect(problems(time_columns)).toEqual([{ code, param, message: expect.stringContaining(words) }]);
	});

	it('are each refused', () => {
		expect(problems({ vitals: 27, labs: 0 }).map(({ param }) => param)).toEqual(['model.time_columns.vitals', 'model.time_columns.labs']);
	});
});
