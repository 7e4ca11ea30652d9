import { describe, expect, it } from 'vitest';
import { moment } from '../src/page/format.js';
import { noticeText } from '../src/page/job/notice-text.js';

describe('what a job says of its notice', () => {
	const [at, next] = [1_795_000_000, 1_795_000_030];
	const notified = { state: 'delivered' as const, attempts: 1, last_attempt_at: at, next_attempt_at: null, error: null };

	it('is when it was delivered, and after how many tries', () => {
		expect(noticeText(notified)).toBe(`delivered ${moment(at)}`);
		expect(noticeText({ ...notified, attempts: 3 })).toBe(`delivered ${moment(at)} after 3 tries`);
	});

	it('is why it was not, and when it is tried again', () => {
		const failed = { ...notified, error: 'example.com answered 500' };
		expect(noticeText({ ...failed, state: 'pending', next_attempt_at: next })).toBe(
			`not delivered after 1 try, the next is due ${moment(next)}: example.com answered 500`,
		);
		expect(noticeText({ ...failed, state: 'given_up', attempts: 10 })).toBe(
			`given up ${moment(at)} after 10 tries: example.com answered 500`,
		);
	});
});
