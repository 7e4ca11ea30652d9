import { type JobResource, parseJobSpec, WEIGHTING_PRESETS } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { cloned, continued } from '../src/page/new-job/clone.ts';
import { changesIn, differences, filled } from '../src/page/new-job/differences.ts';
import { branchOf, expectedOf, type Field, type FieldOf, isLookedAt } from '../src/page/new-job/fields.ts';
import type { Json, JsonObject } from '../src/page/new-job/json.ts';
import { placesOf } from '../src/page/new-job/param.ts';
import { form } from './job-schema.ts';

const DATASET = { dataset: 'ds_1' };
const CUSTOM = { family: 'custom', model: 'mdl_1', inputs: { text: 'x' }, output: 'y' };

/** The field at a path; those of a branch are under its name. */
function fieldAt(path: string): Field {
	let field: Field = form;
	for (const name of path.split('.')) {
		const inner: readonly Field[] =
			field.kind === 'branches'
				? [...field.branches.map((branch) => ({ ...form, name: branch.name, fields: branch.fields }))]
				: field.kind === 'group' || field.kind === 'short'
					? field.fields
					: [];
		field = inner.find((one) => one.name === name) ?? expect.unreachable(`there is no field ${path}`);
	}
	return field;
}

describe('a form made of the schema', () => {
	it('knows what each field is unless it is given, as the service fills it in', () => {
		const { training } = parseJobSpec(DATASET);
		for (const [name, value] of Object.entries({ ...training.optimizer, ...training.schedule })) {
			const group = name in training.optimizer ? 'optimizer' : 'schedule';
			if (name !== 'name') expect(fieldAt(`training.${group}.${name}`).standard, name).toBe(value);
		}
		expect(fieldAt('training.early_stopping').standard).toEqual(training.early_stopping);
		expect(fieldAt('training.clip_norm').standard).toBeNull();
		expect(fieldAt('training.loss').standard).toBe('auto');
		expect(fieldAt('model.mlp-fusion.hidden').standard).toBe(128);
		expect(fieldAt('model.mlp-fusion.pooling').standard).toBe('attention');
		expect(fieldAt('model.mlp-fusion.tensor_width').standard).toBeUndefined();
		expect(fieldAt('training.keep_state').standard).toBe('optimizer');
	});

	it('says what a field expects and keeps the default out of its help', () => {
		expect(expectedOf(fieldAt('training.epochs'))).toBe('1 to 100,000; default 40');
		expect(expectedOf(fieldAt('training.optimizer.learning_rate'))).toBe('above 0, at most 100; default 0.001');
		expect(fieldAt('training.epochs').help).toBe('most passes over the training rows, of each model of the job');
		expect(fieldAt('training.batch_size').label).toBe('Batch size');
	});

	it('has the branches of a union by the field that tells them apart', () => {
		const weighting = fieldAt('weighting') as FieldOf<'branches'>;
		expect(weighting.by).toBe('preset');
		expect(weighting.branches.map(({ name }) => name)).toEqual([...WEIGHTING_PRESETS, 'auto']);
		expect(branchOf(weighting, undefined)?.name).toBe('uniform');
		expect(branchOf(weighting, { preset: 'none of these' })).toBeUndefined();
	});

	it('knows which fields a choice beside them looks at', () => {
		const { fields } = fieldAt('training.optimizer') as FieldOf<'group'>;
		const shown = (value: Json | undefined) => fields.filter((field) => isLookedAt(field, fields, value)).map(({ name }) => name);
		expect(shown({ name: 'momentum' })).toEqual(['name', 'learning_rate', 'weight_decay', 'momentum']);
		expect(shown(undefined)).toEqual(['name', 'learning_rate', 'weight_decay', 'beta1', 'beta2', 'epsilon']);
		const { fields: loss } = fieldAt('training.loss') as FieldOf<'short'>;
		expect(loss.filter((field) => isLookedAt(field, loss, {})).map(({ name }) => name)).toEqual(['name']);
		expect(loss.filter((field) => isLookedAt(field, loss, { name: 'huber' })).map(({ name }) => name)).toEqual(['name', 'delta']);
	});
});

