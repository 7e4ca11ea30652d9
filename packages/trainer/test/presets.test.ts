import { parseJobSpec, type SingleWeighting, type TaskProfile, WEIGHTING_PRESETS, type WeightingPreset } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../src/weighting/presets.js';
import { weigherOf } from '../src/weighting/weigher-of.js';

const task: TaskProfile = { type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 };
const weigher = (weighting: { preset: WeightingPreset }) =>
	weigherOf(parseJobSpec({ dataset: 'ds_1', weighting }).weighting as SingleWeighting, task, 1);

describe('the presets of a job', () => {
	it('are those that the trainer has', () => {
		expect(Object.keys(PRESETS)).toEqual(WEIGHTING_PRESETS);
	});

	it.each<[WeightingPreset, number, boolean, string]>([
		['uniform', 0, false, 'never'],
		['mi', 1, false, 'epochs'],
		['btw-kl', 1, true, 'epochs'],
		['btw', 1, true, 'epochs'],
		['paper', 1, true, 'epochs'],
		['consensus', 5, true, 'once'],
		['consensus-weighted', 5, true, 'once'],
		['qmf', 1, true, 'once'],
		['ogm-ge', 0, false, 'never'],
	])('%s trains %i unimodal models per modality, needs their outputs: %s, refreshes: %s', (preset, models, needsOutputs, when) => {
		const { refreshes, ...found } = weigher({ preset });
		expect(found).toMatchObject({ models, needsOutputs });
		expect(refreshes.when).toBe(when);
	});

	it('give the paper the choices of its authors', () => {
		expect(PRESETS.paper.defaults).toMatchObject({
			combine: 'kl+mi',
			direction: 'divergence',
			normalise: 'minmax',
			renormalise: 'none',
			mutual_information: 'ksg',
			sigma: 'fixed',
			smoothing: { initial: 0.5, step: 0.05, adapt: 'raise-on-worse' },
			cross_fit: false,
		});
	});

	it('keep the defaults of what a job leaves out, also inside a choice', () => {
		const of = (more: object) => weigher({ preset: 'paper', ...more });
		expect(of({ smoothing: { initial: 1 } }).smoothing).toEqual({ initial: 1, step: 0.05, adapt: 'raise-on-worse' });
		expect(of({}).refreshes).toEqual({ when: 'epochs', every: 5 });
		expect(of({ refresh_epochs: 3 }).refreshes).toEqual({ when: 'epochs', every: 3 });
		expect(of({ refresh_steps: 7 }).refreshes).toEqual({ when: 'steps', every: 7 });
		expect(of({ refresh: 'on-improvement' }).refreshes).toEqual({ when: 'improvement' });
		expect(of({ cross_fit: true, folds: 3 }).models).toBe(3);
		expect(weigher({ preset: 'consensus', ...{ folds: 4 } }).models).toBe(4);
		expect(weigher({ preset: 'ogm-ge', ...{ alpha: 0.3 } }).modulation).toEqual({ alpha: 0.3 });
	});
});
