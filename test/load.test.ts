import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lists } from './load/lists.js';
import { drain, epochs, soak, streams } from './load/loads.js';
import { openService } from './load/service.js';

const MiB = 2 ** 20;

it('the lists that are timed find what they ask for, in jobs that the store alone knew', { timeout: 120_000 }, async () => {
	const { jobs, 'first search': _, ...found } = await lists({ jobs: 150 });
	expect(Object.fromEntries(Object.entries(found).map(([what, one]) => [what, (one as { found: number }).found]))).toEqual({
		'the newest 20': 20,
		'the newest 100': 100,
		'20 of a study of a hundredth': 2,
		'one by its seed': 1,
		'none, by a name': 0,
		'20 by accuracy': 20,
		'20 by loss, of a study': 2,
	});
	expect(jobs).toBe(150);
});

/** Short forms of what `npm run test:load` does at length. Memory is read from /proc. */
describe.skipIf(!existsSync('/proc/self/status'))('a service under load', () => {
	let service: Awaited<ReturnType<typeof openService>> | undefined;
	beforeAll(async () => {
		service = await openService();
	}, 120_000);
	afterAll(() => service?.close());
	const running = () => service ?? expect.unreachable('the service did not start');

	it('runs every job of many that are posted at once, each once', async () => {
		expect(await drain(running(), { jobs: 12 })).toMatchObject({ posted: 12, 'succeeded at the first attempt': 12, 'not posted': 0 });
	});

	it('keeps little of event streams that nobody reads', async () => {
		const { api, most, ...found } = await streams(running(), { count: 60, seconds: 4 });
		expect(found).toEqual({ streams: 60, 'read to the end': 30 });
		expect(most - api).toBeLessThan(100 * MiB);
	});

	it('takes no more memory for many epochs than for few', async () => {
		const { status, early, late } = await epochs(running(), { epochs: 3000 });
		expect(status).toBe('succeeded');
		for (const part of ['api', 'worker', 'trainers'] as const) expect(late[part], part).toBeLessThan(1.3 * early[part] + 32 * MiB);
	});

	it('takes no more memory after half a minute of use than at its beginning', { timeout: 300_000 }, async () => {
		const { rounds, first, last } = await soak(running(), { seconds: 30 });
		expect(rounds).toBeGreaterThan(2);
		for (const part of ['api', 'worker', 'redis'] as const) expect(last[part], part).toBeLessThan(1.3 * first[part] + 32 * MiB);
	});
});
