import {
	allValues,
	canonicalise,
	elementCount,
	encodeModel,
	type Graph,
	GraphBuilder,
	type Node,
	OPSET,
	readsOf,
	type Value,
} from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';
import { bodyOf, node } from './cases/control.js';
import { uniformNumbers } from './gradient-check.js';

const SIZE = 6;
const LAYERS = 12;
type Layer = (g: GraphBuilder, x: Value, w: Value) => Value;

/** x + tanh(x·w)·exp(sin(x·w)) */
const residual: Layer = (g, x, w) => {
	const h = g.matMul(x, w);
	return g.add(x, g.mul(g.op('Tanh', [h]), g.exp(g.op('Sin', [h]))));
};

const others: Layer[] = [
	// numbers that would come out different if they were drawn again; with a seed, two sessions draw the same
	(g, x) => g.mul(x, g.op('RandomUniformLike', [x], { seed: { type: 'float', value: 3 } })),
	// a body that captures what a segment makes
	(g, x, w) => {
		const scale = g.exp(g.scale(0.1, g.op('Tanh', [x])));
		const rows = ['float32', [SIZE]] as ['float32', number[]];
		const body = bodyOf([rows, rows], (b, [s, row]) => {
			const next = b.op('Tanh', [b.add(b.mul(s!, b.reduce('ReduceMean', scale, [0], false)), row!)]);
			return [next, b.mul(next, row!)];
		});
		const start = g.reduce('ReduceMean', g.matMul(x, w), [0], false);
		return node(g, 'Scan', [start, x], [rows, ['float32', [SIZE, SIZE]]], { body, num_scan_inputs: 1 })[1]!;
	},
	// one node alone in what it reads: a weight in another form
	(g, x, w) => g.op('Sigmoid', [g.matMul(x, g.transposed(w))]),
];

async function network(layers: readonly Layer[]) {
	const g = new GraphBuilder();
	let x = g.input('x', 'float32', [SIZE, SIZE]);
	const names = layers.map((layer, i) => {
		x = layer(g, x, g.input(`w${i}`, 'float32', [SIZE, SIZE]));
		return `w${i}`;
	});
	g.output('loss', g.sumAll(g.mul(x, x)));
	const graph = await canonicalise({ graph: g.build('network'), opset: OPSET });
	const wrt = ['x', ...names];
	const ways = [differentiate(graph, { loss: 'loss', wrt }), differentiate(graph, { loss: 'loss', wrt, recompute: 'segments' })] as const;
	return { wrt, forward: graph.nodes.length, ways };
}

async function run({ graph, gradients }: ReturnType<typeof differentiate>, wrt: readonly string[]): Promise<Record<string, Tensor>> {
	const g = GraphBuilder.from(graph, 'test/');
	g.output('of_loss', g.value('loss'));
	for (const name of wrt) g.output(`d_${name}`, gradients.get(name)!);
	const session = await createSession(encodeModel({ graph: g.build('backward'), opset: OPSET }));
	const next = uniformNumbers(7);
	const numbers = () => Array.from({ length: SIZE * SIZE }, () => next() - 0.5);
	const outputs = await session.run(Object.fromEntries(wrt.map((name) => [name, tensor('float32', [SIZE, SIZE], numbers())])));
	await session.release();
	return outputs;
}

/** The most elements alive at once when, of the nodes that have their inputs, the one that `first` likes best runs next. */
function mostAlive(graph: Graph, ends: Iterable<string>, first: (node: Node) => number): number {
	const known = allValues(graph);
	const waiting = [...graph.nodes].sort((a, b) => first(a) - first(b));
	const there = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), '']);
	const keep = new Set(ends);
	let most = 0;
	while (waiting.length > 0) {
		const at = waiting.findIndex((one) => readsOf(one).every((name) => there.has(name)));
		for (const output of waiting.splice(at, 1)[0]!.outputs) there.add(output);
		const read = new Set([...waiting.flatMap(readsOf), ...keep]);
		const alive = [...there].filter((name) => read.has(name) && known.has(name));
		most = Math.max(
			most,
			alive.reduce((sum, name) => sum + elementCount(known.get(name)!), 0),
		);
	}
	return most;
}

describe('differentiate with recomputation', () => {
	it.each([
		['of one kind', Array<Layer>(LAYERS).fill(residual)],
		[
			'with draws, bodies and weights in another form between them',
			Array.from({ length: LAYERS }, (_, i) => [residual, ...others][i % 4]!),
		],
		['of a single layer', [residual]],
	])('gives the same gradients to the bit, for layers %s', async (_, layers) => {
		const { wrt, ways } = await network(layers);
		const [plain, again] = [await run(ways[0], wrt), await run(ways[1], wrt)];
		expect(again).toEqual(plain);
		expect(Object.values(again).every(({ data }) => Array.from(data, Number).every(Number.isFinite))).toBe(true);
		const draws = ways.map(({ graph }) => graph.nodes.filter(({ op }) => op === 'RandomUniformLike').length);
		expect(draws[1]).toBe(draws[0]);
		if (layers.length > 1) expect(ways[1].graph.nodes.length).toBeGreaterThan(ways[0].graph.nodes.length);
	});

	it('keeps less alive, also where a runtime makes again what it can as early as it can', async () => {
		const { wrt, ways } = await network(Array<Layer>(LAYERS).fill(residual));
		const ends = ways.map(({ gradients }) => wrt.map((name) => gradients.get(name)!.name));
		const places = ways.map(({ graph }) => new Map(graph.nodes.map(({ name }, i) => [name, i])));
		const plain = mostAlive(ways[0].graph, ends[0]!, ({ name }) => places[0]!.get(name)!);
		const own = new Set(ways[0].graph.nodes.flatMap(({ outputs }) => outputs));
		const eager = (one: Node): number => places[1]!.get(one.name)! - (one.outputs.some((output) => own.has(output)) ? 0 : 10_000);
		// parameters and their gradients are alive in both: 2·13 of 36 elements
		const always = 26 * SIZE * SIZE;
		expect(mostAlive(ways[1].graph, ends[1]!, eager) - always).toBeLessThan((plain - always) / 2);
	});
});
