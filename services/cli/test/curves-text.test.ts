import type { JobCurves } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { curvesText } from '../src/curves-text.js';
import { sparkline } from '../src/sparkline.js';

describe('a sparkline', () => {
	it('is lowest for the least value and highest for the largest', () => {
		expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8])).toBe('▁▂▃▄▅▆▇██');
		expect(sparkline([-1e9, 1e9, 0])).toBe('▁█▅');
	});

	it('of equal values lies in the middle', () => {
		expect(sparkline([2, 2, 2])).toBe('▄▄▄');
		expect(sparkline([0])).toBe('▄');
	});

	it('of many values shows the mean of each part, in at most 40 characters', () => {
		const values = Array.from({ length: 1000 }, (_, i) => Math.floor(i / 500));
		expect(sparkline(values)).toBe('▁'.repeat(20) + '█'.repeat(20));
		expect(sparkline(values.slice(0, 41))).toHaveLength(40);
	});
});

describe('the curves of a job', () => {
	const epochs = (model: string, losses: readonly number[], best: number): JobCurves['epochs'] =>
		losses.map((loss, epoch) => ({
			stage: model === 'fusion' ? 'fusion' : 'unimodal',
			model,
			epoch,
			train_loss: loss / 2,
			validation: { loss, auroc: null, accuracy: 1 - loss },
			learning_rate: 0.1,
			best: epoch === best,
		}));

	it('have a line each with the first and the last value, under the model and its best epoch', () => {
		const weights = [0.25, 0.5].map((labs, epoch) => ({
			epoch,
			modality_weights: { labs, note: 1 },
			mutual_information: {},
			smoothing: 1,
			seconds: 1,
		}));
		const text = curvesText({
			object: 'metrics',
			epochs: [...epochs('labs', [0.5, 0.75], 0), ...epochs('fusion', [1, 0.5, 0.75], 1)],
			weights,
		});
		expect(text.split('\n')).toEqual([
			'labs, 2 epochs, best in epoch 1: validation loss 0.5000',
			'  train loss           0.2500  ▁█   0.3750',
			'  validation loss      0.5000  ▁█   0.7500',
			'  validation accuracy  0.5000  █▁   0.2500',
			'',
			'fusion, 3 epochs, best in epoch 2: validation loss 0.5000',
			'  train loss           0.5000  █▁▅  0.3750',
			'  validation loss      1.0000  █▁▅  0.7500',
			'  validation accuracy  0.0000  ▁█▅  0.2500',
			'',
			'weights, 2 refreshes',
			'  labs                 0.2500  ▁█   0.5000',
			'  note                 1.0000  ▄▄   1.0000',
		]);
	});

	it('of methods without weights have none', () => {
		expect(curvesText({ object: 'metrics', epochs: epochs('fusion', [1], 0), weights: [] })).not.toContain('weights');
	});
});
