import { describe, expect, it } from 'vitest';
import { checkTimeColumns, ProblemError, parseJobSpec } from '../src/index.js';

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
	const modalities = { vitals: { shape: [8, 27] }, static: { shape: [10] }, pulse: { shape: [8, 1] } };

	it('are features of sequences', () => {
		checkTimeColumns({ time_columns: { vitals: 26 } }, modalities);
	});

	it.each<[Record<string, number>, string, string]>([
		[{ vitals: 27 }, 'invalid_model', 'a feature of vitals, 0 to 26, found 27'],
		[{ static: 0 }, 'invalid_model', 'found static of shape [10]'],
		[{ pulse: 0 }, 'invalid_model', 'two features or more, found pulse of shape [8, 1]'],
		[{ labs: 0 }, 'modality_not_found', 'the modality labs, which the dataset lacks; it has vitals, static, pulse'],
	])('%j are refused with what the dataset has', (time_columns, code, words) => {
		const problem = problemOf(() => checkTimeColumns({ time_columns }, modalities));
		expect([problem.code, problem.param]).toEqual([code, `model.time_columns.${Object.keys(time_columns)[0]}`]);
		expect(problem.message).toContain(words);
	});
});
