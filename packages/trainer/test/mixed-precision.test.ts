import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Precision, parseJobSpec, type TaskProfile } from '@steelyard/contracts';
import type { Split } from '@steelyard/dataset';
import { allValues, decodeModel, graphsWithin } from '@steelyard/onnx';
import type * as runtime from '@steelyard/runtime';
import type { State, Tensor } from '@steelyard/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { train } from '../src/job/train.js';
import type { Architecture } from '../src/model/architecture.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { layoutOf, parametersByName } from '../src/model/parameter-layout.js';
import type { Chunk } from '../src/step/chunk.js';
import { type Fit, openFit } from '../src/step/fit.js';
import { afterGood, afterSkip, GROWTH_INTERVAL, initialScaling, type LossScaling } from '../src/step/loss-scaling.js';
import type { StoredDataset } from './array-dataset.js';
import { smallDataset } from './small-dataset.js';
import { largestError, type Oracle, ownInitial, rowsIn, stepOf, trainAs } from './training-steps.js';

/** Whether steps are made in place where they can, or repeated by Scan. */
let inPlace = true;
vi.mock('@steelyard/runtime', async (original) => {
	const { hasCApi, ...rest } = await original<typeof runtime>();
	return { ...rest, hasCApi: async () => inPlace && (await hasCApi()) };
});

type Case = {
	precision: Exclude<Precision, 'float32'>;
	task: 'multiclass' | 'regression';
	optimizer: 'momentum' | 'adam' | 'adamw';
	clip_norm: number | null;
	learning_rate: number;
	weight_decay: number;
	a: number[];
	b: number[];
	mask: number[];
	weights: number[];
	y: number[];
	initial: Record<string, number[]>;
	losses: number[];
	skipped: number[];
	final: Record<string, number[]>;
};
const fixture = JSON.parse(readFileSync(new URL('fixtures/mixed-precision.json', import.meta.url), 'utf8')) as {
	rows: number;
	batch: number;
	steps: number;
	hidden: number;
	cases: Case[];
	scales: { overflows: number[]; runs: [scale: number, steps: number][] };
};
const { rows, batch, steps, hidden } = fixture;
const shapes: Record<string, number[]> = { a: [5], b: [4, 3] };
const modalities = [
	{ name: 'a', shape: shapes['a']!, maskedSteps: false },
	{ name: 'b', shape: shapes['b']!, maskedSteps: true },
];

/** The data of a case as a split in memory. */
function splitOf(c: Case): Split {
	const values: Record<string, Float32Array> = { a: Float32Array.from(c.a), b: Float32Array.from(c.b) };
	const mask = Uint8Array.from(c.mask);
	return {
		name: 'train',
		rows,
		labels: c.task === 'multiclass' ? Int32Array.from(c.y) : Float32Array.from(c.y),
		groups: null,
		shape: (modality) => shapes[modality]!,
		dtype: () => 'float32',
		mask: (modality) => (modality === 'b' ? mask : null),
		readAhead: () => {},
		gather(modality, wanted, out, offset = 0) {
			const width = values[modality]!.length / rows;
			for (let i = 0; i < wanted.length; i++)
				out.set(values[modality]!.subarray(wanted[i]! * width, (wanted[i]! + 1) * width) as never, offset + i * width);
		},
	};
}

type From = { state: State; scaling: LossScaling | null };

const outputsOf = ({ task }: Case): number => (task === 'multiclass' ? 3 : 1);
const architectureOf = (c: Case): Architecture =>
	familyArchitecture({ config: { family: 'mlp-fusion', hidden, encoder_layers: 2, head_layers: 2 }, modalities, outputs: outputsOf(c) });

