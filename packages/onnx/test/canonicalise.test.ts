import { createSession, RuntimeError, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { namesOf } from '../src/bodies.js';
import {
	allValues,
	canonicalise,
	encodeModel,
	type Graph,
	GraphBuilder,
	GraphError,
	type Model,
	OPSET,
	staticShape,
	type Value,
	withoutOutputCopies,
} from '../src/index.js';

const modelOf = (g: GraphBuilder, opset = OPSET): Model => ({ graph: g.build('g'), opset });
const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);
async function run(model: Model, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel(model));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}

/** y = relu(x·w + b) reshaped by a shape that is computed from x's. */
function layer(): Model {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['batch', 3]);
	const w = g.initializer(
		'w',
		tensor(
			'float32',
			[3, 4],
			Array.from({ length: 12 }, (_, i) => i / 10),
		),
	);
	const b = g.initializer('b', tensor('float32', [4], [1, -1, 0.5, 0]));
	const h = g.op('Relu', [g.gemm(x, w, b)]);
	const rows = g.op(
		'Gather',
		[g.op('Shape', [x], {}, { dtype: 'int64', shape: [2] }), g.constant('int64', [1], [0])],
		{ axis: 0 },
		{ shape: [1] },
	);
	const shape = g.op('Concat', [rows, g.ints([2, -1])], { axis: 0 }, { shape: [3] });
	g.output('y', g.op('Reshape', [h, shape], {}, { shape: ['batch', 2, 2] }));
	return modelOf(g);
}

describe('a canonical graph', () => {
	it('has its constants folded', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		const two = g.add(g.scalar(1), g.scalar(1.000001));
		g.output('y', g.mul(x, g.op('Sqrt', [g.mul(two, two)])));
		const graph = await canonicalise(modelOf(g));
		expect(ops(graph)).toEqual(['Mul']);
		expect(graph.initializers.size).toBe(1);
		expect([...graph.initializers.values()][0]!.data[0]).toBeCloseTo(2.000001, 6);
	});

	it('has no nodes left that compute shapes, once every dimension is a size', async () => {
		const graph = await canonicalise(layer(), { dims: { batch: 5 } });
		expect(ops(graph).filter((op) => ['Shape', 'Gather', 'Concat'].includes(op))).toEqual([]);
		expect(graph.inputs.find(({ name }) => name === 'x')!.shape).toEqual([5, 3]);
		expect(graph.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: [5, 2, 2] }]);
	});

	it('knows type and size of every value', async () => {
		const graph = await canonicalise(layer(), { dims: { batch: 5 }, parameters: ['w'] });
		const values = allValues(graph);
		const names = graph.nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]).filter((name) => name !== '');
		for (const name of names) expect(staticShape(values.get(name)!), name).toEqual(expect.any(Array));
		for (const { outputs } of graph.nodes) for (const output of outputs) expect(graph.values.has(output)).toBe(true);
	});

	it('has names of the model and of our own, and none that a fusion of the runtime made up: a second fusion would make them up again', async () => {
		const g = new GraphBuilder();
		const linear = (x: Value, name: string, rows: number, width: number): Value =>
			g.add(
				g.matMul(x, g.initializer(`${name}.weight`, tensor('float32', [rows, width], new Float32Array(rows * width).fill(0.5)))),
				g.initializer(`${name}.bias`, tensor('float32', [width], new Float32Array(width).fill(2))),
			);
		const hidden = linear(g.input('x', 'float32', ['batch', 5, 4]), 'hidden', 4, 8);
		const heads = g.op(
			'Reshape',
			[linear(hidden, 'heads', 8, 6), g.initializer('sizes', tensor('int64', [4], [0, 5, 2, 3]))],
			{},
			{ shape: ['batch', 5, 2, 3] },
		);
		g.output('y', heads);
		const model = modelOf(g);
		const known = new Set([...namesOf(model.graph)].filter((name) => name !== 'sizes'));
		const first = await canonicalise(model, { dims: { batch: 3 } });
		expect([...namesOf(first)].some((name) => name.startsWith('canonical/'))).toBe(true);
		expect([...namesOf(first)].filter((name) => !known.has(name) && !/^canonical\/\d+$/.test(name))).toEqual([]);
	});

	it('takes parameters as inputs, in the order that they were named, and keeps other initializers as constants', async () => {
		const graph = await canonicalise(layer(), { dims: { batch: 2 }, parameters: ['b', 'w'] });
		expect(graph.inputs.map(({ name, shape }) => [name, shape])).toEqual([
			['x', [2, 3]],
			['b', [4]],
			['w', [3, 4]],
		]);
		expect(graph.initializers.has('w')).toBe(false);
		const without = await canonicalise(layer(), { dims: { batch: 2 } });
		expect(without.inputs.map(({ name }) => name)).toEqual(['x']);
		expect(without.initializers.has('w')).toBe(true);
	});

	it('does not fold what depends on a parameter', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		const p = g.initializer('p', tensor('float32', [2], [1, 2]));
		g.output('y', g.add(x, g.exp(p)));
		expect(ops(await canonicalise(modelOf(g), { parameters: ['p'] }))).toEqual(['Exp', 'Add']);
	});

	it('computes what the model computes', async () => {
		const model = layer();
		const x = tensor('float32', [2, 3], [1, -2, 3, 0.5, 0, -1]);
		const w = model.graph.initializers.get('w')!;
		const graph = await canonicalise(model, { dims: { batch: 2 }, parameters: ['w'] });
		expect(await run({ graph, opset: OPSET }, { x, w })).toEqual(await run(model, { x }));
	});

	it('is the same bytes each time, and canonical already', async () => {
		const options = { dims: { batch: 3 }, parameters: ['w', 'b'] };
		const [first, second] = [await canonicalise(layer(), options), await canonicalise(layer(), options)];
		expect(encodeModel({ graph: second, opset: OPSET })).toEqual(encodeModel({ graph: first, opset: OPSET }));
		const again = await canonicalise({ graph: first, opset: OPSET });
		expect(encodeModel({ graph: again, opset: OPSET })).toEqual(encodeModel({ graph: first, opset: OPSET }));
	});

	it('leaves the model that it was made of as it was', async () => {
		const model = layer();
		const before = encodeModel(model);
		await canonicalise(model, { dims: { batch: 3 }, parameters: ['w'] });
		expect(encodeModel(model)).toEqual(before);
	});

	it('keeps outputs that are constant or an input', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		g.output('same', x);
		g.output('constant', g.add(g.scalar(1), g.scalar(2)));
		g.output('y', g.exp(x));
		const graph = await canonicalise(modelOf(g));
		const outputs = await run({ graph, opset: OPSET }, { x: tensor('float32', [2], [0, 0]) });
		expect(outputs).toEqual({
			same: tensor('float32', [2], [0, 0]),
			constant: tensor('float32', [], [3]),
			y: tensor('float32', [2], [1, 1]),
		});
	});
});

