import { describe, expect, it } from 'vitest';
import {
	candidatesOf,
	fieldErrors,
	JobSpec,
	ProblemError,
	parse,
	parseJobSpec,
	presetsOf,
	problems,
	WEIGHTING_PRESETS,
} from '../src/index.js';

const problemOf = (input: unknown): ProblemError => {
	try {
		parseJobSpec(input);
	} catch (error) {
		if (error instanceof ProblemError) return error;
		throw error;
	}
	throw new Error('was accepted');
};

describe('a job spec', () => {
	it('has a default for every field but the dataset, and is not changed itself', () => {
		const posted = { dataset: 'ds_1', training: { seed: 7 } };
		const spec = parseJobSpec(posted);
		expect(posted).toEqual({ dataset: 'ds_1', training: { seed: 7 } });
		expect(spec).toMatchObject({
			dataset: 'ds_1',
			model: { family: 'mlp-fusion', hidden: 128 },
			weighting: { preset: 'uniform' },
			training: { epochs: 40, seed: 7, optimizer: { name: 'adamw' }, early_stopping: { metric: 'loss', patience: 10 }, clip_norm: null },
			device: 'auto',
		});
		expect(parseJobSpec(spec)).toEqual(spec);
	});

	it('takes null where a thing can be switched off', () => {
		const { training } = parseJobSpec({ dataset: 'ds_1', training: { early_stopping: null, clip_norm: null } });
		expect([training.early_stopping, training.clip_norm]).toEqual([null, null]);
	});

	it('is refused at once for a list that is far too long', () => {
		// With an error for each equal pair this would take minutes.
		const { param, message } = problemOf({ dataset: 'ds_1', modalities: Array.from({ length: 64_000 }, () => 'a') });
		expect([param, message]).toEqual(['modalities', expect.stringContaining('more than 4096 items')]);
	});

	it.each<[unknown, string | null, string]>([
		[{}, 'dataset', 'is required'],
		[5, null, 'found 5'],
		[{ dataset: 'ds_1', colour: 'red' }, 'colour', 'is not a known field'],
		[{ dataset: 'ds_1', training: { epochs: '3' } }, 'training.epochs', 'found "3"'],
		[
			{ dataset: 'ds_1', training: { optimizer: { name: 'lion' } } },
			'training.optimizer.name',
			'one of "sgd", "momentum", "adam", "adamw"',
		],
		[{ dataset: 'ds_1', training: { optimizer: { learning_rate: 0 } } }, 'training.optimizer.learning_rate', 'found 0'],
		[{ dataset: 'ds_1', training: { early_stopping: { patience: 0 } } }, 'training.early_stopping.patience', 'found 0'],
		[{ dataset: 'ds_1', modalities: ['labs', 'text', 'labs'] }, 'modalities.2', 'names "labs" twice'],
		[{ dataset: 'ds_1', weighting: { preset: 'btw', refresh_epochs: 40 } }, 'weighting.refresh_epochs', 'training.epochs (40)'],
		[
			{
				dataset: 'ds_1',
				weighting: { preset: 'ogm-ge' },
				model: { family: 'custom', model: 'mdl_1', inputs: { a: 'x' }, output: 'y' },
			},
			'weighting.preset',
			'not known',
		],
	])('%j is refused with the field and what was found', (input, param, words) => {
		const problem = problemOf(input);
		expect([problem.code, problem.status, problem.param]).toEqual(['invalid_request', 400, param]);
		expect(problem.message).toContain(words);
	});

	const custom = { family: 'custom', model: 'mdl_1', inputs: { text: 'x' }, output: 'y' };

	it("is held against the branch of its model alone, with that branch's defaults", () => {
		expect(parseJobSpec({ dataset: 'ds_1', model: custom }).model).toEqual({ ...custom, batch_norm: 'train' });
		expect(parseJobSpec({ dataset: 'ds_1', model: { hidden: 7 } }).model).toEqual({
			family: 'mlp-fusion',
			hidden: 7,
			encoder_layers: 2,
			head_layers: 2,
		});
	});

	it.each<[unknown, string, string]>([
		[{ family: 'resnet' }, 'model.family', 'must be one of "mlp-fusion", "mmim-moe", "fuse-moe", "custom", found "resnet"'],
		[{ family: 7 }, 'model.family', 'found 7'],
		[7, 'model', 'must be object, found 7'],
		[{ hidden: 1e9 }, 'model.hidden', 'found 1000000000'],
		[{ dropout: 1 }, 'model.dropout', 'found 1'],
		[{ fusion: 'sum' }, 'model.fusion', 'one of "concatenation", "tensor", "low-rank-tensor", "gated", "cross-attention", "late-average"'],
		[{ fusion: 'cross-attention', hidden: 30 }, 'model.heads', 'must divide model.hidden (30), found 4'],
		[{ fusion: 'cross-attention', hidden: 64, heads: 5 }, 'model.heads', 'found 5'],
		[{ family: 'mlp-fusion', output: 'y' }, 'model.output', 'means nothing to mlp-fusion; its choices are hidden, encoder_layers, '],
		[{ colour: 'red' }, 'model.colour', 'is not a known field'],
		[{ ...custom, hidden: 8 }, 'model.hidden', 'means nothing to custom'],
		[{ ...custom, output: undefined }, 'model.output', 'is required'],
		[{ ...custom, model: 'ds_1' }, 'model.model', 'found "ds_1"'],
		[{ ...custom, inputs: {} }, 'model.inputs', 'fewer than 1'],
		[{ ...custom, inputs: { text: 3 } }, 'model.inputs.text', 'found 3'],
		[{ ...custom, frozen: [] }, 'model.frozen', 'fewer than 1'],
		[{ ...custom, batch_norm: 'off' }, 'model.batch_norm', 'one of "train", "frozen"'],
	])('with the model %j is refused in the words of its branch', (model, param, words) => {
		const problem = problemOf(JSON.parse(JSON.stringify({ dataset: 'ds_1', model })));
		expect([problem.code, problem.param]).toEqual(['invalid_request', param]);
		expect(problem.message).toContain(words);
	});

	it("is held against the choices of its weighting's preset alone, with that preset's defaults", () => {
		const weightingOf = (weighting: object) => parseJobSpec({ dataset: 'ds_1', weighting }).weighting;
		expect(weightingOf({})).toEqual({ preset: 'uniform' });
		expect(weightingOf({ preset: 'btw', sigma: 'fixed' })).toEqual({ preset: 'btw', sigma: 'fixed', refresh_epochs: 5 });
		expect(weightingOf({ preset: 'consensus', folds: 3, epsilon: 0.2 })).toEqual({ preset: 'consensus', folds: 3, epsilon: 0.2 });
		for (const preset of WEIGHTING_PRESETS) expect(weightingOf({ preset }).preset).toBe(preset);
	});

	it('may leave the choice of its weighting to auto, from presets that are each named once', () => {
		const weightingOf = (weighting: object, training = {}) => parseJobSpec({ dataset: 'ds_1', weighting, training }).weighting;
		expect(weightingOf({ preset: 'auto' })).toEqual({ preset: 'auto' });
		expect(presetsOf(weightingOf({ preset: 'auto' }))).toEqual(['uniform', 'consensus']);
		expect(weightingOf({ preset: 'auto', candidates: ['qmf', 'mi'] })).toEqual({ preset: 'auto', candidates: ['qmf', 'mi'] });
		const alone = candidatesOf(parseJobSpec({ dataset: 'ds_1', weighting: { preset: 'auto', candidates: ['uniform', 'btw'] } }));
		expect(alone).toEqual(['uniform', 'btw'].map((preset) => parseJobSpec({ dataset: 'ds_1', weighting: { preset } })));
	});

	it.each<[object, string, string]>([
		[{ candidates: ['uniform', 'auto'] }, 'weighting.candidates.1', 'must be one of "uniform", "mi", '],
		[{ candidates: ['uniform', 'magic'] }, 'weighting.candidates.1', 'must be one of "uniform", "mi", '],
		[{ candidates: ['uniform'] }, 'weighting.candidates', 'fewer than 2'],
		[{ candidates: ['uniform', 'qmf', 'uniform'] }, 'weighting.candidates', 'names uniform twice'],
		[
			{ candidates: ['uniform', 'btw'] },
			'weighting.candidates',
			'cannot train btw: weighting.refresh_epochs must be less than training.epochs (3)',
		],
		[{ folds: 3 }, 'weighting.folds', 'means nothing to auto; its choices are candidates'],
	])('with the weighting auto and %j is refused', (choices, param, words) => {
		const problem = problemOf({ dataset: 'ds_1', weighting: { preset: 'auto', ...choices }, training: { epochs: 3 } });
		expect([problem.code, problem.param]).toEqual(['invalid_request', param]);
		expect(problem.message).toContain(words);
	});

	it('may still name the epochs between refreshes that earlier versions wrote where nothing is refreshed', () => {
		for (const preset of ['uniform', 'consensus', 'consensus-weighted', 'qmf', 'ogm-ge']) {
			const stored = { preset, refresh_epochs: 5 };
			expect(parseJobSpec({ dataset: 'ds_1', weighting: stored, training: { epochs: 3 } }).weighting).toEqual(stored);
		}
	});

	it.each<[unknown, string, string]>([
		[{ preset: 'magic' }, 'weighting.preset', 'must be one of "uniform", "mi", "btw-kl", "btw", "paper", "consensus", '],
		[{ direction: 'divergence' }, 'weighting.direction', 'means nothing to uniform, which has no choices'],
		[{ refresh_epochs: 3 }, 'weighting.refresh_epochs', 'means nothing to uniform, which has no choices'],
		[{ preset: 'btw', epsilon: 0.2 }, 'weighting.epsilon', 'means nothing to btw; its choices are refresh, refresh_epochs, '],
		[{ preset: 'mi', sigma: 'fixed' }, 'weighting.sigma', 'means nothing to mi; its choices are '],
		[{ preset: 'qmf', refresh_epochs: 3 }, 'weighting.refresh_epochs', 'means nothing to qmf; its choices are cross_fit, folds'],
		[{ preset: 'ogm-ge', folds: 3 }, 'weighting.folds', 'means nothing to ogm-ge; its choices are alpha'],
		[{ preset: 'btw', colour: 'red' }, 'weighting.colour', 'is not a known field'],
		[{ preset: 'btw', smoothing: { direction: 'up' } }, 'weighting.smoothing.direction', 'is not a known field'],
		[{ preset: 'btw', refresh_epochs: 0 }, 'weighting.refresh_epochs', 'found 0'],
		[{ preset: 'consensus', epsilon: 1 }, 'weighting.epsilon', 'found 1'],
		[7, 'weighting', 'must be object, found 7'],
	])('with the weighting %j is refused in the words of its preset', (weighting, param, words) => {
		const problem = problemOf({ dataset: 'ds_1', weighting });
		expect([problem.code, problem.param]).toEqual(['invalid_request', param]);
		expect(problem.message).toContain(words);
	});

	it('standardises nothing for a custom model', () => {
		expect(problemOf({ dataset: 'ds_1', model: custom, training: { standardize: true } }).param).toBe('training.standardize');
		expect(parseJobSpec({ dataset: 'ds_1', model: custom, training: { standardize: false } }).training.standardize).toBe(false);
		expect(parseJobSpec({ dataset: 'ds_1', training: { standardize: true } }).training.standardize).toBe(true);
	});

	it('is told all its errors at once', () => {
		const params = fieldErrors(JobSpec, {
			...parseJobSpec({ dataset: 'ds_1' }),
			device: 'tpu',
			colour: 1,
			model: { family: 'custom', batch_norm: 'train' },
		}).map(({ param }) => param);
		expect(params.sort()).toEqual(['colour', 'device', 'model.inputs', 'model.model']);
	});

	it('says whether values of the forward pass are made again', () => {
		expect(parseJobSpec({ dataset: 'ds_1', training: { recompute: 'segments' } }).training.recompute).toBe('segments');
		expect(parseJobSpec({ dataset: 'ds_1' }).training.recompute).toBeUndefined();
		expect(problemOf({ dataset: 'ds_1', training: { recompute: 'all' } }).param).toBe('training.recompute');
	});

	it('is never coerced', () => {
		expect(() => parse(JobSpec, { dataset: 'ds_1', training: { standardize: 'true' } })).toThrow(/training.standardize/);
	});
});

describe('the table of problems', () => {
	it('gives every code a status of an error and a title', () => {
		for (const [code, { status, title }] of Object.entries(problems)) {
			expect(status, code).toBeGreaterThanOrEqual(400);
			expect(title.length, code).toBeGreaterThan(5);
		}
	});
});
