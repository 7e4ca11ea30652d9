import { differentiate } from '@steelyard/autodiff';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { type OptimizerOptions, optimizer as optimizerOf } from '@steelyard/optim';
import { counterRandom } from '@steelyard/random';
import { loadProgram, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { type OrtOptimizer, PARAMETERS, SIZES } from './ort-training/artifacts.js';
import type { Parameter } from './ort-training/checkpoint.js';
import { type Batch, type Course, trainInOrt } from './ort-training/session.js';

const STEPS = 10;
const { batch, features, classes } = SIZES;
const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

const random = counterRandom(1, 0);
const draws = (count: number, spread: number, centre = 0): Float32Array =>
	Float32Array.from({ length: count }, () => centre + (2 * random.uniform() - 1) * spread);
const start: Parameter[] = PARAMETERS.map(({ name, shape }) => ({
	name,
	shape,
	values: draws(sizeOf(shape), 0.5, name === 'scale' ? 1 : 0),
}));
const data: Batch = { x: draws(batch * features, 1), labels: Array.from({ length: batch }, (_, i) => i % classes) };

/** The same network by standard operators: loss, and the gradients of lossScale·loss. */
async function ourGradients() {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [batch, features]);
	const target = g.input('target', 'float32', [batch, classes]);
	const scale = g.input('lossScale', 'float32', []);
	const p = Object.fromEntries(PARAMETERS.map(({ name, shape }) => [name, g.input(name, 'float32', shape)])) as Record<string, Value>;
	const normed = g.op('LayerNormalization', [g.gemm(x, p['W1']!, p['b1']!), p['scale']!, p['shift']!], { axis: -1 });
	const error = g.op('Erf', [g.scale(Math.SQRT1_2, normed)]);
	const activated = g.mul(g.scale(0.5, normed), g.add(error, g.scalar(1)));
	const scores = g.op('LogSoftmax', [g.gemm(activated, p['W2']!, p['b2']!)], { axis: 1 });
	const loss = g.scale(-1 / batch, g.sumAll(g.mul(scores, target)));
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
	const graph = await canonicalise({ graph: g.build('forward'), opset: OPSET });
	return differentiate(graph, { loss: 'scaled_loss', wrt: PARAMETERS.map(({ name }) => name) });
}

/** Trains `steps` steps with our gradients and our optimizer, a run a step. */
async function trainHere(options: OptimizerOptions, learningRate: number): Promise<Course> {
	const optimizer = optimizerOf(options);
	const { graph, gradients } = await ourGradients();
	const b = new GraphBuilder('step/');
	for (const input of graph.inputs) if (!(input.name in byName)) b.input(input.name, input.dtype, input.shape);
	const scalars = Object.fromEntries(optimizer.scalars.map((name) => [name, b.input(name, 'float32', [1, 1])]));
	const places = PARAMETERS.map(({ name, shape }) => {
		const flat = [1, sizeOf(shape)];
		const state = ['', ...optimizer.slots].map((slot) => [slot, b.input(`state/${name}/${slot}`, 'float32', flat)] as const);
		b.node('Reshape', [state[0]![1], b.ints(shape)], [{ name, dtype: 'float32', shape }]);
		return { name, flat, slots: Object.fromEntries(state) };
	});
	b.append(graph);
	const state: Record<string, string> = {};
	for (const { name, flat, slots } of places) {
		const gradient = b.reshape(gradients.get(name) as Value, flat);
		const next = optimizer.update(b, { parameter: slots['']!, gradient, slots, scalars });
		for (const [slot, value] of Object.entries({ '': next.parameter, ...next.slots })) {
			state[`state/${name}/${slot}`] = `next/${name}/${slot}`;
			b.output(`next/${name}/${slot}`, value);
		}
	}
	b.output('step_loss', b.value('loss'));
	const bytes = encodeModel({ graph: b.build('step'), opset: OPSET });
	const initial: Record<string, Tensor> = {};
	for (const { name, flat, slots } of places)
		for (const slot of Object.keys(slots))
			initial[`state/${name}/${slot}`] = tensor('float32', flat, slot === '' ? byName[name]! : new Float32Array(flat[1]!));
	const program = await loadProgram({ bytes, state }, initial);
	const target = new Float32Array(batch * classes);
	data.labels.forEach((label, i) => {
		target[i * classes + label] = 1;
	});
	const course: Course = { losses: [], parameters: [] };
	const parameters = async () => {
		const now = await program.state();
		return Object.fromEntries(places.map(({ name }) => [name, now[`state/${name}/`]!.data as Float32Array]));
	};
	for (let step = 1; step <= STEPS; step++) {
		course.parameters.push(await parameters());
		const { lossScale, ...rest } = optimizer.scalarsAt({ step, inChunk: step, learningRate });
		const { step_loss: loss } = await program.run({
			x: tensor('float32', [batch, features], data.x),
			target: tensor('float32', [batch, classes], target),
			lossScale: tensor('float32', [], [lossScale!]),
			...Object.fromEntries(optimizer.scalars.map((name) => [name, tensor('float32', [1, 1], [rest[name]!])])),
		});
		course.losses.push(loss!.data[0] as number);
	}
	course.parameters.push(await parameters());
	await program.dispose();
	return course;
}
const byName = Object.fromEntries(start.map(({ name, values }) => [name, values]));

