import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Architecture } from '../src/model/architecture.js';
import { drawPool, drawRows, POOL_ROWS, POOL_WIDTH } from '../src/model/dropout-pool.js';
import { uploadedArchitecture } from './uploaded-architecture.js';

const RATIO = 0.3;
const CLASSES = 50;
const BATCH = 40;

/** Two dropouts of the same numbers, one after another product with the unit matrix: what comes out of ones is the two masks. */
function twoMasks(ratio: number | null, trainingMode: boolean): Promise<Architecture> {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['N', CLASSES]);
	const unit = Float32Array.from({ length: CLASSES * CLASSES }, (_, i) => (i % (CLASSES + 1) === 0 ? 1 : 0));
	const h = g.matMul(x, g.initializer('w', tensor('float32', [CLASSES, CLASSES], unit)));
	const mode = g.constant('bool', [], [trainingMode ? 1 : 0]);
	const drop = () => g.op('Dropout', [h, ratio === null ? null : g.scalar(ratio), mode]);
	g.output('y', g.concat([drop(), drop()], 1));
	const modalities = [{ name: 'a', shape: [CLASSES], maskedSteps: false }];
	const config = { inputs: { a: 'x' }, output: 'y', batch_norm: 'train' as const };
	const task = { type: 'multiclass' as const, classes: [], outputs: 2 * CLASSES };
	return uploadedArchitecture(encodeModel({ graph: g.build('dropout'), opset: OPSET }), config, task, modalities);
}

/** What the forward pass of training gives for ones, `[BATCH, 2 · CLASSES]`, in each of some steps of a chunk. */
async function masksOf(
	architecture: Architecture,
	place: { seed: number; stream: number; step: number },
	steps: number,
): Promise<Float32Array[]> {
	const rows = architecture.dropouts(BATCH);
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [BATCH, CLASSES]);
	const parameter = g.input('w', 'float32', [CLASSES, CLASSES]);
	const random = {
		pool: g.input('pool', 'float32', [POOL_ROWS, POOL_WIDTH]),
		rows: rows.map((count, i) => g.input(`rows.${i}`, 'int64', [count])),
	};
	const inputs = { x: () => x, mask: () => x, parameter: () => parameter, random };
	g.output('y', architecture.forward(g, inputs, { scope: 'model', mode: 'train' }).fused([{ weight: x, present: x }]).logits);
	const session = await createSession(encodeModel({ graph: g.build('step'), opset: OPSET }));
	const drawn = drawRows(place, steps, rows);
	const found: Float32Array[] = [];
	for (let j = 0; j < steps; j++) {
		const own = rows.map((count, i) => [
			`rows.${i}`,
			tensor('int64', [count], (drawn[i]!.data as BigInt64Array).slice(j * count, (j + 1) * count)),
		]);
		const said = await session.run({
			x: tensor('float32', [BATCH, CLASSES], new Float32Array(BATCH * CLASSES).fill(1)),
			w: tensor('float32', [CLASSES, CLASSES], architecture.initial(0, 0).get('0.w')!),
			pool: drawPool(place),
			...Object.fromEntries(own),
		});
		found.push(said['y']!.data as Float32Array);
	}
	await session.release();
	return found;
}

describe('dropout of an uploaded graph in training form', () => {
	let architecture: Architecture;
	const place = { seed: 1, stream: 0, step: 0 };
	let steps: Float32Array[];
	beforeAll(async () => {
		architecture = await twoMasks(RATIO, true);
		steps = await masksOf(architecture, place, 20);
	});

	it('keeps numbers with the chance that its ratio leaves, and scales them so that the mean stays', () => {
		for (const values of steps) for (const value of values) expect(value === 0 || value === Math.fround(1 / (1 - RATIO))).toBe(true);
		const all = steps.flatMap((values) => [...values]);
		const share = all.filter((value) => value !== 0).length / all.length;
		// 80,000 draws: the deviation of the share is 0.0016, some more where rows of the pool come twice
		expect(Math.abs(share - (1 - RATIO))).toBeLessThan(0.01);
	});

	it('draws anew for every row, place and step', () => {
		const [first, second] = [steps[0]!, steps[1]!];
		const agreement = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
			Array.from(a, (value, i) => (value === b[i] ? 1 : 0)).reduce<number>((sum, one) => sum + one, 0) / a.length;
		const column = (values: Float32Array, from: number): number[] =>
			Array.from({ length: BATCH }, (_, row) => [...values.subarray(row * 2 * CLASSES + from, row * 2 * CLASSES + from + CLASSES)]).flat();
		const rows = (values: Float32Array, from: number): number[] => [...values.subarray(from * 2 * CLASSES, (from + 20) * 2 * CLASSES)];
		// independent masks agree by chance in 0.7² + 0.3² = 0.58 of 2,000 or more places, with a deviation of 0.011
		for (const [a, b] of [
			[first, second],
			[column(first, 0), column(first, CLASSES)],
			[rows(first, 0), rows(first, 20)],
		] as const)
			expect(Math.abs(agreement(a, b) - 0.58)).toBeLessThan(0.06);
	});

	it('draws the same for the same seed, model and step, and else another', async () => {
		expect(await masksOf(architecture, place, 20)).toEqual(steps);
		for (const other of [{ seed: 2 }, { stream: 1 }, { step: 20 }, { step: 1000 }])
			expect((await masksOf(architecture, { ...place, ...other }, 1))[0]).not.toEqual(steps[0]);
	});

	it('is off where the model predicts, also in the file that is given back', async () => {
		const numbers = new Map([['0.w', tensor('float32', [CLASSES, CLASSES], new Float32Array(CLASSES * CLASSES).fill(0.5))]]);
		const session = await createSession(architecture.ownModel!(numbers).bytes);
		const said = await session.run({ x: tensor('float32', [1, CLASSES], new Float32Array(CLASSES).fill(1)) });
		await session.release();
		expect([...(said['y']!.data as Float32Array)]).toEqual(new Array(2 * CLASSES).fill(CLASSES / 2));
	});

	it('has the ratio of one half unless it names another, and no random numbers where the graph was exported to predict', async () => {
		const values = (await masksOf(await twoMasks(null, true), place, 1))[0]!;
		expect(new Set(values)).toEqual(new Set([0, 2]));
		expect((await twoMasks(RATIO, false)).dropouts(BATCH)).toEqual([]);
	});
});
