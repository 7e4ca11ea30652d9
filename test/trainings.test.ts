import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { furthest } from './zoo/trainings/follows.js';
import { trainJob } from './zoo/trainings/train-job.js';

const FIXTURES = fileURLToPath(new URL('fixtures/trainings/', import.meta.url));

// Made by test/zoo/trainings/generate.py --small and generate_keras.py --small.
describe('jobs with the losses of other frameworks', () => {
	for (const name of readdirSync(FIXTURES))
		it(`${name} follows them for 50 steps`, async () => {
			const { found, expected, exact } = await trainJob(`${FIXTURES}${name}`);
			expect(found).toHaveLength(50);
			expect(expected.at(-1)).toBeLessThan(0.9 * expected[0]!);
			expect(furthest(found, expected, exact).share).toBeLessThanOrEqual(1);
		});
});
