import type { JobResource } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { compare, comparisonText, MOST_COMPARED } from '../src/comparison.js';

type Parts = { id?: string; spec?: object; result?: object | null; metrics?: object | null; status?: string };

/** As much of a job as is compared. */
const jobOf = ({
	id = 'job_01m8mfkejdh16v5v9k7x14xw61',
	spec = {},
	result = null,
	metrics = null,
	status = 'succeeded',
}: Parts): JobResource =>
	({
		...{ id, status, metrics, result },
		spec: { dataset: 'ds_01m8mfkejdh16v5v9k7x14xw61', weighting: { preset: 'btw' }, training: { epochs: 40 }, metadata: {}, ...spec },
	}) as unknown as JobResource;
const resultOf = (metrics: object) => ({ metrics, best_epoch: 2, parameters: 12_345, seconds: 17.2 });

describe('a comparison', () => {
	it('has of the specs what differs alone, also what one of them lacks', () => {
		const { spec } = compare([
			jobOf({
				spec: {
					name: 'a',
					training: { epochs: 40, clip_norm: null, optimizer: { name: 'sgd' } },
					modalities: ['a', 'b'],
					metadata: { seed: '1' },
				},
			}),
			jobOf({ spec: { name: 'b', training: { epochs: 40, clip_norm: 0.5, optimizer: { name: 'sgd' } }, modalities: ['b', 'a'] } }),
			jobOf({ spec: { training: { epochs: 40, clip_norm: 0.5 }, modalities: ['a', 'b'], metadata: {} } }),
		]);
		expect(spec).toEqual({
			'training.clip_norm': [null, 0.5, 0.5],
			'training.optimizer.name': ['sgd', 'sgd', null],
			modalities: [
				['a', 'b'],
				['b', 'a'],
				['a', 'b'],
			],
			metadata: [null, {}, {}],
			'metadata.seed': ['1', null, null],
		});
	});

	it('has the metrics of every split side by side, and of a job that runs those so far', () => {
		const { metrics, jobs } = compare([
			jobOf({ result: resultOf({ validation: { loss: 0.3 }, test: { loss: 0.4, auroc: null } }), metrics: { loss: 9 } }),
			jobOf({ metrics: { loss: 0.5, accuracy: 0.75 }, status: 'running' }),
			jobOf({ status: 'queued' }),
		]);
		expect(metrics).toEqual({
			validation: { loss: [0.3, 0.5, null], accuracy: [null, 0.75, null] },
			test: { loss: [0.4, null, null], auroc: [null, null, null] },
		});
		expect(jobs.map(({ status, best_epoch }) => [status, best_epoch])).toEqual([
			['succeeded', 2],
			['running', null],
			['queued', null],
		]);
	});
});

describe('a comparison to read', () => {
	it('names the jobs by letters, and what they are and came to in columns', () => {
		const text = comparisonText(
			compare([
				jobOf({ id: 'job_1', spec: { name: 'Ward 3' }, result: resultOf({ test: { accuracy: 0.96381 } }) }),
				jobOf({ id: 'job_2', spec: { weighting: { preset: 'consensus' } }, result: resultOf({ test: { accuracy: null } }) }),
			]),
			80,
		);
		expect(text).toBe(
			[
				'A  job_1  Ward 3',
				'B  job_2',
				'',
				'                  A          B',
				'status            succeeded  succeeded',
				'best epoch        3          3',
				'parameters        12,345     12,345',
				'trained for       18 s       18 s',
				'',
				'spec              A          B',
				'weighting.preset  btw        consensus',
				'',
				'metric            A          B',
				'test accuracy     0.9638     –',
			].join('\n'),
		);
	});

	it('says so where specs are equal', () => {
		expect(comparisonText(compare([jobOf({ spec: { name: 'a' } }), jobOf({})]), 80)).toContain('Their specs are equal');
	});

	it('cuts the middle out of what is long, as ids begin alike', () => {
		const [one, two] = ['ds_01m8mfkejdh16v5v9k7x14xw61', 'ds_01m8mfkejdh16v5v9k7x14xw62'];
		const text = comparisonText(compare([jobOf({ spec: { dataset: one } }), jobOf({ spec: { dataset: two } }), jobOf({})]), 60);
		expect(text).toMatch(/^dataset +ds_01m.*…\w*xw61 +ds_01m.*…\w*xw62 +ds_01m.*…\w*xw61$/m);
	});

	it('is no wider than the terminal, however many jobs there are and however long their fields', () => {
		const jobs = Array.from({ length: MOST_COMPARED }, (_, i) =>
			jobOf({
				spec: { name: 'Ward '.repeat(40), model: { [`a_field_with_a_long_name_${'x'.repeat(60)}`]: `${i} ${'y'.repeat(100)}` } },
				result: resultOf({ validation: { loss: 1234.5678, accuracy: 0.5 }, test: { ['z'.repeat(90)]: i } }),
			}),
		);
		for (const columns of [40, 80, 200])
			for (const count of [2, 3, 5, MOST_COMPARED]) {
				const lines = comparisonText(compare(jobs.slice(0, count)), columns).split('\n');
				expect(Math.max(...lines.map((line) => line.length)), `${count} jobs in ${columns} columns`).toBeLessThanOrEqual(columns);
				const headings = lines.filter((line) => line.startsWith('metric ')).flatMap((line) => line.split(/ +/).slice(1));
				expect(headings).toEqual(Array.from({ length: count }, (_, i) => String.fromCharCode(65 + i)));
			}
	});

	it('holds nothing that a terminal would take for orders', () => {
		const job = (text: string) => jobOf({ spec: { metadata: { [`k\u009b${text}`]: `\u001b[2J${text}` } } });
		expect(comparisonText(compare([job('a'), job('b')]), 80)).not.toMatch(/[\u001b\u009b]/);
	});
});
