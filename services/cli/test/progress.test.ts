import type { JobEvent, JobEventBody } from '@steelyard/contracts';
import { describe, expect, it } from 'vitest';
import { progressOn } from '../src/progress.js';

/** What a terminal of a width, or with `null` a pipe, is given. */
function shown(columns: number | null, events: readonly JobEventBody[]): string {
	let text = '';
	const stream = { isTTY: columns !== null, columns: columns ?? 0, write: (part: string) => (text += part) !== '' };
	const progress = progressOn(stream as unknown as NodeJS.WriteStream);
	for (const [i, event] of events.entries()) progress.show({ id: `${i}-0`, at: i, ...event } as JobEvent);
	progress.end();
	return text;
}

const progress = (model: string, step: number, more: object = {}): JobEventBody => ({
	type: 'progress',
	stage: model === 'fusion' ? 'fusion' : 'unimodal',
	model,
	progress: 0.5,
	epoch: 0,
	epochs: 40,
	step,
	steps: 100,
	loss: 0.5,
	rows_per_second: 1234.5,
	eta_seconds: null,
	...more,
});

describe('on a terminal', () => {
	it('every model has one line, drawn over in place and no wider than the terminal', () => {
		const text = shown(60, [progress('text', 10), progress('text', 60), progress('fusion', 30)]);
		const lines = text.split('\n');
		expect(lines).toHaveLength(3);
		expect(
			lines[0]
				?.split('\r')
				.slice(1)
				.map((drawn) => /\d+ %/.exec(drawn)?.[0]),
		).toEqual(['10 %', '60 %', '100 %']);
		expect(lines[0]).toContain('unimodal text');
		expect(lines[1]).toContain('fusion');
		for (const drawn of text.split(/[\r\n]/)) expect(drawn.replace('\u001b[K', '').length).toBeLessThan(60);
	});
});

it('a model that was cut off stays where it was', () => {
	const text = shown(100, [progress('text', 40), { type: 'status', status: 'queued', attempt: 1, error: null }]);
	expect(text).toContain('40 %');
	expect(text).not.toContain('100 %');
	expect(text).toContain('\n  queued again after attempt 1\n');
});

describe('elsewhere', () => {
	it('lines are plain, and few', () => {
		const text = shown(null, [...Array.from({ length: 50 }, (_, step) => progress('text', step)), progress('fusion', 1)]);
		expect(text).not.toMatch(/[\r\u001b]/);
		expect(text.trimEnd().split('\n').length).toBeLessThan(6);
		expect(text).toContain('epoch  1/40  loss 0.5000');
	});

	it('the device is told with the reason for it, and an end with its error', () => {
		const error = { code: 'diverged', message: 'the loss is not finite', param: null };
		const text = shown(null, [
			{ type: 'device', provider: 'cpu', note: 'no such library' },
			progress('fusion', 1, { loss: null }),
			{ type: 'status', status: 'failed', attempt: 1, error },
		]);
		expect(text).toMatch(/training on cpu \(no CUDA: no such library\)/);
		expect(text).toMatch(/loss –/);
		expect(text).toMatch(/failed: the loss is not finite \(diverged\)/);
	});
});
