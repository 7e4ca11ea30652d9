import type { JobCurves } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { addEpoch, addWeights, MOST_POINTS } from '../src/job/curve.js';

type Epoch = JobCurves['epochs'][number];

const epochOf = (model: string, epoch: number, best = false): Epoch => ({
	...{ stage: 'fusion', model, epoch, best },
	...{ train_loss: 1 / (epoch + 1), validation: {}, learning_rate: 0.1 },
});

/** The curves of models that train for so many epochs, in turn; `best` says in which epochs they were best so far. */
function curvesOf(lengths: Record<string, number>, best: (epoch: number) => boolean): Epoch[] {
	const epochs: Epoch[] = [];
	for (const [model, length] of Object.entries(lengths))
		for (let epoch = 0; epoch < length; epoch++) addEpoch(epochs, epochOf(model, epoch, best(epoch)));
	return epochs;
}

describe('the curve of epochs', () => {
	it('has every epoch of a model that has not many', () => {
		const epochs = curvesOf({ text: MOST_POINTS, fusion: 3 }, (epoch) => epoch < 100);
		expect(epochs).toHaveLength(MOST_POINTS + 3);
	});

	it.each([MOST_POINTS + 1, 3 * MOST_POINTS, 40_000])(
		'has of %i epochs as many as it may, evenly, the last best and the newest',
		(length) => {
			const best = (epoch: number) => epoch === 7 || epoch === length - 102 || epoch === length - 101;
			const epochs = curvesOf({ text: 10, fusion: length }, best);
			expect(epochs.filter(({ model }) => model === 'text')).toHaveLength(10);
			const kept = epochs.filter(({ model }) => model === 'fusion').map(({ epoch }) => epoch);
			expect(kept.length).toBeLessThanOrEqual(MOST_POINTS + 2);
			expect(kept.length).toBeGreaterThan(MOST_POINTS / 2);
			expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
			expect(kept).toEqual(expect.arrayContaining([0, length - 101, length - 1]));
			const regular = kept.filter((epoch) => epoch !== length - 101 && epoch !== length - 1);
			const [first = 0, second = 0] = regular;
			for (const [i, epoch] of regular.slice(1).entries()) expect(epoch - (regular[i] ?? 0)).toBeLessThanOrEqual(2 * (second - first));
		},
	);
});

describe('the curve of weights', () => {
	it('has every refresh where there are not many, and else as many as it may, evenly, and the newest', () => {
		const weights: JobCurves['weights'] = [];
		for (let count = 1; count <= 20_001; count++) {
			addWeights(weights, { epoch: count - 1, modality_weights: {}, mutual_information: null, smoothing: 1, seconds: 0 }, count);
			if (count === MOST_POINTS) expect(weights).toHaveLength(MOST_POINTS);
			expect(weights.at(-1)?.epoch).toBe(count - 1);
		}
		expect(weights.length).toBeLessThanOrEqual(MOST_POINTS + 1);
		expect(weights.slice(0, -1).map(({ epoch }) => epoch)).toEqual(Array.from({ length: weights.length - 1 }, (_, i) => 16 * i));
	});
});
