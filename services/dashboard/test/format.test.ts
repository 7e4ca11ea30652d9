import { describe, expect, it } from 'vitest';
import { bytes, duration, figure, percent, shortId, tickText } from '../src/page/format.js';

describe('numbers for people', () => {
	it.each([
		[0.958333, '0.9583'],
		[12.3456, '12.35'],
		[1204, '1,204'],
		[1204.5, '1,205'],
		[2.5e-7, '2.50e-7'],
		[-0.25, '−0.2500'],
		[0, '0'],
		[null, '–'],
		[Number.NaN, '–'],
	])('%d is %s', (value, text) => {
		expect(figure(value)).toBe(text);
	});

	it.each([
		[0.4, '0.4 s'],
		[38, '38 s'],
		[250, '4 min 10 s'],
		[7500, '2 h 5 min'],
		[3600, '1 h'],
		[273_600, '3 d 4 h'],
	])('%d seconds are %s', (seconds, text) => {
		expect(duration(seconds)).toBe(text);
	});

	it('bytes, shares, ticks and ids are short', () => {
		expect([bytes(0), bytes(999), bytes(1_794_957), bytes(4e9)]).toEqual(['0 B', '999 B', '1.79 MB', '4.00 GB']);
		expect(percent(0.125)).toBe('12.5 %');
		expect([tickText(0.1), tickText(1e-5), tickText(20_000)]).toEqual(['0.1', '1e-5', '20,000']);
		expect(shortId('job_01h000000000000000008k2fz')).toBe('job_…8k2fz');
	});
});