describe('canonicalise refuses', () => {
	it('a value whose size is not known before it runs, by name', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [4]);
		const where = g.op('NonZero', [x], {}, { dtype: 'int64', shape: [1, 'found'] });
		g.output('indices', where);
		const error: unknown = await canonicalise(modelOf(g)).catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(GraphError);
		expect(error).toMatchObject({
			code: 'unknown_shape',
			where: expect.stringMatching(/NonZero|indices/),
			message: expect.stringMatching(/not known before it runs/),
		});
	});

	it('a dimension that was given no size, by the name of a value that has it', async () => {
		await expect(canonicalise(layer(), { dims: { rows: 3 } })).rejects.toMatchObject({
			code: 'unknown_shape',
			message: expect.stringContaining('batch'),
		});
	});

	it('an operator set that is too old or too new, saying which are read', async () => {
		for (const opset of [6, 27])
			await expect(canonicalise({ ...layer(), opset })).rejects.toMatchObject({
				code: 'unsupported_model',
				message: expect.stringMatching(new RegExp(`${opset}, expected 7 to 26`)),
			});
	});

	it('a parameter that is no initializer, by name', async () => {
		await expect(canonicalise(layer(), { parameters: ['x'] })).rejects.toMatchObject({ code: 'malformed_model', where: 'x' });
		await expect(canonicalise(layer(), { parameters: ['nothing'] })).rejects.toMatchObject({ code: 'malformed_model', where: 'nothing' });
	});

	it('what ONNX Runtime refuses, in its words', async () => {
		const g = new GraphBuilder();
		g.output('y', g.op('Frobnicate', [g.input('x', 'float32', [1])]));
		const refusal = canonicalise(modelOf(g));
		await expect(refusal).rejects.toThrow(RuntimeError);
		await expect(refusal).rejects.toMatchObject({ code: 'model_refused', message: expect.stringContaining('Frobnicate') });
	});
});

/** Rows of x cut into those below and those above a number that is computed. */
function cutByCount(): Model {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [4, 3]);
	const low = g.reduceSum(g.cast(g.op('Less', [g.reduceSum(x, [1], false), g.scalar(0)], {}, { dtype: 'bool', shape: [4] }), 'int64'), [0]);
	const parts = g.splitBy(x, g.concat([low, g.sub(g.ints([4]), low)], 0), ['low', 'high'], 0);
	g.output('y', g.op('Concat', [g.exp(parts[1]!), g.exp(parts[0]!)], { axis: 0 }, { shape: [4, 3] }));
	return modelOf(g);
}

