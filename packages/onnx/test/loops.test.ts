import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { canonicalise, encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '../src/index.js';

/** h ← tanh(h + i/10), `trips` times, every h stacked; `goesOn` makes the condition of the next iteration of h. */
function looping(trips: (g: GraphBuilder) => Value, goesOn: (b: GraphBuilder, h: Value, condition: Value) => Value): Graph {
	const b = new GraphBuilder('body/');
	const i = b.input('i', 'int64', []);
	const condition = b.input('condition', 'bool', []);
	const h = b.input('h', 'float32', [2]);
	const next = b.op('Tanh', [b.add(h, b.scale(0.1, b.op('Cast', [i], { to: 1 }, { dtype: 'float32' })))]);
	b.output('goes_on', goesOn(b, next, condition));
	b.output('next', next);
	b.output('seen', next);
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [2]);
	const outputs: Value[] = [
		{ name: 'last', dtype: 'float32', shape: [2] },
		{ name: 'all', dtype: 'float32', shape: ['trips', 2] },
	];
	g.node('Loop', [trips(g), g.constant('bool', [], [1]), x], outputs, { body: { type: 'graph', value: b.build('body') } });
	for (const output of outputs) g.output(`${output.name}_out`, output);
	return g.build('looping');
}
const constant = (count: number) => (g: GraphBuilder) => g.constant('int64', [], [count]);
const always = (_: GraphBuilder, __: Value, condition: Value): Value => condition;
const untilSmall = (b: GraphBuilder, h: Value): Value => b.op('Greater', [b.sumAll(h), b.scalar(0.5)], {}, { dtype: 'bool', shape: [] });

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}

describe('a Loop', () => {
	it('of a fixed length is a Scan that gives the same', async () => {
		const graph = looping(constant(3), always);
		const canonical = await canonicalise({ graph, opset: OPSET });
		expect(canonical.nodes.filter(({ op }) => op === 'Loop')).toEqual([]);
		const x = tensor('float32', [2], [0.3, -0.7]);
		expect(await run(canonical, { x })).toEqual(await run(graph, { x }));
	});

	it.each<[string, Graph, RegExp]>([
		['that may end early', looping(constant(3), untilSmall), /may end early/],
		['of a length that is given as it runs', looping((g) => g.input('n', 'int64', []), always), /trip count "n", which is not a constant/],
		['of more iterations than anything holds', looping(constant(2 ** 52), always), /runs 4503599627370496 times; expected .* 1 to 1048576/],
		['that never runs', looping(constant(0), always), /runs 0 times/],
	])('%s is refused by name', async (_, graph, words) => {
		await expect(canonicalise({ graph, opset: OPSET })).rejects.toMatchObject({
			code: 'unsupported_model',
			message: expect.stringMatching(words),
		});
	});
});
