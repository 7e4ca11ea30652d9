import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldErrors, type Interval, JobResult, type JobSpec, type Metrics, parseJobSpec, Robustness } from '@steelyard/contracts';
import { featureMoments, openDataset } from '@steelyard/dataset';
import { createSession } from '@steelyard/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { permutationImportance } from '../src/job/broken-modality.js';
import { evaluateModel } from '../src/job/evaluate.js';
import { train } from '../src/job/train.js';
import type { Examples } from '../src/model/examples.js';
import { inMemory } from '../src/model/in-memory.js';
import { modalityShape } from '../src/model/modality-shape.js';
import { withNoise, withReplaced } from '../src/model/noisy.js';
import { without } from '../src/model/without.js';
import { effectiveRobustness, intervalOf, relativeRobustness } from '../src/report/robustness-figures.js';
import { arrayDataset } from './array-dataset.js';
import { smallDataset } from './small-dataset.js';
import { weightingBy } from './weighting-by.js';

const FIXTURES = new URL('fixtures/robustness/', import.meta.url);
/** What scikit-learn made of the model in `model.onnx`. */
type Fixture = {
	labels: number[];
	modalities: Record<'a' | 'b', { shape: number[]; values: number[] }>;
	shuffled: Record<'a' | 'b', { orders: number[][]; drop: Record<'accuracy' | 'loss', Interval> }>;
	curves: { levels: number[]; own: number[]; late: number[]; relative: number; effective: number };
};

const remove: Array<() => Promise<void>> = [];
afterAll(async () => {
	for (const each of remove) await each();
});

const fixture = async (): Promise<Fixture> => JSON.parse(await readFile(new URL('expected.json', FIXTURES), 'utf8')) as Fixture;
const allOf = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

describe('permutation importance', () => {
	it('is that of scikit-learn where it shuffles all columns of a modality together', async () => {
		const { labels, modalities, shuffled } = await fixture();
		const arrays = Object.entries(modalities).map(([name, { shape, values }]) => {
			return [`train_${name}`, { shape: [labels.length, ...shape], data: Float32Array.from(values) }] as const;
		});
		const stored = await arrayDataset({
			...Object.fromEntries(arrays),
			train_labels: { shape: [labels.length], data: Int32Array.from(labels) },
		});
		remove.push(stored.remove);
		const dataset = openDataset(stored.folder);
		const session = await createSession(new Uint8Array(await readFile(new URL('model.onnx', FIXTURES))));
		const shapes = Object.entries(dataset.profile.modalities).map(([name, profile]) => modalityShape(name, profile));
		const exported = { modalities: shapes, masked: new Set<string>(), task: dataset.profile.task };
		const examples = { name: 'train', split: dataset.split('train'), rows: allOf(labels.length) };
		const measure = async (rows: Examples): Promise<Metrics> => {
			const { accuracy = null, loss = null } = (await evaluateModel(session, rows, exported)).metrics;
			return { accuracy, loss };
		};
		const clean = await measure(examples);
		for (const name of ['a', 'b'] as const) {
			const { orders, drop } = shuffled[name];
			const orderOf = orders.map((order) => Uint32Array.from(order));
			const found = await permutationImportance(name, { examples, clean, measure }, orderOf);
			// probabilities of two builds of the runtime, in float32, differ in their last bits
			for (const metric of ['accuracy', 'loss'] as const)
				for (const key of ['mean', 'low', 'high'] as const)
					expect(found.drop[metric]![key], `${name} ${metric} ${key}`).toBeCloseTo(drop[metric][key], 6);
		}
		await session.release();
		dataset.close();
	});
});

describe('robustness figures', () => {
	it('are the areas that NumPy finds', async () => {
		const { levels, own, late, relative, effective } = (await fixture()).curves;
		expect(relativeRobustness(levels, own)).toBeCloseTo(relative, 12);
		expect(effectiveRobustness('accuracy', levels, own, late)).toBeCloseTo(effective, 12);
		// less is better of a loss: the same curve is then as much better than late fusion
		expect(effectiveRobustness('loss', levels, own, late)).toBeCloseTo(-effective, 12);
	});

	it('are undefined where a value is', () => {
		expect(relativeRobustness([0, 1], [0.5, null])).toBeNull();
		expect(effectiveRobustness('loss', [0, 1], [0.5, 0.6], [null, 0.6])).toBeNull();
		expect(intervalOf([0.1, null, 0.2])).toBeNull();
	});
});

