import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KINDS, mutantOf } from './fuzz/kinds.js';
import { openService } from './fuzz/service.js';

/** Mutants of each kind; `npm run test:files` sends as many as one likes. */
const EACH = 40;
/** Seeds that found a fault once. */
const FOUND: Record<string, number[]> = { 'onnx model': [6621, 7557], 'parquet table': [84] };
const OUTCOMES = ['accepted', 'over a limit', 'refused'];

let service: Awaited<ReturnType<typeof openService>>;
beforeAll(async () => {
	service = await openService();
});
afterAll(() => service?.close());

describe('mutants of real files', () => {
	it('are a function of their seed', () => {
		for (const kind of Object.keys(KINDS)) {
			expect(mutantOf(kind, 5, service.parts)).toEqual(mutantOf(kind, 5, service.parts));
			expect(mutantOf(kind, 5, service.parts)).not.toEqual(mutantOf(kind, 6, service.parts));
		}
	});

	it.each(Object.keys(KINDS))('a %s gets a verdict or a refusal in words', async (kind) => {
		const judged = [];
		const seeds = [...Array.from({ length: EACH }, (_, i) => i + 1), ...(FOUND[kind] ?? [])];
		for (const seed of seeds) judged.push(await service.judge(kind, seed));
		expect(judged.filter(({ outcome }) => !OUTCOMES.includes(outcome))).toEqual([]);
		expect(judged.filter(({ outcome }) => outcome === 'refused').length).toBeGreaterThan(EACH / 2); // most mutants are good for nothing
		expect(judged.map(({ outcome }) => outcome)).toContain('accepted');
	});

	it('are nowhere on the disk afterwards', async () => {
		expect(await service.strays()).toEqual([]);
	});
});
