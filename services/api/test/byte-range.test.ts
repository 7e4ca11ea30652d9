import { describe, expect, it } from 'vitest';
import { byteRange, matches } from '../src/jobs/byte-range.js';

describe('a Range header', () => {
	it.each([
		['bytes=0-0', { start: 0, end: 0 }],
		['bytes=2-5', { start: 2, end: 5 }],
		['bytes=2-', { start: 2, end: 9 }],
		['bytes=2-99', { start: 2, end: 9 }],
		['bytes=-3', { start: 7, end: 9 }],
		['bytes=-99', { start: 0, end: 9 }],
		['bytes = 2 - 5', { start: 2, end: 5 }],
	])('%s asks for a part of ten bytes', (header, range) => {
		expect(byteRange(header, 10)).toEqual(range);
	});
	it.each([undefined, '', 'bytes', 'bytes=-', 'bytes=5-2', 'bytes=a-b', 'rows=0-1', 'bytes=0-1,3-4'])('%s gives the whole', (header) => {
		expect(byteRange(header, 10)).toBeNull();
	});
	it.each(['bytes=10-', 'bytes=10-12', 'bytes=-0', 'bytes=99999999999999999999-'])('%s cannot be satisfied by ten bytes', (header) => {
		expect(byteRange(header, 10)).toBe('unsatisfiable');
	});
	it('cannot be satisfied by an empty file', () => {
		expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable');
		expect(byteRange('bytes=-1', 0)).toBe('unsatisfiable');
	});
});

describe('an If-None-Match header', () => {
	it('matches the tag, weak or in a list, and a star', () => {
		for (const header of ['"a"', 'W/"a"', '"b", "a"', '*']) expect(matches(header, '"a"')).toBe(true);
		for (const header of [undefined, '', 'a', '"b"']) expect(matches(header, '"a"')).toBe(false);
	});
});
