import type { TaskProfile } from '@steelyard/contracts';
import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import {
	fitMinMax,
	instanceDivergence,
	instanceWeights,
	modalityWeights,
	usesDivergence,
	usesInformation,
	type WeightFormula,
} from '@steelyard/weighting';
import { describe, expect, it } from 'vitest';
import { divergencesGraph, instanceWeightsGraph, modalityWeightsGraph } from '../src/weighting/btw/btw-graph.js';
import type { BtwStatistics } from '../src/weighting/btw/btw-weights.js';

/**
 * The graph computes in float32, the package in float64. A float32 divergence is off by some units in the last place of the terms that it is made of, at most
 * 1e-7 of the largest logit: 5e-6 for logits of 50. Divided by the range of the divergences, which such logits make as large, some 1e-7 is left in D̃, the factor
 * and the weight. So 1e-5 of the largest weight of the row is tight, and yet far from what a wrong formula gives.
 */
const TOLERANCE = 1e-5;

const MODALITIES = 4;
/** The divergence of this one is the same for every training row. */
const CONSTANT = 2;
/** This one predicts what the fused model predicts. */
const IDENTICAL = 3;
const TRAINING = 40;
const HELD_OUT = 40;

const tasks: TaskProfile[] = [
	{ type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	{ type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 },
	{ type: 'regression', classes: [], outputs: 1 },
	{ type: 'multilabel', classes: ['x', 'y', 'z'], outputs: 3 },
];

/** mulberry32: enough for test inputs. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

type Rows = { count: number; unimodal: Float32Array[]; fused: Float32Array; present: Array<Uint8Array | null> };

/** Outputs of the models: every fifth row has logits of ±50, some rows lack modalities, the last one lacks all; modality 0 is always there but in that one. */
function rowsOf(task: TaskProfile, count: number, seed: number): Rows {
	const next = random(seed);
	const width = task.outputs;
	const output = (at: (row: number) => number) => Float32Array.from({ length: count * width }, (_, i) => at(Math.floor(i / width)));
	const logit = (row: number): number => (row % 5 === 0 ? (next() < 0.5 ? -50 : 50) : 6 * next() - 3);
	const fused = output(logit);
	const unimodal = Array.from({ length: MODALITIES }, () => output(logit));
	unimodal[IDENTICAL] = fused.slice();
	const present = unimodal.map((_, m) =>
		Uint8Array.from({ length: count }, (_, i) => (i === count - 1 || (m > 0 && next() < 0.3) ? 0 : 1)),
	);
	present[IDENTICAL]!.fill(1, 0, count - 1);
	return { count, unimodal, fused, present };
}

const sigma = { unimodal: [0.7, 1.3, 0.4, 0.9], fused: 0.9 };

const divergencesOf = (task: TaskProfile, { unimodal, fused }: Rows): Float64Array[] =>
	unimodal.map((output, m) =>
		instanceDivergence({
			task: task.type,
			classes: task.outputs,
			unimodal: output,
			fused,
			sigma: { unimodal: sigma.unimodal[m]!, fused: sigma.fused },
		}),
	);

const rangeOf = (D: readonly Float64Array[], present: Rows['present']) => {
	const { min, max } = fitMinMax(D, present);
	return { min: [...min], max: [...max] };
};

function statisticsOf(task: TaskProfile, config: WeightFormula, rows: Rows): BtwStatistics {
	const { min, max } = rangeOf(divergencesOf(task, rows), rows.present);
	max[CONSTANT] = min[CONSTANT]!;
	return {
		mi: usesInformation(config) ? [0.4, 1e-5, 0.02, 1.1] : null,
		min,
		max,
		sigma: task.type === 'regression' ? sigma : null,
	};
}

/** Weights `[N, M]` of both passes by the package. */
function expected(task: TaskProfile, config: WeightFormula, statistics: BtwStatistics, rows: Rows) {
	const shape = { rows: rows.count, modalities: MODALITIES };
	return {
		first: modalityWeights(config, statistics.mi, shape, rows.present),
		second: instanceWeights(config, statistics, divergencesOf(task, rows), rows.present),
	};
}

/** Weights of both passes by the graph. */
async function found(task: TaskProfile, config: WeightFormula, statistics: BtwStatistics, rows: Rows) {
	const g = new GraphBuilder();
	const output = (name: string) => g.input(name, 'float32', ['batch', task.outputs]);
	const present = g.input('present', 'float32', ['batch', MODALITIES]);
	const unimodal = rows.unimodal.map((_, m) => output(`unimodal.${m}`));
	g.output('first', modalityWeightsGraph(g, config, statistics, present));
	const D = divergencesGraph(g, task, statistics, { unimodal, fused: output('fused') });
	g.output('divergence', D);
	g.output('second', instanceWeightsGraph(g, config, statistics, D, present));
	const feeds: Record<string, Tensor> = {};
	const feed = (name: string, data: Float32Array, width: number): void => {
		feeds[name] = tensor('float32', [rows.count, width], data);
	};
	feed('fused', rows.fused, task.outputs);
	rows.unimodal.forEach((data, m) => feed(`unimodal.${m}`, data, task.outputs));
	feed(
		'present',
		Float32Array.from({ length: rows.count * MODALITIES }, (_, i) => rows.present[i % MODALITIES]?.[Math.floor(i / MODALITIES)] ?? 1),
		MODALITIES,
	);
	const session = await createSession(encodeModel({ graph: g.build('weights'), opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	const data = (name: string) => outputs[name]!.data as Float32Array;
	return { first: data('first'), second: data('second'), divergence: data('divergence') };
}

/** The largest difference of a row, as a share of its largest weight; rows without weights must be 0 in both. */
function largestError(found: Float32Array, expected: Float32Array): number {
	expect(found.length).toBe(expected.length);
	let worst = 0;
	for (let start = 0; start < expected.length; start += MODALITIES) {
		const largest = Math.max(...expected.subarray(start, start + MODALITIES));
		for (let i = start; i < start + MODALITIES; i++) {
			const error = largest === 0 ? Math.abs(found[i]!) * Number.MAX_VALUE : Math.abs(found[i]! - expected[i]!) / largest;
			worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
		}
	}
	return worst;
}

const configurations: WeightFormula[] = (['none', 'mi', 'kl', 'kl+mi'] as const).flatMap((combine) =>
	(['agreement', 'divergence'] as const).flatMap((direction) =>
		(['minmax', 'row'] as const).flatMap((normalise) =>
			(['none', 'sum1', 'mean1'] as const).map((renormalise) => ({
				informationScale: 'none',
				combine,
				direction,
				normalise,
				renormalise,
			})),
		),
	),
);
const titleOf = ({ combine, direction, normalise, renormalise }: WeightFormula) =>
	`combine ${combine}, ${direction}, ${normalise}, renormalise ${renormalise}`;

describe('the graph gives the weights of @steelyard/weighting', () => {
	for (const task of tasks)
		for (const config of configurations)
			it(`${task.type}: ${titleOf(config)}`, async () => {
				const training = rowsOf(task, TRAINING, 1);
				const statistics = statisticsOf(task, config, training);
				for (const rows of [training, rowsOf(task, HELD_OUT, 2)]) {
					const theirs = expected(task, config, statistics, rows);
					const ours = await found(task, config, statistics, rows);
					expect(largestError(ours.first, theirs.first), 'first pass').toBeLessThanOrEqual(TOLERANCE);
					expect(largestError(ours.second, theirs.second), 'second pass').toBeLessThanOrEqual(TOLERANCE);
					divergencesOf(task, rows).forEach((D, m) =>
						D.forEach((d, i) => expect(Math.abs(ours.divergence[i * MODALITIES + m]! - d)).toBeLessThanOrEqual(TOLERANCE * Math.max(1, d))),
					);
					const last = (weights: Float32Array) => [...weights.subarray(-MODALITIES)];
					expect(last(ours.first)).toEqual([0, 0, 0, 0]);
					expect(last(ours.second)).toEqual([0, 0, 0, 0]);
				}
			});
});

/** The one row of each modality, all there. */
const oneRow = (unimodal: number[][], fused: number[]): Rows => ({
	count: 1,
	unimodal: unimodal.map((values) => Float32Array.from(values)),
	fused: Float32Array.from(fused),
	present: unimodal.map(() => null),
});

describe('the graph gives the weights of @steelyard/weighting where', () => {
	const kl = configurations.filter(usesDivergence);

	it('every modality predicts what the fused model predicts', async () => {
		for (const task of tasks)
			for (const config of kl) {
				const statistics = statisticsOf(task, config, rowsOf(task, TRAINING, 1));
				const output = [0.3, -1.2, 2.5].slice(0, task.outputs);
				const rows = oneRow([output, output, output, output], output);
				const { second } = await found(task, config, statistics, rows);
				expect(
					largestError(second, expected(task, config, statistics, rows).second),
					`${task.type}: ${titleOf(config)}`,
				).toBeLessThanOrEqual(TOLERANCE);
			}
	});

	it('the divergence lies far outside the range of the training split', async () => {
		for (const task of tasks)
			for (const config of kl) {
				const statistics = {
					...statisticsOf(task, config, rowsOf(task, TRAINING, 1)),
					min: [5, 5, 1, 2],
					max: [6, 6, 1, 3],
				};
				const [low, high] = [[0.1, 0.2, 0.3].slice(0, task.outputs), [-50, 50, 50].slice(0, task.outputs)];
				const rows = oneRow([low, high, high, low], low);
				const { second } = await found(task, config, statistics, rows);
				expect(
					largestError(second, expected(task, config, statistics, rows).second),
					`${task.type}: ${titleOf(config)}`,
				).toBeLessThanOrEqual(TOLERANCE);
			}
	});

	it('deviations of a regression lie below their floor', async () => {
		const task = tasks[2]!;
		const rows = oneRow([[1], [1.25], [0.5], [1]], [1]);
		for (const config of kl) {
			const tiny = { unimodal: [0, 1e-9, 1e-5, 0], fused: 0 };
			const D = rows.unimodal.map((unimodal, m) =>
				instanceDivergence({
					task: 'regression',
					classes: 1,
					unimodal,
					fused: rows.fused,
					sigma: { unimodal: tiny.unimodal[m]!, fused: 0 },
				}),
			);
			const statistics = {
				mi: [1, 2, 3, 4],
				min: [0, 0, 0, 0],
				max: [1e9, 1e9, 1e9, 1e9],
				sigma: tiny,
			};
			const { second } = await found(task, config, statistics, rows);
			expect(largestError(second, instanceWeights(config, statistics, D, rows.present)), titleOf(config)).toBeLessThanOrEqual(TOLERANCE);
		}
	});

	it('a row is the training row of least divergence in every modality', async () => {
		const task = tasks[0]!;
		for (const config of kl) {
			const rows: Rows = {
				count: 3,
				unimodal: [Float32Array.of(1.37, 3, -2), Float32Array.of(0.9, 2, 4), Float32Array.of(0.1, 2.5, 0), Float32Array.of(0.6, 3, -1)],
				fused: Float32Array.of(0.3, -1, 1),
				present: [null, null, null, null],
			};
			const statistics = { mi: [0.4, 1e-5, 0.02, 1.1], ...rangeOf(divergencesOf(task, rows), rows.present), sigma: null };
			const { second } = await found(task, config, statistics, rows);
			expect(largestError(second, expected(task, config, statistics, rows).second), titleOf(config)).toBeLessThanOrEqual(TOLERANCE);
		}
	});

	it('one modality is all there is', async () => {
		const task = tasks[0]!;
		for (const config of kl) {
			const rows = rowsOf(task, TRAINING, 3);
			rows.present = rows.present.map((_, m) => Uint8Array.from({ length: rows.count }, (_, i) => (i % MODALITIES === m ? 1 : 0)));
			const statistics = { ...statisticsOf(task, config, rows), min: [-1, -1, 0, -1] };
			const { second } = await found(task, config, statistics, rows);
			expect(largestError(second, expected(task, config, statistics, rows).second), titleOf(config)).toBeLessThanOrEqual(TOLERANCE);
		}
	});
});
