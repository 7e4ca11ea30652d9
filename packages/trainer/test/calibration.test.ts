import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Calibration, parseJobSpec, type Reliability, type TaskProfile } from '@steelyard/contracts';
import { decodeModel } from '@steelyard/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { reliabilityOf, temperatureOf, uncalibrated } from '../src/report/calibration.js';
import { predictionsFrom } from '../src/report/predictions.js';
import { smallDataset } from './small-dataset.js';

type Curve = { ece: number; cross_entropy: number; counts: number[]; accuracy: number[]; confidence: number[] };
type Case = {
	task: 'multiclass' | 'binary' | 'multilabel';
	columns: number;
	z: number[];
	y: number[];
	torch: number;
	sklearn: number | null;
	before: Curve;
	after: Curve;
};
/** What test/oracles/calibration.py made. */
const cases = JSON.parse(readFileSync(new URL('fixtures/calibration.json', import.meta.url), 'utf8')) as Case[];
const taskOf = ({ task: type, columns: outputs }: Case): TaskProfile => ({ type, classes: [], outputs });
const classified = (c: Case, z: readonly number[]) =>
	predictionsFrom(taskOf(c), Float32Array.from(z)) as Parameters<typeof reliabilityOf>[1];

function holds(found: Reliability, wanted: Curve): void {
	// float32 probabilities
	expect(found.ece).toBeCloseTo(wanted.ece, 6);
	expect(found.cross_entropy).toBeCloseTo(wanted.cross_entropy, 6);
	expect(found.bins.map(({ count }) => count)).toEqual(wanted.counts);
	const filled = found.bins.filter(({ count }) => count > 0);
	filled.forEach(({ accuracy, confidence }, i) => {
		expect(accuracy!).toBeCloseTo(wanted.accuracy[i]!, 6);
		expect(confidence!).toBeCloseTo(wanted.confidence[i]!, 6);
	});
	for (const bin of found.bins) if (bin.count === 0) expect(bin).toEqual({ count: 0, accuracy: null, confidence: null });
}

describe('a temperature', () => {
	it.each(cases.map((c) => [`${c.task}, T ${c.torch.toFixed(2)}`, c] as const))('is that of PyTorch and scikit-learn: %s', (_, c) => {
		const found = temperatureOf(taskOf(c), Float32Array.from(c.z), Float64Array.from(c.y));
		expect(found / c.torch).toBeCloseTo(1, 6);
		if (c.sklearn !== null) expect(found / c.sklearn).toBeCloseTo(1, 4);
	});

	it('is 1 where every prediction is right, which no temperature would be cold enough for', () => {
		const task = { type: 'binary', classes: [], outputs: 1 } as TaskProfile;
		expect(temperatureOf(task, Float32Array.of(1, -2), Float64Array.of(1, 0))).toBe(1);
		expect(temperatureOf(task, Float32Array.of(1, -2), Float64Array.of(0, 1))).toBe(1);
	});
});

describe('reliability', () => {
	it.each(cases.map((c) => [c.task, c] as const))('is that of scikit-learn, before and after: %s', (_, c) => {
		const labels = Float64Array.from(c.y);
		holds(reliabilityOf(taskOf(c), classified(c, c.z), labels), c.before);
		const after = classified(
			c,
			c.z.map((z) => z / c.torch),
		);
		holds(reliabilityOf(taskOf(c), after, labels), c.after);
		expect(reliabilityOf(taskOf(c), uncalibrated(taskOf(c), after, c.torch), labels).ece).toBeCloseTo(c.before.ece, 5);
	});

	it('counts a confidence of 1 in the last bin', () => {
		const { bins, ece } = reliabilityOf(
			{ type: 'binary', classes: [], outputs: 1 },
			{ logits: Float32Array.of(50, 50), probabilities: Float32Array.of(0, 1, 0, 1) },
			Float64Array.of(1, 0),
		);
		expect([bins.at(-1), ece]).toEqual([{ count: 2, confidence: 1, accuracy: 0.5 }, 0.5]);
	});
});

describe('a job that calibrates', () => {
	const kinds = ['binary', 'multiclass', 'multilabel', 'regression'] as const;
	const datasets = new Map<string, Awaited<ReturnType<typeof smallDataset>>>();
	let root: string;
	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		for (const kind of kinds) datasets.set(kind, await smallDataset(kind));
	});
	afterAll(async () => {
		for (const { remove } of datasets.values()) await remove();
		await rm(root, { recursive: true });
	});

	async function run(kind: string, evaluation: object | undefined, weighting: object = { preset: 'uniform' }) {
		const output = await mkdtemp(join(root, 'job-'));
		// so long that the model is surer than it may be
		const training = { epochs: 40, early_stopping: null, optimizer: { learning_rate: 0.01 } };
		const spec = parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { hidden: 16 },
			weighting,
			training,
			...(evaluation && { evaluation }),
		});
		const outcome = await train({ spec, dataset: datasets.get(kind)!.folder, output, emit: () => {}, stopped: () => false });
		if (outcome.status !== 'done') throw new Error('stopped');
		const json = async () => JSON.parse(await readFile(join(output, 'calibration.json'), 'utf8')) as Calibration;
		return { ...outcome, model: await readFile(join(output, 'model.onnx')), json };
	}

	it.each(['binary', 'multiclass', 'multilabel'])('divides the logits by it, and tells what it did: %s', async (kind) => {
		const plain = await run(kind, undefined, { preset: 'btw' });
		const calibrated = await run(kind, { calibration: 'temperature' }, { preset: 'btw' });
		const [before, after] = [await plain.json(), await calibrated.json()];
		const { temperature } = after;
		expect(before.temperature).toBeNull();
		expect(Number(decodeModel(calibrated.model).metadata?.['steelyard.temperature'])).toBe(temperature);
		expect(temperature).not.toBe(1);
		for (const [split, { exported, before: was }] of Object.entries(after.splits)) {
			expect(was!.ece).toBeCloseTo(before.splits[split]!.exported.ece, 5);
			expect(was!.cross_entropy).toBeCloseTo(before.splits[split]!.exported.cross_entropy, 4);
			expect(calibrated.result.metrics[split]!['loss']).toBeCloseTo(exported.cross_entropy, 6);
			// a decision is that of the largest logit, or of its sign
			expect(calibrated.result.metrics[split]!['accuracy']).toBe(plain.result.metrics[split]!['accuracy']);
		}
		const { exported, before: was } = after.splits['validation']!;
		expect(exported.cross_entropy).toBeLessThan(was!.cross_entropy);
		expect(calibrated.result.calibration).toEqual({
			temperature,
			ece: Object.fromEntries(Object.entries(after.splits).map(([split, of]) => [split, of.exported.ece])),
			ece_before: Object.fromEntries(Object.entries(after.splits).map(([split, of]) => [split, of.before!.ece])),
		});
	});

	it('gives the bytes of a job without the option where it is told not to, but for the spec in them', async () => {
		const [plain, none] = [await run('binary', undefined), await run('binary', { calibration: 'none' })];
		const graphOf = (model: Uint8Array) => decodeModel(model).graph;
		expect(graphOf(none.model)).toEqual(graphOf(plain.model));
		expect(none.result.calibration).toEqual(plain.result.calibration);
		expect(plain.result.calibration).not.toHaveProperty('ece_before');
	});

	it('has nothing to tell of values', async () => {
		const { artifacts, result } = await run('regression', undefined);
		expect(artifacts).not.toContain('calibration.json');
		expect(result).not.toHaveProperty('calibration');
	});
});