describe('broken rows', () => {
	/** Rows of whole numbers `ids` [3], of `x` [2, 2] with masked steps, and of `flat` [2], whose second feature never changes. */
	async function rows() {
		const count = 30;
		const stored = await arrayDataset({
			train_ids: { shape: [count, 3], data: BigInt64Array.from({ length: count * 3 }, (_, at) => BigInt(10 * (at % 3) + (at % 5))) },
			train_x: { shape: [count, 2, 2], data: Float32Array.from({ length: count * 4 }, (_, at) => (at % 7) + 1) },
			train_x_mask: { shape: [count, 2], data: Uint8Array.from({ length: count * 2 }, (_, at) => (at % 4 === 3 ? 0 : 1)) },
			train_flat: { shape: [count, 2], data: Float32Array.from({ length: count * 2 }, (_, at) => (at % 2 === 1 ? 4 : at)) },
			train_labels: { shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % 2) },
		});
		remove.push(stored.remove);
		const dataset = openDataset(stored.folder);
		const shapes = Object.entries(dataset.profile.modalities).map(([name, profile]) => modalityShape(name, profile));
		const named = (name: string) => shapes.find((shape) => shape.name === name)!;
		const split = dataset.split('train');
		// every other row, backwards, so that places are not rows
		const examples = { name: 'train', split, rows: allOf(count / 2).map((i) => count - 1 - 2 * i) };
		const moments = (name: string) => featureMoments(split, name, allOf(count));
		const floats = (of: Examples, name: string, width: number): Float32Array => {
			const values = new Float32Array(of.rows.length * width);
			of.split.gather(name, of.rows, values);
			return values;
		};
		const ids = (of: Examples): number[] => {
			const values = new BigInt64Array(of.rows.length * 3);
			of.split.gather('ids', of.rows, values);
			return [...values].map(Number);
		};
		return { dataset, examples, named, moments, floats, ids };
	}
	const draws = { seed: 3, purpose: 'test' };

	it('held in memory are the same rows', async () => {
		const { dataset, examples, named, floats, ids } = await rows();
		const held = inMemory(examples, [named('ids'), named('x')]);
		expect(held.rows).toEqual(allOf(15));
		expect(floats(held, 'x', 4)).toEqual(floats(examples, 'x', 4));
		expect(ids(held)).toEqual(ids(examples));
		expect([...held.split.labels]).toEqual([...examples.rows].map((row) => examples.split.labels[row]));
		const mask = examples.split.mask('x')!;
		expect([...held.split.mask('x')!]).toEqual([...examples.rows].flatMap((row) => [mask[2 * row], mask[2 * row + 1]]));
		expect(held.split.mask('ids')).toBeNull();
		dataset.close();
	});

	it('lack a modality by its mask, by its mean, or by zeros', async () => {
		const { dataset, examples, named, moments, floats, ids } = await rows();
		const masked = without(examples, named('x'), 'mask', moments('x'));
		expect(masked.split.mask('x')!.every((there) => there === 0)).toBe(true);
		expect(floats(masked, 'x', 4).every((value) => value === 0)).toBe(true);
		const given = without(examples, named('flat'), 'mask', moments('flat'));
		expect(given.split.mask('flat')).toEqual(new Uint8Array(30));
		const mean = floats(without(examples, named('flat'), 'mean', moments('flat')), 'flat', 2);
		expect(mean).toEqual(Float32Array.from({ length: 30 }, (_, at) => (at % 2 === 1 ? 4 : 29)));
		expect(new Set(ids(without(examples, named('ids'), 'mean', moments('ids'))))).toEqual(new Set([2, 12, 22]));
		expect(new Set(ids(without(examples, named('ids'), 'zeros', moments('ids'))))).toEqual(new Set([0]));
		expect(ids(without(examples, named('x'), 'mask', moments('x')))).toEqual(ids(examples));
		dataset.close();
	});

	it('have noise of the deviation of each feature, none in what is missing, and multiples of the same at every level', async () => {
		const { dataset, examples, named, moments, floats } = await rows();
		const before = floats(examples, 'x', 4);
		const [one, two] = withNoise(examples, named('x'), [1, 2], draws, moments('x')).map((of) =>
			floats(of, 'x', 4).map((value, at) => value - before[at]!),
		) as [Float32Array, Float32Array];
		const mask = examples.split.mask('x')!;
		one.forEach((added, at) => {
			const there = mask[examples.rows[Math.floor(at / 4)]! * 2 + Math.floor((at % 4) / 2)] === 1;
			expect(added !== 0).toBe(there);
			expect(two[at]! - 2 * added).toBeCloseTo(0, 5);
		});
		const [flat] = withNoise(examples, named('flat'), [1], draws, moments('flat'));
		const changed = floats(flat!, 'flat', 2).map((value, at) => value - floats(examples, 'flat', 2)[at]!);
		const ofFirst = changed.filter((_, at) => at % 2 === 0);
		expect(changed.filter((_, at) => at % 2 === 1).every((added) => added === 0)).toBe(true);
		// 15 numbers of a deviation of 17.3: within four standard errors of it
		expect(Math.sqrt(ofFirst.reduce((sum, added) => sum + added ** 2, 0) / 15) / 17.3).toBeGreaterThan(0.3);
		expect(Math.sqrt(ofFirst.reduce((sum, added) => sum + added ** 2, 0) / 15) / 17.3).toBeLessThan(1.7);
		dataset.close();
	});

	it('have ids of other rows at the same position, more of them at a higher share', async () => {
		const { dataset, examples, named, ids } = await rows();
		const before = ids(examples);
		const at = (level: number) => ids(withReplaced(examples, named('ids'), level, draws));
		const [none, half, whole] = [at(0), at(0.5), at(1)];
		expect(none).toEqual(before);
		for (const [i, id] of whole.entries()) expect(Math.floor(id / 10)).toBe(i % 3);
		const changed = (of: number[]): number[] => of.flatMap((id, i) => (id === before[i] ? [] : [i]));
		expect(changed(half).length).toBeGreaterThan(5);
		expect(changed(half).length).toBeLessThan(changed(whole).length);
		for (const i of changed(half)) expect(half[i]).toBe(whole[i]);
		dataset.close();
	});
});

