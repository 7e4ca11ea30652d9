import type { EpochPoint } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { lossChart, metricChart } from '../src/page/job/curves.js';

/** The epochs of a model: one with the smallest loss, and later ones that were the best since the first refresh. */
const epochsOf = (model: string): EpochPoint[] =>
	[0.1, 0.4, 0.2].map((loss, epoch) => ({
		...{ stage: 'fusion', model, epoch, learning_rate: 0.001, train_loss: loss },
		...{ validation: { loss, accuracy: 1 - loss }, best: epoch !== 1 },
	}));
const look = { log: false, smoothing: 0 };
const marks = ({ series }: ReturnType<typeof lossChart>): (number | undefined)[] => series.map(({ marks }) => marks?.[0]?.x);

describe('the loss of a model', () => {
	it('is called by what the model is, also that of a candidate while the weighting is chosen', () => {
		const titles = ['fusion', 'body', 'uniform: fusion'].map((model) => lossChart(epochsOf(model), model, look).title);
		expect(titles).toEqual(['Loss of the fused model', 'Loss of body alone', 'Loss of the fused model with uniform']);
	});
});

describe('the mark on the curves of a job', () => {
	it('is the epoch that is the best so far', () => {
		expect(marks(lossChart(epochsOf('fusion'), 'fusion', look))).toEqual([undefined, 3]);
	});

	it('is the exported one of the fused model once that is known, also where a guard took an earlier one', () => {
		expect(marks(lossChart(epochsOf('fusion'), 'fusion', { ...look, exported: 0 }))).toEqual([undefined, 1]);
		const epochs = [...epochsOf('body'), ...epochsOf('fusion')];
		const wanted = { metric: 'accuracy', title: 'Validation: accuracy', modalities: ['body'] };
		expect(marks(metricChart(epochs, wanted, { ...look, exported: 0 }))).toEqual([3, 1]);
	});
});