describe('differences from defaults', () => {
	const families = (form.fields.find(({ name }) => name === 'model') as FieldOf<'branches'>).branches.map(({ name }) => name);

	it.each(families.flatMap((family) => WEIGHTING_PRESETS.map((preset) => [family, preset])))(
		'of %s with %s are what is left when all defaults are filled in, which the service takes',
		(family, preset) => {
			if (family === 'custom' && preset === 'ogm-ge') return;
			const sparse = {
				...DATASET,
				...(family === families[0] ? {} : { model: family === 'custom' ? CUSTOM : { family } }),
				...(preset === 'uniform' ? {} : { weighting: { preset } }),
			} as JsonObject;
			const whole = filled(form, sparse);
			parseJobSpec(whole);
			expect(differences(form, whole)).toEqual(sparse);
			expect(differences(form, parseJobSpec(sparse) as unknown as Json)).toEqual(sparse);
		},
	);

	it.each([
		[{ training: { early_stopping: null } }],
		[{ training: { early_stopping: { metric: 'accuracy' } } }],
		[{ training: { loss: 'focal' } }],
		[{ training: { loss: { name: 'focal', gamma: 1 } } }],
		[{ training: { class_weights: 'balanced' } }],
		[{ training: { class_weights: { spam: 3 } } }],
		[{ model: { ...CUSTOM, scale: { text: { factor: 2 } }, outputs: { 'a.b': { labels: 'topic' } } } }],
		[{ metadata: { team: 'one' }, name: 'first' }],
	])('keep %j', (changes) => {
		const spec = { ...DATASET, ...changes } as unknown as JsonObject;
		expect(differences(form, filled(form, spec))).toEqual(spec);
		expect(differences(form, parseJobSpec(spec) as unknown as Json)).toEqual(spec);
	});

	it('leave out what says the same as a default', () => {
		expect(
			differences(form, {
				...DATASET,
				training: { epochs: 40, loss: { name: 'auto' } },
				weighting: { preset: 'uniform', refresh_epochs: 5 },
			}),
		).toEqual(DATASET);
	});

	it('keep fields that the form does not know, so that the service can refuse them', () => {
		const odd = { ...DATASET, speed: 3, model: { family: 'unheard-of', hidden: 128 }, training: { epoch: 3 } };
		expect(differences(form, odd)).toEqual(odd);
		expect(filled(form, odd)).toMatchObject(odd);
	});

	it('are counted', () => {
		expect(changesIn(form, { ...DATASET, training: { epochs: 3, optimizer: { name: 'sgd', momentum: 0.9 } } })).toBe(3);
	});
});

describe('a copy of a job', () => {
	const spec = parseJobSpec({ ...DATASET, training: { epochs: 7 }, weighting: { preset: 'btw' } });

	it('has what differs from defaults', () => {
		expect(cloned(form, { spec })).toEqual({ ...DATASET, training: { epochs: 7 }, weighting: { preset: 'btw' } });
	});

	it('goes on where the job ended, with the state of its optimizer where that was kept', () => {
		const job = { id: 'job_1', spec } as JobResource;
		expect(continued(form, job)).toMatchObject({
			training: { epochs: 7, initialise_from: { job: 'job_1', parameters: 'last', optimizer: true } },
		});
		parseJobSpec(continued(form, job));
		const without = { ...job, spec: parseJobSpec({ ...DATASET, training: { keep_state: 'parameters' } }) };
		expect(continued(form, without)).toEqual({ ...DATASET, training: { keep_state: 'parameters', initialise_from: 'job_1' } });
	});
});

describe('the place of a field that the service names', () => {
	it('is looked for from the most exact to the whole section', () => {
		expect(placesOf('training.loss.gamma')).toEqual(['training.loss.gamma', 'training.loss', 'training']);
		expect(placesOf('model.layers[0]')).toEqual(['model.layers.0', 'model.layers', 'model']);
		expect(placesOf('modalities.0')).toEqual(['modalities.0', 'modalities']);
	});

	it('is nowhere without a field', () => {
		expect(placesOf(null)).toEqual([]);
		expect(placesOf('')).toEqual([]);
	});
});
