import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JobCurves, type JobEventBody, parseJobSpec } from '@steelyard/contracts';
import { decodeModel } from '@steelyard/onnx';
import { counterRandom } from '@steelyard/random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { arrayDataset, type Npy, type StoredDataset } from './array-dataset.js';

let noise: StoredDataset;
const outputs: string[] = [];
beforeAll(async () => {
	const random = counterRandom(4, 'noise');
	const arrays: Record<string, Npy> = {};
	for (const [split, rows] of Object.entries({ train: 60, valid: 60, test: 30 })) {
		for (const name of ['a', 'b'])
			arrays[`${split}_${name}`] = { shape: [rows, 4], data: Float32Array.from({ length: rows * 4 }, () => random.normal()) };
		arrays[`${split}_labels`] = { shape: [rows], data: Int32Array.from({ length: rows }, (_, i) => i % 2) };
	}
	noise = await arrayDataset(arrays);
});
afterAll(async () => {
	await noise.remove();
	for (const output of outputs) await rm(output, { recursive: true });
});

/** A job on noise, whose validation loss rises from the first epoch on; after `stopAfter` runs of the program an attempt is stopped, and another goes on. */
async function job(weighting: object, stopAfter = Number.POSITIVE_INFINITY) {
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { hidden: 16 },
		weighting,
		training: { epochs: 8, batch_size: 16, optimizer: { learning_rate: 0.01 } },
	});
	const earlier: string[] = [];
	for (;;) {
		const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		outputs.push(output);
		let runs = 0;
		const emit = ({ type }: JobEventBody) => void (runs += type === 'progress' ? 1 : 0);
		const outcome = await train({ spec, dataset: noise.folder, output, earlier, emit, stopped: () => runs >= stopAfter });
		if (outcome.status === 'stopped') {
			earlier.unshift(output);
			continue;
		}
		const curves = JSON.parse(await readFile(join(output, 'metrics.json'), 'utf8')) as JobCurves;
		const hurts = outcome.result.warnings!.filter(({ code }) => code === 'weighting_hurts');
		return { result: outcome.result, curves, hurts, model: await readFile(join(output, 'model.onnx')), attempts: earlier.length + 1 };
	}
}

const REFRESH = 4;
const refreshed = (preset: string, more: object = {}) => ({ preset, refresh_epochs: REFRESH, ...more });

describe('the guard of a weighting', () => {
	it.each(['btw', 'btw-kl', 'mi'])(
		'exports the best epoch before the first refresh where it is better on validation: %s',
		async (preset) => {
			const { result, curves, hurts, model } = await job(refreshed(preset));
			const fusion = curves.epochs.filter(({ stage }) => stage === 'fusion');
			const losses = fusion.map(({ validation }) => validation['loss']!);
			expect(result.best_epoch).toBe(losses.indexOf(Math.min(...losses)));
			expect(result.best_epoch).toBeLessThan(REFRESH);
			expect(result.metrics['validation']!['loss']! / losses[result.best_epoch]!).toBeCloseTo(1, 6);
			expect(hurts).toMatchObject([{ guarded: true, split: 'validation' }]);
			for (const { mean, p10, p90 } of Object.values(result.modality_weights)) expect([mean, p10, p90]).toEqual([1, 1, 1]);
			const { graph } = decodeModel(model);
			expect(graph.outputs.map(({ name }) => name)).toEqual(['prediction', 'probabilities', 'logits', 'modality_weights']);
			expect([...graph.initializers.keys()].some((name) => name.startsWith('unimodal'))).toBe(false);
		},
	);

	it.each([
		['where a job says so', refreshed('btw', { guard: false })],
		['in the preset of the paper', refreshed('paper', { direction: 'agreement', renormalise: 'mean1' })],
	])('leaves the weighted epoch and warns %s', async (_, weighting) => {
		const { result, hurts } = await job(weighting);
		expect(result.best_epoch).toBeGreaterThanOrEqual(REFRESH);
		expect(hurts).toMatchObject([{ guarded: false }]);
	});

	it('has nothing to say of jobs that are never or always weighted', async () => {
		for (const preset of ['uniform', 'qmf']) expect((await job({ preset })).hurts).toEqual([]);
	});

	it('is refused by presets that do not refresh weights', () => {
		expect(() => parseJobSpec({ dataset: 'ds_1', weighting: { preset: 'uniform', guard: true } })).toThrow(/guard/);
	});

	it('exports the same bytes where the job was stopped before and after the refresh, and went on', async () => {
		const whole = await job(refreshed('btw'));
		for (const stopAfter of [3, 7, 15]) {
			const inParts = await job(refreshed('btw'), stopAfter);
			expect(inParts.attempts).toBeGreaterThan(1);
			expect(inParts.model.equals(whole.model)).toBe(true);
			expect(inParts.hurts).toEqual(whole.hurts);
		}
	});
});
