import { readFileSync } from 'node:fs';
import { differentiate } from '@steelyard/autodiff';
import { type JobSpec, type JobTask, jobTask, quantilesOf, type TaskType } from '@steelyard/contracts';
import { canonicalise, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { lossFor } from '../src/model/loss-for.js';
import { positionMetrics } from '../src/report/position-metrics.js';
import { predictionsFrom } from '../src/report/predictions.js';
import { rowLosses } from '../src/report/row-losses.js';
import { lossOf, scaledLoss } from '../src/step/loss.js';
import { positionLossOf } from '../src/step/position-loss.js';

type Case = {
	task: TaskType;
	columns: number;
	loss: Exclude<JobSpec['training']['loss'], string>;
	z: number[];
	y: number[];
	weights: number[];
	rows: number[];
	gradient: number[];
};
const cases = JSON.parse(readFileSync(new URL('fixtures/losses.json', import.meta.url), 'utf8')) as Case[];

const taskOf = ({ task: type, columns, loss }: Case): JobTask => jobTask({ type, classes: [], outputs: columns }, quantilesOf(loss));
/** Those whose outputs are one for each number of the target, as those of positions are. */
const ofPositions = cases.filter(({ loss }) => quantilesOf(loss) === null);
const titleOf = ({ task, loss }: Case): string => `${JSON.stringify(loss)} of ${task}`;
const close = (found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void => {
	expect(found.length).toBe(wanted.length);
	wanted.forEach((value, i) => expect(Math.abs((found[i] as number) - value)).toBeLessThan(tolerance * (1 + Math.abs(value))));
};

/** The weighted loss of a batch and its gradient, in a graph, of values that are `deviation` times smaller than the labels. */
async function inGraph(c: Case, deviation = 1): Promise<{ loss: number; gradient: Float32Array }> {
	const { columns, task, z, y, weights } = c;
	const rows = weights.length;
	const width = task === 'regression' ? 1 : columns;
	const g = new GraphBuilder();
	const logits = g.input('z', 'float32', [rows, columns]);
	const inputs = [g.input('target', 'float32', [rows, width]), g.input('weight', 'float32', [rows, 1])] as const;
	g.output('loss', lossOf(g, scaledLoss(lossFor(c.loss, task), deviation), logits, ...inputs));
	const graph = differentiate(await canonicalise({ graph: g.build('loss'), opset: OPSET }), { loss: 'loss', wrt: ['z'] });
	const gradient = graph.gradients.get('z')!.name;
	const session = await createSession(encodeModel({ graph: graph.graph, opset: OPSET }, ['loss', gradient]));
	const target = task === 'multiclass' ? y.flatMap((label) => Array.from({ length: columns }, (_, k) => Number(k === label))) : y;
	const scaled = (values: readonly number[]) => values.map((value) => value / deviation);
	const found = await session.run({
		z: tensor('float32', [rows, columns], scaled(z)),
		target: tensor('float32', [rows, width], scaled(target)),
		weight: tensor('float32', [rows, 1], weights),
	});
	await session.release();
	return { loss: Number(found['loss']!.data[0]), gradient: found[gradient]!.data as Float32Array };
}

describe('a loss agrees with PyTorch', () => {
	it.each(cases.map((c) => [titleOf(c), c] as const))('%s: its rows on the host', (_, c) => {
		const predictions = predictionsFrom(taskOf(c), Float32Array.from(c.z));
		close(rowLosses(taskOf(c), lossFor(c.loss, c.task), predictions, Float64Array.from(c.y)), c.rows, 1e-6);
	});

	it.each(cases.map((c) => [titleOf(c), c] as const))('%s: its value and gradient in a graph, by the weights of the rows', async (_, c) => {
		const { loss, gradient } = await inGraph(c);
		close([loss], [c.rows.reduce((sum, row, i) => sum + row * c.weights[i]!, 0)], 1e-6);
		close(gradient, c.gradient, 2e-6); // float32
	});

	it.each(ofPositions.map((c) => [titleOf(c), c] as const))('%s: of positions, in a graph and on the host', async (_, c) => {
		const { columns, task, z, y, weights, rows, gradient } = c;
		const classes = task === 'multiclass' ? columns : 1;
		const count = z.length / classes;
		const axes = classes === 1 ? ([-1] as const) : ([-1, 1] as const);
		for (const classAxis of axes) {
			// the rows of the case as positions of one row, and behind them a position that does not count
			const form = { positions: count + 1, classes, classAxis };
			const place = (position: number, k: number) => (classAxis === 1 ? k * form.positions + position : position * classes + k);
			const laid = new Float32Array(form.positions * classes).fill(9);
			z.forEach((value, at) => void (laid[place(Math.floor(at / classes), at % classes)] = value));
			const targets = [...y, task === 'regression' ? Number.NaN : -1];
			const loss = lossFor(c.loss, task);

			const g = new GraphBuilder();
			const logits = g.input('z', 'float32', [1, laid.length]);
			const dtype = task === 'multiclass' ? 'int64' : 'float32';
			const target = g.input('target', dtype, [1, form.positions]);
			g.output('loss', positionLossOf(g, loss, form, logits, target, g.constant('float32', [1, 1], [1])));
			const graph = differentiate(await canonicalise({ graph: g.build('loss'), opset: OPSET }), { loss: 'loss', wrt: ['z'] });
			const gradientName = graph.gradients.get('z')!.name;
			const session = await createSession(encodeModel({ graph: graph.graph, opset: OPSET }, ['loss', gradientName]));
			const found = await session.run({
				z: tensor('float32', [1, laid.length], laid),
				target: tensor(dtype, [1, form.positions], targets),
			});
			await session.release();
			const mean = rows.reduce((sum, row) => sum + row, 0) / rows.length;
			close([Number(found['loss']!.data[0])], [mean], 1e-6);
			const perRow = gradient.length / weights.length;
			gradient.forEach((value, at) => {
				const weight = weights[Math.floor(at / perRow)]!;
				const own = found[gradientName]!.data[place(Math.floor(at / classes), at % classes)] as number;
				if (weight !== 0) expect(Math.abs(own - value / (weight * rows.length))).toBeLessThan(2e-6);
			});

			const strides = classAxis === 1 ? { ofPosition: 1, ofClass: form.positions } : { ofPosition: classes, ofClass: 1 };
			const type = task === 'multilabel' ? 'binary' : task;
			const metrics = positionMetrics({ type, classes: [], outputs: classes }, loss, strides);
			metrics.add(laid, Float32Array.from(targets));
			close([metrics.result()['loss']!], [mean], 1e-6);
		}
	});

	it('with the delta of huber in the unit of the label, whatever unit training has', async () => {
		const c = cases.find(({ loss }) => loss.delta !== undefined)!;
		const { loss } = await inGraph(c, 4);
		close([loss * 16], [c.rows.reduce((sum, row, i) => sum + row * c.weights[i]!, 0)], 1e-6);
	});

	it('also where float32 has no probability left, with finite gradients', async () => {
		for (const name of ['focal', 'cross_entropy'] as const)
			for (const task of ['binary', 'multiclass'] as const) {
				const columns = task === 'binary' ? 1 : 2;
				const z = task === 'binary' ? [200, -200] : [200, -200, -200, 200];
				const of: Case = { task, columns, loss: { name }, z, y: [0, 0], weights: [1, 1], rows: [], gradient: [] };
				const { loss, gradient } = await inGraph(of);
				expect(Number.isFinite(loss) && gradient.every(Number.isFinite)).toBe(true);
				const rows = rowLosses(
					taskOf(of),
					lossFor(of.loss, task),
					predictionsFrom(taskOf(of), Float32Array.from(z)),
					Float64Array.of(0, 0),
				);
				close([loss], [rows[0]! + rows[1]!], 1e-6);
			}
	});
});