describe('sizes that are known only when a graph runs', () => {
	it('have the names that the model gives them, where it may have such', async () => {
		const graph = await canonicalise(cutByCount(), { runTimeSizes: true });
		const split = graph.nodes.find(({ op }) => op === 'Split')!;
		expect(split.outputs.map((name) => graph.values.get(name)!.shape)).toEqual([
			['low', 3],
			['high', 3],
		]);
		expect(graph.nodes.flatMap(({ op, outputs: [name] }) => (op === 'Exp' ? [graph.values.get(name!)!.shape[0]] : [])).sort()).toEqual([
			'high',
			'low',
		]);
		expect(graph.outputs[0]!.shape).toEqual([4, 3]);
		const x = tensor('float32', [4, 3], [1, 1, 1, -1, -1, -1, 2, 2, 2, 0, 0, 0]);
		const { y } = await run({ graph, opset: OPSET }, { x });
		// one row lies below: of four, the first goes last
		expect((y!.data as Float32Array)[9]).toBeCloseTo(Math.exp(1), 5);
	});

	it('are refused elsewhere, by name of the value, and where the model does not name them', async () => {
		await expect(canonicalise(cutByCount())).rejects.toThrow(/not known before it runs/);
		const { graph } = cutByCount();
		await expect(canonicalise({ graph: { ...graph, values: new Map() }, opset: OPSET }, { runTimeSizes: true })).rejects.toThrow(
			/"Split_.*not known before it runs/,
		);
	});
});

describe('the places where something is not zero', () => {
	const placed = (x: Value, g: GraphBuilder): Value =>
		g.op('Transpose', [g.op('NonZero', [x], {}, { dtype: 'int64', shape: [2, 'count'] })], { perm: [1, 0] }, { shape: ['count', 2] });

	it('are constants where that is a constant, so that the shapes which follow from them are known', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 3]);
		const mask = g.initializer('mask', tensor('bool', [2, 3], [0, 1, 1, 1, 0, 0]));
		const numbers = g.initializer('numbers', tensor('float32', [2, 3], [0, -0, 0.5, Number.NaN, 0, 2]));
		g.output('y', g.op('GatherND', [x, placed(mask, g)], {}, { shape: ['count'] }));
		g.output('z', g.op('GatherND', [x, placed(numbers, g)], {}, { shape: ['count'] }));
		const graph = await canonicalise(modelOf(g));
		expect(ops(graph)).not.toContain('NonZero');
		expect(graph.outputs.map(({ shape }) => shape)).toEqual([[3], [3]]);
		const feeds = { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) };
		expect(await run({ graph, opset: OPSET }, feeds)).toEqual(await run(modelOf(g), feeds));
	});

	it('are refused where they depend on data', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 3]);
		g.output('y', g.op('GatherND', [x, placed(x, g)], {}, { shape: ['count'] }));
		await expect(canonicalise(modelOf(g))).rejects.toThrow(/not known before it runs/);
	});
});

describe('a classifier of scikit-learn', () => {
	/** y = scores + the first label's number where that is asked for. */
	const classifier = (readsLabels: boolean): Model => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 2]);
		const [labels, scores]: [Value, Value] = [
			{ name: 'labels', dtype: 'int64', shape: [2] },
			{ name: 'scores', dtype: 'float32', shape: [2, 2] },
		];
		g.node('ai.onnx.ml.LinearClassifier', [x], [labels, scores], {
			coefficients: { type: 'floats', value: [1, 2, 3, 4] },
			intercepts: { type: 'floats', value: [0, 0] },
			classlabels_strings: { type: 'strings', value: ['no', 'yes'] },
		});
		g.output('y', readsLabels ? g.op('Cast', [labels], { to: 1 }, { dtype: 'float32' }) : scores);
		return modelOf(g);
	};

	it('gives its scores, whatever its labels are, and is refused where labels that are strings are read', async () => {
		const graph = await canonicalise(classifier(false));
		const { y } = await run({ graph, opset: OPSET }, { x: tensor('float32', [2, 2], [1, 0, 0, 1]) });
		expect(Array.from(y!.data as Float32Array)).toEqual([1, 3, 2, 4]);
		await expect(canonicalise(classifier(true))).rejects.toThrow(/LinearClassifier.* labels that are strings, expected/);
	});
});

describe('a graph without copies at its outputs', () => {
	it('gives each output by the node that computes it, and copies only what stands elsewhere too', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2]);
		const h = g.exp(x);
		g.output('h', h);
		g.output('again', h);
		g.output('same', x);
		g.output('y', g.mul(h, h));
		const bare = withoutOutputCopies(g.build('g'));
		expect(bare.nodes.map(({ op, inputs, outputs }) => [op, ...inputs, '=', ...outputs].join(' '))).toEqual([
			'Exp x = h',
			'Identity h = again',
			'Identity x = same',
			'Mul h h = y',
		]);
		const feeds = { x: tensor('float32', [2], [0, 1]) };
		expect(await run({ graph: bare, opset: OPSET }, feeds)).toEqual(await run(modelOf(g), feeds));
	});
});
