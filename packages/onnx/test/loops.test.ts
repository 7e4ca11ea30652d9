import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { canonicalise, encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '../src/index.js';

/** h ← tanh(h + i/10), `trips` times, every h stacked; `goesOn` makes the condition of the next iteration of h. */
function looping(trips: (g: GraphBuilder) => Value | null, goesOn: (b: GraphBuilder, h: Value, condition: Value) => Value): Graph {
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

const none = () => null;
const drawn = (b: GraphBuilder): Value => {
	const number = b.op('RandomUniformLike', [b.scalar(0)]);
	return b.op('Less', [number, b.scalar(0.5)], {}, { dtype: 'bool', shape: [] });
};

/** h ← tanh(h), as tf2onnx writes a loop of a fixed length: while its counter, which grows by `step` from 0, is below 7. */
function counted(trips: (g: GraphBuilder) => Value | null = none, step = 2): Graph {
	const b = new GraphBuilder('body/');
	b.input('i', 'int64', []);
	const going = b.input('going', 'bool', []);
	const n = b.input('n', 'int32', []);
	const h = b.input('h', 'float32', [2]);
	const grown = b.add(n, { name: 'step', dtype: 'int32', shape: [] });
	const below = b.op('Less', [b.cast(grown, 'float32'), b.scalar(7)], {}, { dtype: 'bool' });
	b.output('goes_on', b.op('And', [below, going]));
	b.output('grown', grown);
	b.output('next', b.op('Tanh', [h]));
	b.output('seen', b.op('Identity', [b.value('next')]));
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [2]);
	g.initializer('step', tensor('int32', [], [step]));
	const outputs: Value[] = [
		{ name: 'last_n', dtype: 'int32', shape: [] },
		{ name: 'last', dtype: 'float32', shape: [2] },
		{ name: 'all', dtype: 'float32', shape: ['trips', 2] },
	];
	const start = g.constant('int32', [], [0]);
	const below0 = g.op('Less', [g.cast(start, 'float32'), g.scalar(7)], {}, { dtype: 'bool' });
	g.node('Loop', [trips(g), below0, start, x], outputs, { body: { type: 'graph', value: b.build('body') } });
	for (const output of outputs) g.output(`${output.name}_out`, output);
	return g.build('counted');
}

/** h ← h·w, where the Loop passes w on unchanged, as tf2onnx writes the weights of a recurrence. */
function passingOn(): Graph {
	const b = new GraphBuilder('body/');
	b.input('i', 'int64', []);
	const going = b.input('going', 'bool', []);
	const w = b.input('w', 'float32', [2, 2]);
	const h = b.input('h', 'float32', [3, 2]);
	b.output('going', going);
	b.output('w', w); // an input of the body is its output
	b.output('next', b.matMul(h, w));
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [3, 2]);
	const weight = g.initializer('weight', tensor('float32', [2, 2], [0.5, -0.2, 0.3, 0.9]));
	const outputs: Value[] = [
		{ name: 'w_last', dtype: 'float32', shape: [2, 2] },
		{ name: 'last', dtype: 'float32', shape: [3, 2] },
	];
	g.node('Loop', [g.constant('int64', [], [5]), g.constant('bool', [], [1]), weight, x], outputs, {
		body: { type: 'graph', value: b.build('body') },
	});
	for (const output of outputs) g.output(`${output.name}_out`, output);
	return g.build('passing_on');
}

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

	it('that passes a value on unchanged is a Scan that keeps it', async () => {
		const graph = passingOn();
		const canonical = await canonicalise({ graph, opset: OPSET }, { parameters: ['weight'] });
		const x = tensor('float32', [3, 2], [0.3, -0.7, 0.1, 0.4, -0.5, 0.2]);
		expect(await run(canonical, { x, weight: graph.initializers.get('weight')! })).toEqual(await run(graph, { x }));
	});

	it.each<[string, Graph, number]>([
		[
			'the number of the iteration',
			looping(constant(10), (b) => b.op('Less', [b.value('i'), b.scalar(3, 'int64')], {}, { dtype: 'bool', shape: [] })),
			4,
		],
		['a counter that it carries', counted(), 4],
		['a condition that it has at its start', counted(constant(3)), 3],
	])('that ends on a condition which follows from %s is a Scan of so many steps', async (_, graph, steps) => {
		const canonical = await canonicalise({ graph, opset: OPSET });
		expect(canonical.nodes.map(({ op }) => op)).toContain('Scan');
		const x = tensor('float32', [2], [0.3, -0.7]);
		const outputs = await run(canonical, { x });
		expect(outputs).toEqual(await run(graph, { x }));
		expect(outputs['all_out']!.shape).toEqual([steps, 2]);
	});

	it.each<[string, Graph, RegExp]>([
		[
			'that may end early',
			looping(constant(3), untilSmall),
			/may end early, .* depends on data; expected .* Give the number of iterations as a constant/,
		],
		['of a length that is given as it runs', looping((g) => g.input('n', 'int64', []), always), /trip count "n", which is not a constant/],
		['of more iterations than anything holds', looping(constant(2 ** 52), always), /runs more than 1048576 times; expected 1 to 1048576/],
		[
			'whose condition stays true for ever',
			looping(none, (b) => b.op('Less', [b.scalar(1), b.scalar(2)], {}, { dtype: 'bool', shape: [] })),
			/runs more than 1048576 times/,
		],
		['whose counter never arrives', counted(none, 0), /runs more than 65536 times/],
		['that draws its end', looping(constant(3), drawn), /may end early/],
		['that never runs', looping(constant(0), always), /runs 0 times/],
	])('%s is refused by name', async (_, graph, words) => {
		await expect(canonicalise({ graph, opset: OPSET })).rejects.toMatchObject({
			code: 'unsupported_model',
			message: expect.stringMatching(words),
		});
	});
});
