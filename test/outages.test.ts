import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTrial } from './faults/outages.js';

type Trial = Awaited<ReturnType<typeof openTrial>>;

/** The kinds after which something once stood for ever; `node test/faults/outages.js` has them all, and longer. */
const KINDS: Trial['kinds'] = ['away', 'half-open', 'LOADING'];

describe.skipIf(!existsSync('/proc/self/environ'))('an outage of Redis', () => {
	let trial: Trial | undefined;
	beforeAll(async () => {
		trial = await openTrial();
	}, 300_000);
	afterAll(() => trial?.close());

	it.each(KINDS)('of the kind %s is answered with 503, and jobs run again after it', async (kind) => {
		const { statuses } = await (trial as Trial).outage(kind, 1);
		expect(statuses).toEqual([503]);
	});
});
