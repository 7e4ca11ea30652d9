import { parseJobSpec, parseSweepSpec } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { anyOf, anyText } from '../src/page/new-job/any-text.ts';
import { differences } from '../src/page/new-job/differences.ts';
import type { FieldOf } from '../src/page/new-job/fields.ts';
import type { Json, JsonObject } from '../src/page/new-job/json.ts';
import { emptySweep, sweepField, sweepLike, sweepOf } from '../src/page/sweeps/begun-sweep.ts';
import { conditionsOf, dimensionsOf } from '../src/page/sweeps/dimensions.ts';
import { placesInSweep } from '../src/page/sweeps/places-in-sweep.ts';
import { job } from './job.ts';
import { sweepForm } from './sweep-schema.ts';

const DATASET = 'ds_01h0000000000000000000000x';
const jobForm = sweepField(sweepForm, 'job', 'group');

/** A sweep of the job with every dimension that the page offers for it. */
const everything = (spec: JsonObject): JsonObject => ({
	job: spec,
	space: Object.fromEntries(dimensionsOf(jobForm, spec)),
	budget: { trials: 3 },
});

describe('the form of a sweep', () => {
	it('keeps the type of each dimension, which has no default', () => {
		const spec = emptySweep(sweepForm, DATASET);
		const choice = { ...spec, space: { 'training.batch_size': { type: 'choice', values: [16, 32] } } };
		expect(differences(sweepForm, choice)).toEqual(choice);
		const { branches, mustName } = (sweepField(sweepForm, 'space', 'record') as FieldOf<'record'>).value as FieldOf<'branches'>;
		expect([mustName, branches.map(({ name }) => name)]).toEqual([true, ['choice', 'int', 'uniform', 'log-uniform']]);
	});

	it.each([
		[{ dataset: DATASET }],
		[{ dataset: DATASET, model: { family: 'mmim-moe' }, weighting: { preset: 'consensus' } }],
		[{ dataset: DATASET, training: { optimizer: { name: 'sgd', learning_rate: 0.1 }, schedule: { name: 'warmup-cosine' } } }],
	])('offers dimensions that the service takes: of %j', (spec) => {
		expect(dimensionsOf(jobForm, spec).size).toBeGreaterThan(10);
		const { space } = parseSweepSpec(everything(spec));
		expect(space['training.optimizer.learning_rate']).toMatchObject({ type: 'log-uniform' });
		expect(space['weighting.preset']).toMatchObject({ type: 'choice', values: expect.arrayContaining(['uniform', 'btw']) });
	});

	it('offers ranges around what the job has', () => {
		const found = dimensionsOf(jobForm, { dataset: DATASET, training: { optimizer: { learning_rate: 0.02 }, epochs: 12 } });
		expect(found.get('training.optimizer.learning_rate')).toEqual({ type: 'log-uniform', low: 0.002, high: 0.2 });
		expect(found.get('training.epochs')).toEqual({ type: 'int', low: 6, high: 24 });
	});

	it('offers no dimension that says nothing of how well a job learns', () => {
		const names = [...dimensionsOf(jobForm, { dataset: DATASET }).keys()];
		expect(names.filter((name) => /^(dataset|name|metadata|priority|notify|device|training\.seed)/.test(name))).toEqual([]);
	});

	it('begins with the settings of a job, and looks for the best of the metric that the job is judged by', () => {
		const spec = parseJobSpec({ dataset: DATASET, training: { epochs: 7 }, weighting: { preset: 'btw' } });
		const of = {
			...job('job_a', { status: 'succeeded', metrics: { validation: { accuracy: 0.9, loss: 0.3 } } }),
			spec: { ...spec, name: 'Ward 3' },
		};
		const begun = sweepOf(sweepForm, of);
		expect(begun).toMatchObject({
			name: 'Ward 3, sweep',
			job: { dataset: DATASET, training: { epochs: 7 }, weighting: { preset: 'btw' } },
			metric: 'accuracy',
			direction: 'maximise',
		});
		expect(begun['job']).not.toHaveProperty('name');
		expect(parseSweepSpec(begun).direction).toBe('maximise');
		const waiting = sweepOf(sweepForm, job('job_b'));
		expect([waiting['metric'], waiting['direction']]).toEqual([undefined, undefined]);
	});

	it('begins like another sweep with what that one was posted with', () => {
		const posted = {
			...emptySweep(sweepForm, DATASET),
			metric: 'auroc',
			pruning: { type: 'asha', minimum: 2 },
			space: { 'training.batch_size': { type: 'choice', values: [16, 32] } },
		} as JsonObject;
		expect(sweepLike(sweepForm, { spec: parseSweepSpec(posted) })).toEqual(posted);
	});

	it('knows what a dimension can depend on', () => {
		const space: Json = {
			'weighting.preset': { type: 'choice', values: ['btw', 'uniform'] },
			'training.epochs': { type: 'int', low: 3, high: 5 },
			'training.optimizer.learning_rate': { type: 'uniform', low: 0.1, high: 1 },
		};
		expect([...conditionsOf(space)]).toEqual([
			['weighting.preset', 'btw'],
			['training.epochs', 3],
		]);
		expect(conditionsOf(undefined).size).toBe(0);
	});
});

describe('a value of any kind', () => {
	it.each<[string, Json]>([
		['adam', 'adam'],
		['16', 16],
		['"16"', '16'],
		['true', true],
		['null', null],
		['[1,2]', [1, 2]],
	])('is %s for %j, and the other way round', (text, value) => {
		expect(anyOf(text)).toEqual(value);
		expect(anyText(value)).toBe(text);
	});
});

describe('the place of a field that the service names', () => {
	it('is that of a dimension, or of the job that all trials share, where a trial makes no job', () => {
		expect(placesInSweep('weighting.refresh_epochs')).toEqual([
			'weighting.refresh_epochs',
			'space.weighting.refresh_epochs',
			'job.weighting.refresh_epochs',
			'weighting',
		]);
		expect(placesInSweep('budget.trials').slice(0, 1)).toEqual(['budget.trials']);
		expect(placesInSweep(null)).toEqual([]);
	});
});
