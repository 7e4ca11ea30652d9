import { describe, expect, it } from 'vitest';
import { chooseWeighting, type JudgedCandidate } from '../src/report/weighting-choice.js';

const COUNTS = { rows: 100, shuffles: 5 };
/** Resamples whose distances are `spread` in turn above and below. */
const resampled = (spread: number): number[] => Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? spread : -spread));
const candidate = (preset: JudgedCandidate['preset'], clean: number | null, shuffled: (number | null)[], spread = 0): JudgedCandidate => ({
	...{ preset, clean, resampled: clean === null ? null : resampled(spread) },
	shuffled: Object.fromEntries(shuffled.map((value, m) => [`m${m}`, value])),
});
const chosen = (metric: string, ...of: JudgedCandidate[]) => chooseWeighting(metric, of, COUNTS);

describe('the choice of a weighting', () => {
	it('takes what stands a broken modality best, among those within a standard error of the best', () => {
		const found = chosen('accuracy', candidate('uniform', 0.8, [0.6, 0.7]), candidate('consensus', 0.79, [0.7, 0.7], 0.02));
		expect(found.chosen).toBe('consensus');
		const [best, other] = found.candidates;
		expect([best?.standard_error, best?.eligible]).toEqual([0, true]);
		expect(best?.shuffled_mean).toBeCloseTo(0.65, 12);
		// The difference is 0.02 above or below, whose deviation over 1,000 resamples that is.
		expect(other?.standard_error).toBeCloseTo(0.02 * Math.sqrt(1000 / 999), 12);
		expect(found.reason).toBe(
			'By accuracy on validation, uniform, consensus are within a standard error of the best; where a modality is shuffled, consensus has 0.7 in the mean, beside uniform with 0.65.',
		);
	});

	it('leaves out what is worse by more than a standard error, however well it stands a broken modality', () => {
		const found = chosen('accuracy', candidate('uniform', 0.8, [0.6]), candidate('consensus', 0.77, [0.8], 0.02));
		expect([found.chosen, found.candidates[1]?.eligible]).toEqual(['uniform', false]);
		expect(found.reason).toBe('The accuracy of uniform on validation, 0.8, is the best by more than a standard error.');
	});

	it('pairs the resamples: what two models share is no error', () => {
		const found = chosen('loss', candidate('uniform', 0.5, [1], 0.3), candidate('consensus', 0.51, [0.7], 0.3));
		expect(found.candidates[1]).toMatchObject({ standard_error: 0, eligible: false });
	});

	it('takes less of a loss', () => {
		expect(chosen('loss', candidate('uniform', 0.5, [1]), candidate('consensus', 0.4, [2])).chosen).toBe('consensus');
	});

	it('takes the first of equal ones', () => {
		const equal = [0.6, 0.7];
		expect(chosen('loss', candidate('mi', 0.5, equal), candidate('btw', 0.5, equal), candidate('qmf', 0.5, equal)).chosen).toBe('mi');
	});

	it('takes no candidate whose metric is undefined where another has one, and the first where none has', () => {
		expect(chosen('auroc', candidate('uniform', null, [0.9]), candidate('consensus', 0.6, [null])).chosen).toBe('consensus');
		const none = chosen('auroc', candidate('uniform', null, [null]), candidate('consensus', null, [null]));
		expect([none.chosen, none.candidates[0]?.shuffled_mean]).toEqual(['uniform', null]);
	});

	it('has no standard error, and so no room, where there are no resamples', () => {
		const without = { ...candidate('consensus', 0.79, [0.9]), resampled: null };
		expect(chosen('accuracy', candidate('uniform', 0.8, [0.6]), without).candidates[1]).toMatchObject({
			standard_error: null,
			eligible: false,
		});
	});
});
