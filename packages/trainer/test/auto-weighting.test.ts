import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobEventBody, type JobResult, type JobSpec, parseJobSpec } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import type { StoredDataset } from './array-dataset.js';
import { smallDataset } from './small-dataset.js';

let dataset: StoredDataset;
const folders: string[] = [];
beforeAll(async () => {
	dataset = await smallDataset('multiclass');
});
afterAll(async () => {
	await dataset.remove();
	for (const folder of folders) await rm(folder, { recursive: true });
});

/** Modality `c` is noise that is missing in some rows. */
const spec = (weighting: object, training: object = {}) =>
	parseJobSpec({
		...{ dataset: 'ds_1', device: 'cpu', model: { hidden: 16 }, weighting, evaluation: { robustness: false } },
		training: { epochs: 6, batch_size: 16, optimizer: { learning_rate: 0.01 }, ...training },
	});
const AUTO = { preset: 'auto', candidates: ['uniform', 'ogm-ge', 'qmf'] };

async function run(of: JobSpec, { stopAfter = Number.POSITIVE_INFINITY, earlier = [] as string[] } = {}) {
	const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	folders.push(output);
	const events: JobEventBody[] = [];
	const chunks = (): number => events.filter(({ type }) => type === 'progress').length;
	const outcome = await train({
		...{ spec: of, dataset: dataset.folder, output, earlier },
		emit: (event) => void events.push(event),
		stopped: () => chunks() >= stopAfter,
	});
	return { outcome, output, events, chunks: chunks() };
}

const sha = async (output: string): Promise<string> =>
	createHash('sha256')
		.update(await readFile(join(output, 'model.onnx')))
		.digest('hex');
function choiceOf({ outcome }: Awaited<ReturnType<typeof run>>): NonNullable<JobResult['weighting_choice']> {
	if (outcome.status !== 'done' || outcome.result.weighting_choice === undefined) throw new Error('there is no choice');
	return outcome.result.weighting_choice;
}
const progressOf = (events: readonly JobEventBody[]): number[] =>
	events.flatMap((event) => (event.type === 'progress' ? [event.progress] : []));

describe('a job that chooses its weighting', () => {
	let whole: Awaited<ReturnType<typeof run>>;
	beforeAll(async () => {
		whole = await run(spec(AUTO));
	});

	it('reports every candidate on validation as it is and with each modality shuffled, and keeps to the rule', () => {
		const { candidates, chosen, metric, rows, shuffles, reason } = choiceOf(whole);
		expect([metric, rows, shuffles]).toEqual(['loss', 30, 5]);
		expect(candidates.map(({ preset }) => preset)).toEqual(AUTO.candidates);
		for (const { shuffled, shuffled_mean: mean } of candidates) {
			expect(Object.keys(shuffled)).toEqual(['a', 'b', 'c']);
			expect(mean).toBeCloseTo(Object.values(shuffled).reduce((sum, value) => (sum as number) + (value as number), 0)! / 3, 12);
			// a tells the class, and c is noise: it costs most to lose what tells most
			expect(shuffled['a']!).toBeGreaterThan(shuffled['c']!);
		}
		const eligible = candidates.filter((one) => one.eligible);
		expect(eligible.map(({ preset }) => preset)).toContain(candidates.toSorted((a, b) => a.clean! - b.clean!)[0]?.preset);
		expect(chosen).toBe(eligible.toSorted((a, b) => a.shuffled_mean! - b.shuffled_mean!)[0]?.preset);
		expect(reason).toContain(chosen);
	});

	it('comes to the model that the chosen preset alone comes to, byte for byte, with the figures that chose it', async () => {
		const { chosen, candidates } = choiceOf(whole);
		const alone = await run(spec({ preset: chosen }));
		expect(await sha(whole.output)).toBe(await sha(alone.output));
		if (whole.outcome.status !== 'done' || alone.outcome.status !== 'done') throw new Error('stopped');
		expect(whole.outcome.result.metrics).toEqual(alone.outcome.result.metrics);
		expect(candidates.find(({ preset }) => preset === chosen)?.clean).toBe(alone.outcome.result.metrics['validation']?.['loss']);
		const curves = async ({ output }: { output: string }) => JSON.parse(await readFile(join(output, 'metrics.json'), 'utf8')).epochs;
		expect(await curves(whole)).toEqual(await curves(alone));
	});

	it('goes on to the same choice and the same bytes after it was stopped within a candidate, and comes further all the while', async () => {
		expect(progressOf(whole.events)).toEqual(progressOf(whole.events).toSorted((a, b) => a - b));
		const first = await run(spec(AUTO), { stopAfter: Math.floor(whole.chunks / 2) });
		expect(first.outcome.status).toBe('stopped');
		const second = await run(spec(AUTO), { earlier: [first.output] });
		expect(choiceOf(second)).toEqual(choiceOf(whole));
		expect(await sha(second.output)).toBe(await sha(whole.output));
		const models = new Set(second.events.flatMap((event) => (event.type === 'epoch' ? [event.model] : [])));
		expect(models).not.toContain('uniform: fusion');
		const all = [...progressOf(first.events), ...progressOf(second.events)];
		expect(all).toEqual(all.toSorted((a, b) => a - b));
	});

	it('tells the curves of its candidates apart while it trains', () => {
		const models = new Set(whole.events.flatMap((event) => (event.type === 'epoch' ? [event.model] : [])));
		expect([...models]).toEqual(expect.arrayContaining(['uniform: fusion', 'ogm-ge: fusion', 'qmf: a', 'qmf: fusion']));
		expect(whole.events.filter(({ type }) => type === 'device')).toHaveLength(1);
	});
});