function open(c: Case, precision: Precision, from: From | null = null): Promise<Fit> {
	const task: TaskProfile = { type: c.task, classes: [], outputs: outputsOf(c) };
	return openFit({
		architecture: architectureOf(c),
		training: parseJobSpec({
			dataset: 'ds_1',
			model: {},
			training: {
				batch_size: batch,
				optimizer: { name: c.optimizer, learning_rate: c.learning_rate, weight_decay: c.weight_decay },
				clip_norm: c.clip_norm,
				precision,
			},
		}).training,
		task,
		loss: c.task === 'multiclass' ? 'cross_entropy' : 'mse',
		classWeights: null,
		scale: { mean: 0, deviation: 1 },
		standardisation: new Map(),
		train: { name: 'train', split: splitOf(c), rows: Uint32Array.from({ length: rows }, (_, i) => i) },
		stream: 0,
		modulation: null,
		provider: 'cpu',
		state: from?.state ?? null,
		beginning: () => ({ values: new Map(Object.entries(c.initial)), slots: new Map() }),
		before: { epochs: 0, steps: 0 },
		scaling: from?.scaling ?? null,
		mostSteps: null,
		recompute: 'none',
	});
}

/** Trains steps `from` to `until` in chunks of `length`, over the rows in turn. Gives the loss of each step, and the steps that changed nothing. */
async function trained(fit: Fit, c: Case, { from = 0, until = steps, length = 20 } = {}) {
	const [losses, skipped]: [number[], number[]] = [[], []];
	for (let first = from; first < until; first += length) {
		const places = Uint32Array.from({ length: length * batch }, (_, i) => (first * batch + i) % rows);
		const chunk: Chunk = { epoch: 0, index: 0, step: first, length, places, seen: places.length, endsEpoch: false };
		for (let at = 0; at < length; ) {
			const before = fit.scaling()?.skipped ?? 0;
			const found = await fit.run(chunk, at, { weights: Float32Array.from(c.weights), learningRate: () => c.learning_rate });
			losses.push(...found.map(({ loss }) => loss));
			at += found.length;
			if ((fit.scaling()?.skipped ?? 0) > before) skipped.push(first + at - 1);
		}
	}
	return { losses, skipped };
}

/** Trains a case to its end, and gives what comes of it. */
async function fitted(c: Case, { precision = c.precision as Precision, length = 20 } = {}) {
	const fit = await open(c, precision);
	try {
		const { losses, skipped } = await trained(fit, c, { length });
		return { losses, skipped, parameters: new Map(await fit.parameters()), scaling: fit.scaling() };
	} finally {
		await fit.dispose();
	}
}

/** The flat vectors of a fit against parameters by name. */
function errorOf(c: Case, found: ReadonlyMap<string, Tensor>): number {
	const { trained: groups } = layoutOf(architectureOf(c));
	const errors = [...parametersByName(groups, found)].map(([name, { data }]) => largestError(data as Float32Array, c.final[name]!, 0.1));
	return Math.max(...errors);
}

const titleOf = (c: Case): string => `${c.precision}, ${c.task}, ${c.optimizer}, clip ${c.clip_norm}`;
const overflowing = fixture.cases.find(({ skipped, optimizer }) => skipped.length > 0 && optimizer === 'adam')!;

