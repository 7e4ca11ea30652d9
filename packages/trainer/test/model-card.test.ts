import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobSpec, parseJobSpec } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { afterAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { type CardInput, modelCard } from '../src/report/model-card.js';
import { smallDataset } from './small-dataset.js';

const remove: Array<() => Promise<void>> = [];
afterAll(async () => {
	for (const each of remove) await each();
});

const spec = (more: object = {}): JobSpec =>
	parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { hidden: 16 },
		weighting: { preset: 'consensus' },
		training: { epochs: 10, batch_size: 16, optimizer: { learning_rate: 0.01 } },
		...more,
	});

type Kind = Parameters<typeof smallDataset>[0];

/** A job on the small dataset, its card, and what a card is made of. */
async function job(
	kind: Kind,
	{ more = {}, folder = null as string | null, stops = (_events: number): boolean => false, earlier = [] as string[] } = {},
) {
	const made = folder === null ? await smallDataset(kind) : null;
	if (made !== null) remove.push(made.remove);
	const dataset = folder ?? made?.folder ?? '';
	const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	remove.push(() => rm(output, { recursive: true }));
	let events = 0;
	const emit = () => void (events += 1);
	const outcome = await train({ spec: spec(more), dataset, output, earlier, emit, stopped: () => stops(events) });
	return { outcome, output, dataset, card: () => readFile(join(output, 'report.md'), 'utf8') };
}

/** What a card is made of, as little of it as there may be. */
const input = (more: Partial<CardInput> = {}): CardInput => ({
	version: '1.2.3',
	dataset: {
		name: 'ward | <b>3</b>',
		title: null,
		task: { type: 'binary', classes: ['no|thing', 'a\nfall'], outputs: 1 },
		modalities: { a: { shape: [2], masked: false, missing: 0 }, b: { shape: [3, 4], masked: true, missing: 0.25 } },
		splits: {},
		bytes: 1,
		sha256: 'abc',
	},
	grouped: false,
	spec: spec(),
	task: { type: 'binary', classes: ['no|thing', 'a\nfall'], outputs: 1 },
	splits: [
		{ name: 'train', rows: 4, labels: Float64Array.of(0, 0, 0, 1) },
		{ name: 'validation', rows: 3, labels: Float64Array.of(0, 1, 1) },
	],
	modalities: ['a', 'b'],
	result: {
		metrics: { train: { accuracy: 0.9, loss: 0.2 }, validation: { accuracy: 0.75, loss: 0.4 } },
		intervals: { validation: { accuracy: { low: 0.5, high: 1 } } },
		warnings: [],
		unimodal: {},
		modality_weights: {
			a: { mean: 1.5, p10: 1.1, p90: 1.8, mutual_information: null },
			b: { mean: 0.5, p10: 0.2, p90: 0.9, mutual_information: null },
		},
		best_epoch: 0,
		epochs: 2,
		parameters: 1234,
		device: 'cpu',
		device_note: null,
	},
	robustness: null,
	metric: 'accuracy',
	reported: 'validation',
	files: [{ name: 'model.onnx', bytes: 5, sha256: 'def' }],
	...more,
});

/** Every table of a card, by its lines. */
const tablesOf = (card: string): string[][] =>
	card.split('\n\n').flatMap((part) => (part.startsWith('|') ? [part.trimEnd().split('\n')] : []));

