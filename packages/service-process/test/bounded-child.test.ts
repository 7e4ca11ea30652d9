import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type BoundedChild, heldTo, startBoundedChild } from '../src/index.js';

const ENTRY = fileURLToPath(new URL('fixtures/greedy.mjs', import.meta.url));
const MEBIBYTE = 1024 ** 2;
const LIMITS = { ms: 60_000, bytes: 300 * MEBIBYTE };

let child: BoundedChild;
afterEach(() => child.end());

describe.skipIf(heldTo(1) === null)('a child that the system holds to its memory', () => {
	it('gets what is within the limit', async () => {
		child = startBoundedChild({ entry: ENTRY, limits: LIMITS });
		expect(await child.run({ bytes: 50 * MEBIBYTE })).toEqual({ type: 'answered', answer: { got: 50 * MEBIBYTE } });
		expect(await child.run({ bytes: 50 * MEBIBYTE })).toMatchObject({ type: 'answered' });
	});

	it('does not get more for a moment, and may go on', async () => {
		child = startBoundedChild({ entry: ENTRY, limits: LIMITS });
		const answer = { message: 'Array buffer allocation failed' };
		expect(await child.run({ bytes: 400 * MEBIBYTE, caught: true })).toEqual({ type: 'answered', answer });
		expect(await child.peak()).toBeLessThan(LIMITS.bytes);
		expect(child.isAlive).toBe(true);
	});

	it('has taken too much where it ends by that', async () => {
		child = startBoundedChild({ entry: ENTRY, limits: LIMITS });
		expect(await child.run({ bytes: 400 * MEBIBYTE })).toEqual({ type: 'too big', bytes: null });
		expect(child.isAlive).toBe(false);
	});
});