describe.each([
	['in place', true],
	['repeated by Scan', false],
])('training in a lower precision, steps %s', (_, isInPlace) => {
	beforeEach(() => {
		inPlace = isInPlace;
	});
	afterEach(() => {
		inPlace = true;
	});

	for (const c of fixture.cases)
		it(`follows PyTorch under autocast for ${steps} steps: ${titleOf(c)}`, async () => {
			const { losses, skipped, parameters } = await fitted(c);
			// sums in another order now and then round to the other side, by 1/1024 of a number in float16 and 1/128 in bfloat16, which Adam makes grow
			expect(largestError(losses, c.losses, 0.1)).toBeLessThan(5e-4);
			expect(errorOf(c, parameters)).toBeLessThan(5e-3);
			expect(skipped).toEqual(c.skipped);
			const exact = await fitted(c, { precision: 'float32' });
			expect(largestError(exact.losses, c.losses, 0.1)).toBeGreaterThan(10 * largestError(losses, c.losses, 0.1));
			expect(exact.scaling).toBeNull();
		});

	it('gives the same bits however long its chunks are', async () => {
		const [single, ten, whole] = await Promise.all([1, 10, steps].map((length) => fitted(overflowing, { length })));
		expect(single!.skipped).toEqual(overflowing.skipped);
		expect(ten).toEqual(single);
		expect(whole).toEqual(single);
	});

	it('goes on from where it was left, in the same bits', async () => {
		const whole = await fitted(overflowing);
		const first = await open(overflowing, 'float16');
		const { skipped } = await trained(first, overflowing, { until: 20, length: 20 });
		expect(skipped.length).toBeGreaterThan(0);
		const next = await open(overflowing, 'float16', { state: await first.state(), scaling: first.scaling() });
		await trained(next, overflowing, { from: 20 });
		expect(new Map(await next.parameters())).toEqual(whole.parameters);
		expect(next.scaling()).toEqual(whole.scaling);
		await first.dispose();
		await next.dispose();
	});

	it('changes nothing in a step that it skips', async () => {
		const fit = await open(overflowing, 'float16');
		const before = structuredClone(await fit.state());
		await trained(fit, overflowing, { until: 4, length: 4 });
		expect(fit.scaling()).toEqual({ scale: 2 ** 12, good: 0, skipped: 4 });
		expect(await fit.state()).toEqual(before);
		await trained(fit, overflowing, { from: 4, until: 5, length: 1 });
		expect(await fit.state()).not.toEqual(before);
		await fit.dispose();
	});

	it('doubles the scale in the midst of a chunk, in the same bits as between two', async () => {
		const c = fixture.cases[0]!;
		const of = async (length: number) => {
			const fit = await open(c, 'float16');
			const nearly = await open(c, 'float16', {
				state: await fit.state(),
				scaling: { scale: 1024, good: GROWTH_INTERVAL - 7, skipped: 0 },
			});
			await trained(nearly, c, { until: 20, length });
			const found = { parameters: new Map(await nearly.parameters()), scaling: nearly.scaling() };
			await Promise.all([fit.dispose(), nearly.dispose()]);
			return found;
		};
		const [single, whole] = [await of(1), await of(20)];
		expect(whole).toEqual(single);
		expect(whole.scaling).toEqual({ scale: 2048, good: 13, skipped: 0 });
	});

	it('ends where gradients are infinite at any scale, and says what to do', async () => {
		const far = { ...overflowing, y: overflowing.y.map((value) => value * 1e15) };
		const fit = await open(far, 'float16');
		await expect(trained(fit, far, { length: steps })).rejects.toMatchObject({
			code: 'diverged',
			param: 'training.precision',
			message: expect.stringMatching(/step 40 .*not finite at any scale.*bfloat16 or float32/),
		});
		await fit.dispose();
	});
});

describe('a step for devices with products of 16 bits', () => {
	const sequence = { cell: 'lstm', bidirectional: true, hidden: 4 } as const;
	const experts = { experts: 4, top_k: 2, expert_hidden: 6, router: 'permod', gate: 'laplace', noisy: false, balance: 0.01 } as const;
	const configs = {
		'mlp-fusion': { family: 'mlp-fusion', hidden, encoder_layers: 2, head_layers: 2 },
		'mmim-moe': { family: 'mmim-moe', width: 8, layers: 1, block: 'attention', sequence, dropout: 0, ...experts },
	} as const;

	for (const [family, config] of Object.entries(configs))
		it(`computes them in float16 and follows the roundings in float32: ${family}`, async () => {
			const architecture = familyArchitecture({ config, modalities, outputs: 1 });
			const c = fixture.cases[2]!;
			const wanted = { architecture, batch, loss: 'mse', optimizer: { name: 'sgd' }, precision: 'float16' } as const;
			const oracle = (halfPrecision: boolean): Oracle => ({
				...{ ...wanted, halfPrecision, steps: 4, learningRate: 0.05, rows, initial: ownInitial(architecture) },
				inputs: {
					...{ 'x.a': rowsIn(c.a, 5), 'x.b': rowsIn(c.b, 12), 'mask.b': rowsIn(c.mask, 4), target: (row) => [(c.y[row] as number) / 40] },
					...{ 'w.a': () => [1], 'w.b': () => [1] },
				},
			});
			const [rounded, half] = [await trainAs(oracle(false), 2), await trainAs(oracle(true), 2)];
			// sums of products are rounded alike, sums of two numbers more often
			expect(largestError(half.losses, rounded.losses, 0.1)).toBeLessThan(2e-3);
			const products = async (halfPrecision: boolean) =>
				[...graphsWithin((await stepOf({ ...wanted, halfPrecision })).graph)].flatMap((part) => {
					const known = allValues(part);
					return part.nodes.flatMap(({ op, outputs }) => (op === 'Gemm' ? [known.get(outputs[0]!)?.dtype] : []));
				});
			expect(await products(false)).not.toContain('float16');
			const types = await products(true);
			// what stays: the updates of parameters, and the scores of routers with what goes back through them
			expect(types.filter((type) => type === 'float16').length).toBeGreaterThan(types.length / 2);
		});
});

