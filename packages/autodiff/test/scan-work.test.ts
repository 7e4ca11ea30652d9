import { allValues, bodiesOf, canonicalise, encodeModel, type Graph, GraphBuilder, type Node, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';
import { mixed } from './cases/control.js';
import { uniformNumbers } from './gradient-check.js';

const STEPS = 3;
const BATCH = 2;
const HIDDEN = 3;

/** One operation of a step on two of the values before it. */
type Operation = { kind: number; a: number; b: number };
/** What a step is made of: its operations, and how its Scan goes through the steps. */
type Recipe = { operations: Operation[]; directions: [number, number]; axis: 0 | 1; seed: number };

const recipes: fc.Arbitrary<Recipe> = fc.record({
	operations: fc.array(fc.record({ kind: fc.nat(13), a: fc.nat(20), b: fc.nat(20) }), { minLength: 3, maxLength: 12 }),
	directions: fc.tuple(fc.constantFrom(0, 1), fc.constantFrom(0, 1)),
	axis: fc.constantFrom(0, 1),
	seed: fc.nat(1000),
});

/** The values that a step captures: a matrix [H, H], a vector [H] and a column [B, 1]. */
type Captured = { matrix: Value; vector: Value; column: Value };

/** One step: from the carries h and c and the slices x [B, H] and y [H] to the carries after it and what is stacked. */
function stepOf(b: GraphBuilder, { operations }: Recipe, { matrix, vector, column }: Captured, [h, c, x, y]: Value[]): Value[] {
	const values: Value[] = [h!, c!, x!, y!, vector, column];
	const kinds: Array<(p: Value, q: Value) => Value> = [
		(p, q) => b.mul(p, q),
		(p, q) => b.mul(p, b.op('Sigmoid', [q])),
		(p, q) => b.mul(b.op('Sigmoid', [p]), b.op('Tanh', [q])),
		(p) => b.mul(p, b.op('Sin', [y!])),
		(p) => b.mul(p, b.op('Sin', [x!])),
		(p, q) => b.add(p, q),
		(p, q) => b.sub(p, q),
		(p) => b.op('Tanh', [p]),
		(p) => b.scale(0.7, p),
		(p) => b.matMul(b.add(h!, p), matrix),
		(p) => b.gemm(b.add(c!, p), matrix, x!, { transB: true }),
		(p) => b.reduce('ReduceMean', b.add(x!, p), [1]),
		(p, q) => {
			const [isPositive, sum] = [b.op('Greater', [p, b.scalar(0, 'float64')], {}, { dtype: 'bool' }), b.add(p, q)];
			return b.op('Where', [isPositive, sum, b.sub(p, q)], {}, { dtype: 'float64', shape: sum.shape });
		},
		(p) => b.op('Clip', [p, b.scalar(-1, 'float64'), b.scalar(1, 'float64')]),
	];
	for (const { kind, a, b: second } of operations) values.push(kinds[kind]!(values[a % values.length]!, values[second % values.length]!));
	const [last, before] = [values.at(-1)!, values.at(-2)!];
	return [b.op('Tanh', [b.add(h!, last)]), b.op('Tanh', [b.add(c!, before)]), b.mul(b.add(last, x!), h!)];
}

const shapes: Record<string, number[]> = {
	...{ h: [BATCH, HIDDEN], c: [BATCH, HIDDEN], y: [STEPS, HIDDEN] },
	...{ matrix: [HIDDEN, HIDDEN], vector: [HIDDEN], column: [BATCH, 1] },
};

/** A loss over all that a Scan gives, or over the same from its steps written out one after the other. */
function lossOf(recipe: Recipe, form: 'scan' | 'steps'): Graph {
	const { directions, axis } = recipe;
	const g = new GraphBuilder();
	const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, g.input(name, 'float64', shape)]));
	const x = g.input('x', 'float64', [BATCH, HIDDEN].toSpliced(axis, 0, STEPS));
	const { h, c, y } = inputs as Record<string, Value>;
	const around = inputs as unknown as Captured;
	const ends = [h!, c!].map(({ shape }) => g.fresh('end', 'float64', shape));
	let all = g.fresh('all', 'float64', [STEPS, BATCH, HIDDEN]);
	if (form === 'scan') {
		const b = g.nested();
		const at = (shape: number[]): Value => b.input(b.fresh('in', 'float64', shape).name, 'float64', shape);
		const made = stepOf(b, recipe, around, [at([BATCH, HIDDEN]), at([BATCH, HIDDEN]), at([BATCH, HIDDEN]), at([HIDDEN])]);
		for (const value of made) b.output(b.fresh('out', 'float64', value.shape).name, value);
		g.node('Scan', [h!, c!, x, y!], [...ends, all], {
			body: { type: 'graph', value: b.build('step') },
			num_scan_inputs: 2,
			scan_input_axes: [axis, 0],
			scan_input_directions: directions,
		});
	} else {
		let [hNow, cNow] = [h!, c!];
		const stacked: Value[] = [];
		const slice = (whole: Value, along: number, direction: number, step: number): Value => {
			const at = g.scalar(direction === 0 ? step : STEPS - 1 - step, 'int64');
			return g.op('Gather', [whole, at], { axis: along }, { shape: whole.shape.toSpliced(along, 1) });
		};
		for (let step = 0; step < STEPS; step++) {
			const slices = [slice(x, axis, directions[0], step), slice(y!, 0, directions[1], step)];
			const made = stepOf(g, recipe, around, [hNow, cNow, ...slices]);
			[hNow, cNow] = [made[0]!, made[1]!];
			stacked.push(g.reshape(made[2]!, [1, BATCH, HIDDEN]));
		}
		[ends[0], ends[1], all] = [hNow, cNow, g.concat(stacked, 0)];
	}
	g.output('loss', mixed(g, [...ends, all]));
	return g.build(form);
}