/** The largest difference of a parameter after the last step. */
const apart = (a: Course, b: Course): number =>
	Math.max(
		...PARAMETERS.flatMap(({ name }) => {
			const other = b.parameters[STEPS]![name]!;
			return Array.from(a.parameters[STEPS]![name]!, (value, i) => Math.abs(value - other[i]!));
		}),
	);
/** The largest way that a parameter went in all. */
const moved = (course: Course): number =>
	Math.max(
		...PARAMETERS.flatMap(({ name }) => Array.from(course.parameters[STEPS]![name]!, (value, i) => Math.abs(value - byName[name]![i]!))),
	);

const options = (more: Partial<OptimizerOptions>): OptimizerOptions => ({
	name: 'sgd',
	weightDecay: 0,
	momentum: 0,
	beta1: 0.9,
	beta2: 0.999,
	epsilon: 1e-8,
	...more,
});
const ortAdamW = (more: Partial<OrtOptimizer & { name: 'adamw' }>): OrtOptimizer => ({
	name: 'adamw',
	learningRate: 5e-3,
	beta1: 0.9,
	beta2: 0.999,
	epsilon: 1e-8,
	weightDecay: 0,
	mode: 0,
	...more,
});

// Float32 in another order of summation, over ten steps of parameters around 1: some units in the last place, 6e-8 each.
const TOLERANCE = 1e-6;

describe("ONNX Runtime's own training", () => {
	it('arrives at our parameters by SGD, with its gradients of Gemm, LayerNormalization, Gelu and cross-entropy', async () => {
		const there = await trainInOrt({ name: 'sgd', learningRate: 0.1 }, start, data, STEPS);
		const here = await trainHere(options({ name: 'sgd' }), 0.1);
		expect(apart(here, there)).toBeLessThan(TOLERANCE);
		expect(moved(here)).toBeGreaterThan(0.01);
		here.losses.forEach((loss, step) => {
			expect(loss).toBeCloseTo(there.losses[step]!, 5);
		});
	});

	it('arrives at our parameters by AdamW', async () => {
		const there = await trainInOrt(ortAdamW({ weightDecay: 0.1 }), start, data, STEPS);
		const here = await trainHere(options({ name: 'adamw', weightDecay: 0.1 }), 5e-3);
		expect(apart(here, there)).toBeLessThan(TOLERANCE);
		expect(moved(here)).toBeGreaterThan(0.02);
	});

	it('adds epsilon where we do, as torch.optim.AdamW does: to the root of the corrected second moment; its other mode does not', async () => {
		const epsilon = 1e-2;
		const here = await trainHere(options({ name: 'adamw', epsilon }), 5e-3);
		expect(apart(here, await trainInOrt(ortAdamW({ epsilon }), start, data, STEPS))).toBeLessThan(TOLERANCE);
		expect(apart(here, await trainInOrt(ortAdamW({ epsilon, mode: 1 }), start, data, STEPS))).toBeGreaterThan(100 * TOLERANCE);
	});
});