describe('the robustness of a job', () => {
	type Kind = Parameters<typeof smallDataset>[0];
	const spec = (more: object = {}): JobSpec =>
		parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { hidden: 16 },
			weighting: { preset: 'btw', refresh_epochs: 2 },
			training: { epochs: 20, batch_size: 16, optimizer: { learning_rate: 0.01 } },
			...more,
		});
	const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

	/** Trains a job; it is asked to stop once `stops` says so of how many events there were of each type, and how often it was asked since the stage `evaluating`. */
	async function run(
		folder: string,
		of: JobSpec,
		{ stops = (_progress: number, _asked: number): boolean => false, earlier = [] as string[] } = {},
	) {
		const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		remove.push(() => rm(output, { recursive: true }));
		let [progress, asked, evaluating] = [0, 0, false];
		const outcome = await train({
			spec: of,
			dataset: folder,
			output,
			earlier,
			emit: (event) => {
				if (event.type === 'progress') progress += 1;
				if (event.type === 'stage') evaluating = event.stage === 'evaluating';
			},
			stopped: () => stops(progress, evaluating ? (asked += 1) : 0),
		});
		const bytes = async (name: string) => new Uint8Array(await readFile(join(output, name)));
		return { outcome, output, bytes, asked: () => asked };
	}

	async function measured(kind: Kind, of: JobSpec) {
		const dataset = await smallDataset(kind);
		remove.push(dataset.remove);
		const { outcome, bytes } = await run(dataset.folder, of);
		if (outcome.status !== 'done') throw new Error('stopped');
		const robustness = JSON.parse(Buffer.from(await bytes('robustness.json')).toString()) as Robustness;
		expect(fieldErrors(Robustness, robustness)).toEqual([]);
		expect(fieldErrors(JobResult, outcome.result)).toEqual([]);
		return { result: outcome.result, robustness };
	}

	for (const [kind, preset, metric] of [
		['binary', 'btw', 'accuracy'],
		['multiclass', 'uniform', 'accuracy'],
		['regression', 'consensus', 'mae'],
		['multilabel', 'uniform', 'accuracy'],
	] as const)
		it(`tells which modality a ${kind} model under ${preset} needs, and which not`, async () => {
			const { result, robustness } = await measured(kind, spec({ weighting: weightingBy(preset, 2) }));
			expect(robustness).toMatchObject({ metric, reason: null, splits: { validation: { rows: 30, of: 30 }, test: { rows: 40, of: 40 } } });
			expect(Object.keys(result.intervals!)).toEqual(['train', 'validation', 'test']);
			for (const [split, { clean, modalities }] of Object.entries(robustness.splits)) {
				for (const name of [metric, 'loss']) {
					const [value, { low, high }] = [result.metrics[split]![name]!, result.intervals![split]![name]!];
					expect(low < value && value < high, `${split} ${name} ${low} ${value} ${high}`).toBe(true);
				}
				const reported = result.metrics[split]!;
				expect(clean).toEqual({ [metric]: reported[metric], loss: reported['loss'] });
				const { a, b, c } = modalities as Record<'a' | 'b' | 'c', (typeof modalities)[string]>;
				expect([a.missing!.by, b.missing!.by, c.missing!.by]).toEqual(['mean', 'mask', 'mask']);
				for (const { failed, missing, shuffled, noisy } of [a, b, c]) {
					expect(failed).toBeNull();
					expect(missing!.drop['loss']).toBeCloseTo(missing!.metrics['loss']! - clean['loss']!, 12);
					const { mean, low, high } = shuffled!.drop['loss']!;
					expect(low <= mean && mean <= high).toBe(true);
					expect(noisy!.levels.map(({ level }) => level)).toEqual([0.5, 1, 2]);
					expect(noisy!.effective === null).toBe(preset === 'uniform');
				}
				// a tells the label, c is noise
				for (const drop of [a.shuffled!.drop['loss']!.low, a.missing!.drop['loss']!, a.noisy!.levels[2]!.drop['loss']!])
					expect(drop).toBeGreaterThan(Math.abs(c.shuffled!.drop['loss']!.mean));
				expect(a.shuffled!.drop[metric]!.mean).toBeGreaterThan(c.shuffled!.drop[metric]!.mean);
			}
			const { modalities } = robustness.splits['test']!;
			expect(result.robustness).toMatchObject({ split: 'test', metric, rows: 40, clean: result.metrics['test']![metric] });
			for (const [name, { missing, shuffled, noisy }] of Object.entries(modalities))
				expect(result.robustness!.modalities[name]).toEqual({
					missing: missing!.drop[metric],
					shuffled: shuffled!.drop[metric],
					noisy: noisy!.levels.map(({ drop }) => drop[metric]),
				});
		});

	it('is not measured where the spec does not want it, and changes no model', async () => {
		const dataset = await smallDataset('binary');
		remove.push(dataset.remove);
		const [plain, without_] = [await run(dataset.folder, spec()), await run(dataset.folder, spec({ evaluation: { robustness: false } }))];
		if (plain.outcome.status !== 'done' || without_.outcome.status !== 'done') throw new Error('stopped');
		expect(plain.outcome.artifacts).toContain('robustness.json');
		expect(without_.outcome.artifacts).not.toContain('robustness.json');
		expect(without_.outcome.result.robustness).toBeUndefined();
		expect(sha(await without_.bytes('model.onnx'))).toBe(sha(await plain.bytes('model.onnx')));
	});

	it('is measured on as many rows as the spec says, drawn by the seed', async () => {
		const { result, robustness } = await measured('binary', spec({ evaluation: { robustness_rows: 25 } }));
		expect(robustness.splits).toMatchObject({ validation: { rows: 25, of: 30 }, test: { rows: 25, of: 40 } });
		expect(robustness.splits['test']!.clean['loss']).not.toBe(result.metrics['test']!['loss']);
	});

	it('is not measured where too few rows would say nothing, and says why', async () => {
		const tiny = spec({ model: { hidden: 2048 }, weighting: { preset: 'uniform' }, training: { epochs: 1, batch_size: 16 } });
		const { result, robustness } = await measured('binary', tiny);
		expect(robustness).toMatchObject({ splits: {}, reason: expect.stringMatching(/only \d rows/) });
		expect(result.robustness).toBeUndefined();
	});

	it('heeds a stop in its midst, and has the same bytes after a resume wherever the job was stopped', async () => {
		const dataset = await smallDataset('multiclass');
		remove.push(dataset.remove);
		const whole = await run(dataset.folder, spec());
		const last = whole.asked();
		expect(last).toBeGreaterThan(50);
		for (const stops of [
			(progress: number) => progress >= 4,
			(_: number, asked: number) => asked >= 20,
			(_: number, asked: number) => asked >= last - 1,
		]) {
			const first = await run(dataset.folder, spec(), { stops });
			expect(first.outcome.status).toBe('stopped');
			const second = await run(dataset.folder, spec(), { earlier: [first.output] });
			expect(second.outcome.status).toBe('done');
			expect(sha(await second.bytes('robustness.json'))).toBe(sha(await whole.bytes('robustness.json')));
		}
	});
});