async function gradientsOf(recipe: Recipe, form: 'scan' | 'steps'): Promise<Record<string, Tensor>> {
	const wrt = [...Object.keys(shapes), 'x'];
	const graph = await canonicalise({ graph: lossOf(recipe, form), opset: OPSET });
	const backward = differentiate(graph, { loss: 'loss', wrt });
	const g = GraphBuilder.from(backward.graph, 'test/');
	for (const name of wrt) g.output(`d_${name}`, backward.gradients.get(name)!);
	const next = uniformNumbers(recipe.seed);
	const feeds = Object.fromEntries(
		graph.inputs.map(({ name, shape }) => {
			const size = (shape as number[]).reduce((a, b) => a * b, 1);
			return [
				name,
				tensor(
					'float64',
					shape as number[],
					Array.from({ length: size }, () => 2 * next() - 1),
				),
			];
		}),
	);
	const session = await createSession(encodeModel({ graph: g.build('backward'), opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
}

describe('the gradients through a Scan', () => {
	it('are those through its steps written out one after the other, whatever is computed outside of its body', async () => {
		await fc.assert(
			fc.asyncProperty(recipes, async (recipe) => {
				const [expected, found] = [await gradientsOf(recipe, 'steps'), await gradientsOf(recipe, 'scan')];
				for (const [name, { data }] of Object.entries(expected))
					data.forEach((value, i) => {
						// float64 in another order of sums and products
						const error = Math.abs(Number(found[name]!.data[i]) - Number(value));
						expect(error / (1 + Math.abs(Number(value))), `${name}[${i}]`).toBeLessThan(1e-9);
					});
			}),
			{ numRuns: 40, seed: 11 },
		);
	}, 60_000);
});

/** The Scans of a recurrent layer over [4, 2, 3] whose last state makes the loss, the forward ones first. */
async function scansOf(op: 'LSTM' | 'GRU' | 'RNN', direction: 'forward' | 'reverse'): Promise<Node[]> {
	const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op] * HIDDEN;
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [4, BATCH, 2]);
	const [w, r] = [g.input('w', 'float32', [1, gates, 2]), g.input('r', 'float32', [1, gates, HIDDEN])];
	const last = g.fresh('last', 'float32', [1, BATCH, HIDDEN]);
	g.node(op, [x, w, r], [null, last], { hidden_size: HIDDEN, direction });
	g.output('loss', g.sumAll(last));
	const graph = await canonicalise({ graph: g.build('layer'), opset: OPSET });
	const { graph: both } = differentiate(graph, { loss: 'loss', wrt: ['w', 'r'] });
	return both.nodes.filter((node) => node.op === 'Scan');
}

const bodyOf = (node: Node): Graph => bodiesOf(node)[0]![1];
const operators = (node: Node): string[] =>
	bodyOf(node)
		.nodes.map(({ op }) => op)
		.sort();

describe('a step of the backward pass', () => {
	it.each(['forward', 'reverse'] as const)('of an LSTM is one Gemm, one Concat, six products and a sum (%s)', async (direction) => {
		const [, backward] = await scansOf('LSTM', direction);
		expect(operators(backward!)).toEqual(['Add', 'Concat', 'Gemm', ...Array(6).fill('Mul')]);
		// the gradient of the sums of the gates serves W and R: it leaves the Scan once, in the order of x
		expect(bodyOf(backward!).outputs.length - 2).toBe(1);
	});

	it('reads no more numbers of an LSTM, and has no more saved, than seven states', async () => {
		const [forward, backward] = await scansOf('LSTM', 'forward');
		const sizes = (graph: Graph, names: readonly string[]): number =>
			names.reduce((sum, name) => sum + (allValues(graph).get(name)!.shape as number[]).reduce((a, b) => a * b, 1), 0);
		const saved = bodyOf(forward!).outputs.slice(3);
		expect(
			sizes(
				bodyOf(forward!),
				saved.map(({ name }) => name),
			),
		).toBe(7 * BATCH * HIDDEN);
		expect(bodyOf(backward!).inputs.slice(2)).toHaveLength(6);
	});

	it.each([
		['GRU', 16],
		['RNN', 2],
	] as const)('of a %s has at most %i nodes', async (op, most) => {
		const [, backward] = await scansOf(op, 'forward');
		expect(bodyOf(backward!).nodes.length).toBeLessThanOrEqual(most);
	});
});
