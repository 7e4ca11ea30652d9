import { expect, test } from 'vitest';
import { numbersIn } from './cores.js';
import { COMPARED, race, TOLERANCE, verdict } from './engine/race.js';
import { sameQuality } from './job/quality.js';

const STEPS = 10;
const falling = (step: number): number => 1 / (1 + step);

/** A process that takes so many milliseconds a step, by the number of the chunk, and tells these losses, by the number of the step. */
function fake(milliseconds: (chunk: number) => number, loss: (step: number) => number = falling, peakMiB = 100) {
	let chunk = 0;
	const stopped = { times: 0 };
	return {
		stopped,
		step: async () => {
			const losses = Array.from({ length: STEPS }, (_, i) => loss(chunk * STEPS + i));
			return { milliseconds: milliseconds(chunk++), peakMiB, losses };
		},
		stop: () => {
			stopped.times++;
		},
	};
}

test('a ratio is the median of those of single rounds, and chunks of the warm-up do not count', async () => {
	// the machine is twice as slow in every other round, for both sides alike
	const slow = (chunk: number): number => (chunk < 2 ? 1000 : chunk % 2 === 0 ? 2 : 1);
	const result = await race(
		{ ours: fake(slow), peers: { steady: fake((chunk) => 3 * slow(chunk), falling, 50), other: fake((chunk) => (chunk === 4 ? 1 : 4)) } },
		5,
	);
	expect(result.ours).toEqual({ ms: 2, spread: [1, 2], peakMiB: 100 });
	expect(result.peers['steady']).toEqual({
		ms: 6,
		spread: [3, 6],
		peakMiB: 50,
		ratio: 3,
		ratioSpread: [3, 3],
		memoryRatio: 2,
		losses: 'equal',
	});
	// rounds of 2, 1, 2, 1 and 2 ms against 4, 4, 1, 4 and 4
	expect(result.peers['other']).toMatchObject({ ms: 4, ratio: 2, ratioSpread: [0.5, 4] });
});

test('a peer that computes something else gets no time and no ratio', async () => {
	const apart = (step: number): number => falling(step) * (step === COMPARED - 1 ? 1 + 2 * TOLERANCE : 1);
	const { peers } = await race({ ours: fake(() => 1), peers: { apart: fake(() => 9, apart), same: fake(() => 2) } }, 3);
	expect(peers['apart']).toEqual({ losses: expect.stringMatching(/^void: the losses of step 20 are 0\.05\d* and 0\.0501/) });
	expect(peers['same']).toMatchObject({ ratio: 2, losses: 'equal' });
});

test('losses agree within the tolerance of float32 in another order, and only those', () => {
	const ours = Array.from({ length: 30 }, (_, step) => falling(step));
	const scaled = (factor: number): number[] => ours.map((loss) => loss * factor);
	expect(verdict(ours, scaled(1 + TOLERANCE / 2))).toBe('equal');
	expect(verdict(ours, scaled(1 - 2 * TOLERANCE))).toMatch(/^void: the losses of step 1 /);
	expect(verdict(ours, ours.slice(0, 12))).toBe('void: the peer told 12 losses, expected 20');
	expect(verdict([], [])).toBe('void: no losses were told');
	expect(verdict([0.5, Number.NaN], [0.5, Number.NaN])).toBe('void: the losses of step 2 are NaN and NaN');
	expect(verdict([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])).toBe('void: the loss does not change, so nothing was trained');
});

test('a peer that is not there or fails on its way is absent with its reason, and everything is stopped', async () => {
	const ours = fake(() => 1);
	const failing = fake(() => 1);
	const step = failing.step;
	let steps = 0;
	failing.step = () => (++steps > 3 ? Promise.reject(new Error('out of memory')) : step());
	const { peers } = await race({ ours, peers: { missing: { absent: 'no Python' }, failing } }, 4);
	expect(peers).toEqual({ missing: { absent: 'no Python' }, failing: { absent: 'out of memory' } });
	expect([ours.stopped.times, failing.stopped.times]).toEqual([1, 1]);
});

test('a run in which ours fails fails', async () => {
	const peer = fake(() => 1);
	const ours = { step: () => Promise.reject(new Error('no such operator')), stop: () => undefined };
	await expect(race({ ours, peers: { peer } }, 3)).rejects.toThrow('ours: no such operator');
	expect(peer.stopped.times).toBe(1);
});

test('whole jobs are compared only where they reach the same on the test split', () => {
	const ours = { auroc: 0.84, loss: 0.33 };
	expect(sameQuality(ours, { auroc: 0.83, loss: 0.34 })).toBe('equal');
	expect(sameQuality(ours, { auroc: 0.8, loss: 0.33 })).toBe('void: the auroc of test is 0.8400 and 0.8000, expected within 0.03');
	expect(sameQuality(ours, { auroc: 0.84, loss: Number.NaN })).toBe('void: the loss of test is 0.33 and NaN');
});

test('the cores of a process are read from the list that Linux writes', () => {
	expect(numbersIn('0-3,6')).toEqual([0, 1, 2, 3, 6]);
	expect(numbersIn('5')).toEqual([5]);
});
