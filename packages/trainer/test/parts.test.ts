import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { train } from '../src/job/train.js';
import type * as pacing from '../src/step/pace.js';
import { smallDataset } from './small-dataset.js';
import { weightingBy } from './weighting-by.js';

/** The most steps of a run. */
let most = Number.POSITIVE_INFINITY;
vi.mock('../src/step/pace.js', () => ({ openPace: () => ({ next: (rest: number) => Math.min(rest, most), took() {} }) }));

let dataset: Awaited<ReturnType<typeof smallDataset>>;
let root: string;
beforeAll(async () => {
	dataset = await smallDataset('binary');
	root = await mkdtemp(join(tmpdir(), 'steelyard-parts-'));
});
afterAll(async () => {
	await dataset.remove();
	await rm(root, { recursive: true });
});

type Attempt = { stopped?: (events: JobEventBody[]) => boolean; earlier?: string[] };
async function run(more: object, steps: number, { stopped, earlier = [] }: Attempt = {}) {
	most = steps;
	const output = await mkdtemp(join(root, 'output-'));
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { hidden: 16, dropout: 0.2 },
		training: { epochs: 4, batch_size: 7, optimizer: { learning_rate: 0.01 } },
		...more,
	});
	const events: JobEventBody[] = [];
	const emit = (event: JobEventBody) => void events.push(event);
	const outcome = await train({ spec, dataset: dataset.folder, output, earlier, emit, stopped: () => stopped?.(events) ?? false });
	return { outcome, events, output };
}
const sha = async (output: string) =>
	createHash('sha256')
		.update(await readFile(join(output, 'model.onnx')))
		.digest('hex');
const progressOf = (events: JobEventBody[]) => events.flatMap((event) => (event.type === 'progress' ? [event] : []));

describe('a chunk that is run in parts', () => {
	for (const [name, preset] of [
		['adam', 'btw'],
		['adamw', 'ogm-ge'],
		['momentum', 'uniform'],
	] as const)
		it(`gives the bytes of one that is run at once, also after a stop within it: ${name}, ${preset}`, async () => {
			const more = {
				weighting: weightingBy(preset, 2),
				training: {
					epochs: 4,
					batch_size: 7,
					optimizer: { name, learning_rate: 0.01 },
					clip_norm: 1,
					modality_dropout: 0.2,
					schedule: { name: 'warmup-cosine' },
				},
			};
			const whole = await run(more, Number.POSITIVE_INFINITY);
			const parts = await run(more, 2);
			expect(progressOf(parts.events).length).toBeGreaterThan(2 * progressOf(whole.events).length);
			const expected = await sha(whole.output);
			expect(await sha(parts.output)).toBe(expected);
			const asked = progressOf(parts.events).length - 4;
			const first = await run(more, 3, { stopped: (events) => progressOf(events).length > asked / 2 });
			expect(first.outcome.status).toBe('stopped');
			const second = await run(more, 1, { earlier: [first.output] });
			expect(await sha(second.output)).toBe(expected);
			const [last, next] = [progressOf(first.events).at(-1), progressOf(second.events)[0]];
			expect([next?.model, next?.step]).toEqual([last?.model, (last?.step as number) + 1]);
			expect(second.events.filter(({ type }) => type === 'weights')).toHaveLength(
				whole.events.filter(({ type }) => type === 'weights').length - first.events.filter(({ type }) => type === 'weights').length,
			);
		});

	it('ends with the same bytes wherever a stop is heard, also in a validation or a refresh', async () => {
		const more = { weighting: weightingBy('btw', 2) };
		let asks = 0;
		const whole = await run(more, 3, { stopped: () => ++asks < 0 });
		const expected = await sha(whole.output);
		const count = asks;
		const checkStop = async (stopped: (events: JobEventBody[]) => boolean): Promise<JobEventBody[]> => {
			const first = await run(more, 3, { stopped });
			expect(first.outcome.status).toBe('stopped');
			const second = await run(more, 3, { earlier: [first.output] });
			expect(await sha(second.output)).toBe(expected);
			return second.events;
		};
		for (let part = 1; part <= 6; part++) {
			asks = 0;
			await checkStop(() => ++asks >= Math.floor((part * count) / 7));
		}
		const isStep = (step: number, event: JobEventBody | undefined) =>
			event?.type === 'progress' && event.model === 'fusion' && event.step === step;
		const afterValidation = await checkStop((events) => isStep(26, events.at(-1)));
		expect(afterValidation.find(({ type }) => type === 'epoch' || type === 'progress')).toMatchObject({ type: 'epoch', epoch: 1 });
		let since = 0;
		const isEpoch = (event: JobEventBody | undefined) => event?.type === 'epoch' && event.model === 'fusion' && event.epoch === 1;
		const afterRefresh = await checkStop((events) => isEpoch(events.at(-1)) && ++since > 1);
		expect(afterRefresh.find(({ type }) => type === 'weights' || type === 'progress')).toMatchObject({ type: 'weights', epoch: 2 });
		const afterPart = await checkStop((events) => isStep(29, events.at(-1)));
		expect(afterPart.filter(({ type }) => type === 'weights')).toEqual([]);
	});

	it('stops while the model is judged or exported, and then ends with the same bytes', async () => {
		const more = { weighting: weightingBy('btw', 2) };
		const whole = await run(more, Number.POSITIVE_INFINITY);
		for (const stage of ['evaluating', 'exporting']) {
			const first = await run(more, Number.POSITIVE_INFINITY, {
				stopped: (events) => events.some((event) => event.type === 'stage' && event.stage === stage),
			});
			expect(first.outcome.status).toBe('stopped');
			const second = await run(more, Number.POSITIVE_INFINITY, { earlier: [first.output] });
			expect(await sha(second.output)).toBe(await sha(whole.output));
		}
	});
});

describe('the pace', () => {
	it('begins with one step, takes all that are quick, and cuts what would take longer than a second into halves of one', async () => {
		const { openPace } = await vi.importActual<typeof pacing>('../src/step/pace.js');
		const pace = openPace();
		expect(pace.next(500)).toBe(1);
		pace.took(1, 100);
		expect(pace.next(499)).toBe(5);
		pace.took(5, 5);
		expect(pace.next(494)).toBe(494);
		pace.took(494, 5000);
		expect(pace.next(500)).toBe(49);
		pace.took(1, 70_000);
		expect(pace.next(500)).toBe(1);
	});
});