describe('a model card', () => {
	for (const kind of ['binary', 'multiclass', 'multilabel', 'regression'] as const)
		it(`of a ${kind} job says what the result says, in tables that line up, on about two pages`, async () => {
			const { outcome, card, dataset } = await job(kind);
			if (outcome.status !== 'done') throw new Error('stopped');
			const text = await card();
			const { result } = outcome;
			expect(outcome.artifacts).toContain('report.md');
			const metric = kind === 'regression' ? 'mae' : 'accuracy';
			const { low, high } = result.intervals!['test']![metric]!;
			expect(text).toContain(`is ${result.metrics['test']![metric]!.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}).`);
			const { mean, p10, p90 } = result.modality_weights['a']!;
			expect(text).toMatch(new RegExp(`^\\| a +\\| ${[mean, p10, p90].map((weight) => weight.toFixed(2)).join(' +\\| ')} +\\|$`, 'm'));
			const { shuffled } = result.robustness!.modalities['a']!;
			expect(text).toContain(`+${shuffled!.mean.toFixed(3)} (+${shuffled!.low.toFixed(3)} to +${shuffled!.high.toFixed(3)})`);
			expect(text).toContain('It depends most on **a**.');
			expect(text).toMatch(/^\| c +\| 2 +\| 20 % /m);
			for (const { message } of result.warnings!) expect(text.replaceAll('\\', '')).toContain(message.slice(0, 60));
			const profile = openDataset(dataset);
			expect(text).toContain(profile.profile.sha256);
			profile.close();
			for (const lines of tablesOf(text)) expect(new Set(lines.map((line) => [...line].length)).size).toBe(1);
			expect(tablesOf(text).length).toBeGreaterThanOrEqual(7);
			expect(text.split('\n').length).toBeLessThan(130);
			expect(text).not.toMatch(/undefined|NaN|ds_1|Infinity/);
		});

	it('has the same bytes for equal jobs, also after a resume', async () => {
		const whole = await job('binary');
		const first = await job('binary', { folder: whole.dataset, stops: (events) => events > 40 });
		expect(first.outcome.status).toBe('stopped');
		const second = await job('binary', { folder: whole.dataset, earlier: [first.output] });
		expect(await second.card()).toBe(await whole.card());
	});

	it('says how the weighting was chosen, where it was', () => {
		const weighting_choice = {
			...{ chosen: 'consensus' as const, reason: 'It stands a broken modality.', metric: 'loss', rows: 40, shuffles: 5 },
			candidates: [
				{ preset: 'uniform' as const, clean: 0.5, standard_error: 0.01, eligible: true, shuffled: { a: 0.9, b: 0.7 }, shuffled_mean: 0.8 },
				{
					preset: 'consensus' as const,
					clean: 0.49,
					standard_error: 0,
					eligible: true,
					shuffled: { a: 0.7, b: null },
					shuffled_mean: null,
				},
			],
		};
		const text = modelCard(input({ result: { ...input().result, weighting_choice } }));
		expect(text).toMatch(/weighting of modalities +\| consensus, chosen on validation/);
		expect(text).toContain('It stands a broken modality. Each weighting was trained and judged by its loss over the 40 rows of validation');
		expect(text).toMatch(/\| consensus \(chosen\) +\| 0\.49\d* +\| 0\.7\d* +\| – +\| – +\|/);
		expect(modelCard(input())).not.toContain('chosen on validation');
	});

	it('says in which precision the products of training were, and how many steps were skipped', () => {
		const low = (precision: 'float16' | 'bfloat16', more = {}): string =>
			modelCard(input({ spec: spec({ training: { precision } }), result: { ...input().result, ...more } }));
		expect(low('float16', { skipped_steps: 12 })).toMatch(/products of training +\| float16, 12 steps skipped/);
		expect(low('bfloat16')).toMatch(/products of training +\| bfloat16 +\|/);
		expect(modelCard(input())).not.toContain('products of training');
	});

	it('says that robustness was not measured, and why', async () => {
		const { card } = await job('binary', { more: { evaluation: { robustness: false } } });
		expect(await card()).toContain('evaluation.robustness false');
		const text = modelCard(
			input({ robustness: { object: 'robustness', metric: 'accuracy', shuffles: 10, reason: 'too short', splits: {} } }),
		);
		expect(text).toContain('This was not measured: too short.');
	});

	it('keeps texts of users from breaking its tables or becoming tags', () => {
		const text = modelCard(input());
		expect(text).toContain('# Model card: ward \\| \\<b>3\\</b>');
		expect(text).toMatch(/^\| split +\| rows \| no\\\|thing +\| a fall +\|$/m);
		expect(text).toMatch(/^\| train +\| 4 +\| 3 \(75 %\) +\| 1 \(25 %\) +\|$/m);
		expect(text).toMatch(/^\| b +\| 3 × 4 +\| 25 % +\|/m);
	});

	it('says what a model without modalities would come to', () => {
		expect(modelCard(input())).toContain('Always answering "no\\|thing" has an accuracy of 0.333 there.');
		const regression = { type: 'regression' as const, classes: [], outputs: 1 };
		const result = { ...input().result, metrics: { validation: { mae: 0.4, loss: 0.3 } } };
		// the mean of the training labels is 0.25, which is 0.25 off once and 0.75 twice
		expect(modelCard(input({ task: regression, result, metric: 'mae' }))).toContain('has a mean absolute error of 0.583 there.');
	});

	it('names limits by what the job lacked', () => {
		const text = modelCard(input());
		expect(text).toContain('by which the best epoch was chosen');
		expect(text).toContain('- A test split');
		expect(text).toContain('the dataset does not say which rows belong together');
		expect(text).toContain('- Modalities that break.');
		expect(text).toContain('- Whether probabilities are right');
		const calibrated = { ...input().result, calibration: { temperature: null, ece: { validation: 0.0321 } } };
		expect(modelCard(input({ result: calibrated }))).toContain('how often it is right by 0.032 on average over the rows of validation');
		expect(modelCard(input({ result: calibrated }))).not.toContain('Whether probabilities');
		const splits = [...input().splits, { name: 'test', rows: 3, labels: Float64Array.of(0, 1, 1) }];
		const result = { ...input().result, metrics: { ...input().result.metrics, test: { accuracy: 0.7, loss: 0.5 } } };
		const other = modelCard(input({ grouped: true, splits, result, reported: 'test' }));
		expect(other).toContain('On 3 rows of test, which training never saw');
		expect(other).not.toContain('- A test split');
		expect(other).not.toContain('belong together');
	});

	it('says which modality is trusted most, or that weights were left out', () => {
		expect(modelCard(input())).toContain('it trusts a most (1.50 on average) and b least (0.50)');
		const one = { mean: 1, p10: 1, p90: 1, mutual_information: null };
		const guarded = { code: 'weighting_hurts' as const, message: 'm', advice: 'n', guarded: true };
		const result = { ...input().result, modality_weights: { a: one, b: one }, warnings: [guarded] };
		expect(modelCard(input({ result }))).toContain('The weighting consensus was worse than none and was left out');
		expect(modelCard(input({ result }))).toContain('- m. n');
		expect(modelCard(input({ result: { ...result, warnings: [] } }))).toContain('(weighting consensus): the model has no opinion');
	});
});