describe('a job in float16', () => {
	let root: string;
	let dataset: StoredDataset;
	beforeAll(async () => {
		root = await mkdtemp(join(tmpdir(), 'steelyard-precision-'));
		dataset = await smallDataset('regression');
	});
	afterAll(async () => {
		await dataset.remove();
		await rm(root, { recursive: true });
	});

	/** A job whose gradients are too large in its first steps: those of two rows are summed. */
	async function attempt({ precision = 'float16' as Precision, stopAfter = Number.POSITIVE_INFINITY, earlier = [] as string[] } = {}) {
		const output = await mkdtemp(join(root, 'output-'));
		let chunks = 0;
		const outcome = await train({
			spec: parseJobSpec({
				...{ dataset: 'ds_1', device: 'cpu', model: { hidden: 8 }, weighting: { preset: 'btw', refresh_epochs: 1 } },
				training: { epochs: 2, batch_size: 2, precision, clip_norm: 1 },
			}),
			...{ dataset: dataset.folder, output, earlier },
			emit: (event) => {
				if (event.type === 'progress') chunks++;
			},
			stopped: () => chunks >= stopAfter,
		});
		return { outcome, output, model: () => readFile(join(output, 'model.onnx')) };
	}
	const resultOf = ({ outcome }: Awaited<ReturnType<typeof attempt>>) => (outcome.status === 'done' ? outcome.result : null);

	it('tells of the steps that it skipped, and exports a model of float32', async () => {
		const done = await attempt();
		// of four models together, each of which skips some at its beginning: the last two alone skip 4
		expect(resultOf(done)?.skipped_steps).toBeGreaterThan(5);
		const { graph } = decodeModel(await done.model(), { widen: [] });
		const types = [...graphsWithin(graph)].flatMap((part) => [...allValues(part).values()].map(({ dtype }) => dtype));
		expect(types).toContain('float32');
		expect(types).not.toContain('float16');
		expect(resultOf(await attempt({ precision: 'bfloat16' }))).not.toHaveProperty('skipped_steps');
	});

	it('ends in the same bits and counts the same steps where it was stopped', async () => {
		const whole = await attempt();
		for (const stopAfter of [2, 9]) {
			const first = await attempt({ stopAfter });
			expect(first.outcome.status).toBe('stopped');
			const second = await attempt({ earlier: [first.output] });
			expect((await second.model()).equals(await whole.model())).toBe(true);
			expect(resultOf(second)?.skipped_steps).toBe(resultOf(whole)?.skipped_steps);
		}
	});
});

describe('the scale of the loss', () => {
	it('is that of a GradScaler', () => {
		let scaling = initialScaling;
		const overflows = new Set(fixture.scales.overflows);
		const expected = fixture.scales.runs.flatMap(([scale, count]) => Array<number>(count).fill(scale));
		for (const [step, scale] of expected.entries()) {
			expect(scaling.scale).toBe(scale);
			scaling = overflows.has(step) ? afterSkip(scaling) : afterGood(scaling, 1);
		}
		expect(scaling.skipped).toBe(overflows.size);
	});
});
