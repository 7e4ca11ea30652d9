import { describe, expect, it } from 'vitest';
import { csvOf, numbersOf, smoothed } from '../src/page/plots/chart.js';
import { rangeOf, roundTicks, scaleOf } from '../src/page/plots/scale.js';

describe('an axis', () => {
	it('has round ticks', () => {
		expect(roundTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
		expect(roundTicks(0.93, 0.99, 5)).toEqual([0.94, 0.96, 0.98]);
		expect(roundTicks(1, 4, 10, true)).toEqual([1, 2, 3, 4]);
	});

	it('goes a little beyond the values, not below zero without need, and never nowhere', () => {
		expect(rangeOf({ label: '' }, [0.02, 1.02])).toEqual([0, 1.07]);
		expect(rangeOf({ label: '' }, [3, 3])).toEqual([2.7, 3.3]);
		expect(rangeOf({ label: '' }, [])).toEqual([0, 1]);
		expect(rangeOf({ label: '', log: true }, [0, null, 0.1, 10])).toEqual([0.1, 10]);
	});

	it('places values between two points', () => {
		const up = scaleOf({ label: '' }, [0, 10], 100, 0);
		expect([up(0), up(5), up(10)]).toEqual([100, 50, 0]);
		const log = scaleOf({ label: '', log: true }, [1, 100], 0, 10);
		expect(log(10)).toBeCloseTo(5, 12);
		expect(log.ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
	});
});

describe('smoothing', () => {
	it('begins with the first value, and leaves gaps', () => {
		expect(smoothed([4, null, 4, 4], 0.9)).toEqual([4, null, 4, 4]);
		expect(smoothed([1, 2], 0)).toEqual([1, 2]);
		// (0.5 · 0.5 · 0 + 0.5 · 3) / (0.5 + 0.25)
		expect(smoothed([0, 3], 0.5)).toEqual([0, 2]);
	});
});

describe('the numbers of a chart', () => {
	it('have a row for each point, and the band where a line has one', () => {
		const series = [
			{ name: 'a, "b"', color: 0, x: [1, 2], y: [0.5, null], band: { low: [0.4, null], high: [0.6, null], name: 'p10–p90' } },
		];
		const numbers = numbersOf({ title: '', x: { label: 'epoch' }, y: { label: 'weight' }, series });
		expect(csvOf(numbers)).toBe('series,epoch,weight,low,high\r\n"a, ""b""",1,0.5,0.4,0.6\r\n"a, ""b""",2,,,\r\n');
	});
});
