import { createSession, type DType, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { useSwiftShader } from '../../../test/swiftshader.js';
import {
	type Attributes,
	canonicalise,
	encodeModel,
	float,
	forWebgpu,
	type Graph,
	GraphBuilder,
	narrow,
	OPSET,
	type Shape,
	type Value,
	withoutKernel,
} from '../src/index.js';

/** Numbers between −2 and 2, some of them halfway between integers, some equal. */
const some = (shape: readonly number[], of = 0): Tensor =>
	tensor(
		'float32',
		shape,
		Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 5 === 0 ? 0.5 - (i % 3) : 2 * Math.sin(7.1 * i + of))),
	);
/** Of which many are equal. */
const coarse = (shape: readonly number[]): Tensor => tensor('float32', shape, (some(shape).data as Float32Array).map(Math.round));
const whole = (shape: readonly number[], values: readonly number[]): Tensor => tensor('int64', shape, values);

type Case = {
	readonly op: string;
	readonly inputs: readonly Tensor[];
	/** The inputs that are constants of the graph, by their place. */
	readonly constants?: readonly number[];
	readonly attributes?: Attributes;
	readonly outputs: ReadonlyArray<readonly [DType, Shape]>;
	/** Operators that must not be in the graph that is written. */
	readonly gone: readonly string[];
	readonly says?: string;
};

const f = (...shape: number[]): readonly [DType, Shape] => ['float32', shape];
const i64 = (...shape: number[]): readonly [DType, Shape] => ['int64', shape];
const yes = (shape: readonly number[], every: number): Tensor =>
	tensor(
		'bool',
		shape,
		Array.from({ length: sizeOf(shape) }, (_, i) => (i % every === 0 ? 1 : 0)),
	);
const unary = (op: string, attributes: Attributes = {}): Case => ({
	op,
	inputs: [some([3, 4])],
	attributes,
	outputs: [f(3, 4)],
	gone: [op],
});

const cases: readonly Case[] = [
	...['Celu', 'LogSoftmax', 'Round', 'Selu', 'Sign', 'Sin', 'Cos', 'Softsign'].map((op) => unary(op)),
	{ ...unary('LogSoftmax', { axis: 0 }), says: 'along another axis' },
	{ ...unary('Celu', { alpha: float(0.5) }), says: 'with another alpha' },
	{ op: 'ArgMax', inputs: [some([3, 10])], attributes: { axis: 1 }, outputs: [i64(3, 1)], gone: ['ArgMax'], says: 'the first of equals' },
	{
		...{
			op: 'ArgMax',
			inputs: [some([3, 10])],
			attributes: { axis: 1, select_last_index: 1, keepdims: 0 },
			outputs: [i64(3)],
			gone: ['ArgMax'],
		},
		says: 'the last of equals',
	},
	{ op: 'ArgMin', inputs: [some([3, 10])], attributes: { axis: 0 }, outputs: [i64(1, 10)], gone: ['ArgMin'] },
	{ op: 'Sum', inputs: [some([3, 4]), some([4], 1), some([3, 1], 2)], outputs: [f(3, 4)], gone: ['Sum'] },
	{ op: 'Mean', inputs: [some([3, 4]), some([4], 1), some([3, 1], 2)], outputs: [f(3, 4)], gone: ['Mean'] },
	{
		...{ op: 'Mod', inputs: [whole([6], [5, -5, 5, -5, 6, 0]), whole([6], [3, 3, -3, -3, 3, 2])], outputs: [i64(6)], gone: ['Mod'] },
		says: 'of integers',
	},
	{
		...{ op: 'Mod', inputs: [some([3, 4]), tensor('float32', [4], [0.7, -0.7, 3, -3])], attributes: { fmod: 1 }, outputs: [f(3, 4)] },
		...{ gone: ['Mod'], says: 'of real numbers' },
	},
	...['Or', 'Xor'].map((op): Case => ({ op, inputs: [yes([3, 4], 2), yes([4], 3)], outputs: [['bool', [3, 4]]], gone: [op] })),
	...[-1, 0, 1].map(
		(axis): Case => ({
			op: 'OneHot',
			inputs: [whole([2, 3], [0, 3, -1, 1, -4, 9]), whole([1], [4]), tensor('float32', [2], [0.25, 1.5])],
			...{ constants: [1, 2], attributes: { axis }, gone: ['OneHot'], says: `axis ${axis}` },
			outputs: [f(...[2, 3].toSpliced(axis < 0 ? 2 : axis, 0, 4))],
		}),
	),
	{
		...{ op: 'TopK', inputs: [some([3, 10]), whole([1], [4])], constants: [1], attributes: { axis: 1 }, gone: [] },
		outputs: [f(3, 4), i64(3, 4)],
	},
	{
		...{ op: 'Split', inputs: [some([60, 2]), whole([20], Array<number>(20).fill(3))], constants: [1], attributes: { axis: 0 }, gone: [] },
		...{ outputs: Array.from({ length: 20 }, () => f(3, 2)), says: 'into many' },
	},
	{ op: 'Gemm', inputs: [some([1, 1]), some([1, 9], 1), some([1, 9], 2)], outputs: [f(1, 9)], gone: ['Gemm'], says: 'of a number' },
	{ op: 'MatMul', inputs: [some([2, 3, 4]), some([4], 1)], outputs: [f(2, 3)], gone: [], says: 'by a vector' },
	{ op: 'MatMul', inputs: [some([4]), some([4, 3], 1)], outputs: [f(3)], gone: [], says: 'of a vector' },
	{ op: 'MatMul', inputs: [some([4]), some([4], 1)], outputs: [f()], gone: [], says: 'of two vectors' },
	{
		...{
			op: 'Conv',
			inputs: [some([2, 3, 5]), some([4, 3, 1], 1), some([4], 2)],
			attributes: { kernel_shape: [1] },
			outputs: [f(2, 4, 5)],
		},
		...{ gone: [], says: 'by one element, with a bias' },
	},
	{
		op: 'BatchNormalization',
		inputs: [some([3, 2, 4]), some([2], 1), some([2], 2), some([2], 3), tensor('float32', [2], [1, 2])],
		attributes: { training_mode: 1, momentum: float(0.8), epsilon: float(1e-3) },
		...{ outputs: [f(3, 2, 4), f(2), f(2)], gone: ['BatchNormalization'], says: 'in training form' },
	},
	{
		...{ op: 'GatherND', inputs: [some([3, 4, 2]), whole([2, 2], [2, -1, 0, 3])], outputs: [f(2, 2)], gone: ['GatherND'] },
	},
	{
		op: 'ScatterND',
		inputs: [some([3, 4, 2]), whole([3, 2], [2, -1, 0, 3, 0, 3]), some([3, 2], 1)],
		...{ attributes: { reduction: 'add' }, outputs: [f(3, 4, 2)], gone: ['ScatterND'] },
	},
	...[
		{ size: [1, 2, 5, 6], attributes: { kernel_shape: [2, 3], strides: [2, 2], pads: [1, 1, 0, 1] }, out: [1, 2, 3, 3] },
		{ size: [2, 1, 7], attributes: { kernel_shape: [3], strides: [2], dilations: [2], ceil_mode: 1 }, out: [2, 1, 2] },
	].map(
		({ size, attributes, out }): Case => ({
			...{ op: 'MaxPool', inputs: [coarse(size)], attributes, gone: [] },
			...{ outputs: [f(...out), i64(...out)], says: `with places, ${size.length - 2} axes` },
		}),
	),
	...(
		[
			['Transpose', [yes([3, 4], 2)], { perm: [1, 0] }, [4, 3], []],
			['Concat', [yes([3, 4], 2), yes([3, 4], 3)], { axis: 0 }, [6, 4], []],
			['Slice', [yes([3, 4], 2), whole([1], [1]), whole([1], [3])], {}, [2, 4], [1, 2]],
		] as const
	).map(
		([op, inputs, attributes, out, constants]): Case => ({
			...{ op, inputs, attributes, constants, outputs: [['bool', out]], gone: [], says: 'of truth values' },
		}),
	),
];

/** A node as a graph: inputs `i0`, `i1`, …, outputs `o0`, `o1`, … */
function graphOf({ op, inputs, constants = [], attributes = {}, outputs }: Case): Graph {
	const g = new GraphBuilder();
	const values = inputs.map((value, i) =>
		constants.includes(i) ? g.initializer(`i${i}`, value) : g.input(`i${i}`, value.dtype, value.shape),
	);
	const given = outputs.map(([dtype, shape], i): Value => ({ name: `o${i}`, dtype, shape }));
	g.node(op, values, given, attributes);
	for (const value of given) g.output(value.name, value);
	return g.build('one');
}

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Record<string, number[]>> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	const outputs = await session.run(feeds);
	await session.release();
	return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as ArrayLike<number>, Number)]));
}

const narrowed = (feeds: Readonly<Record<string, Tensor>>) =>
	Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, narrow(value)]));
const operatorsOf = ({ nodes }: Graph): Set<string> => new Set(nodes.map(({ op }) => op));

/** Some roundings of numbers around 1. */
const ROUNDING = 2e-6;

async function meansTheSame(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<Graph> {
	const written = forWebgpu(graph);
	const [before, after] = [await run(graph, feeds), await run(written, narrowed(feeds))];
	expect(Object.keys(after)).toEqual(Object.keys(before));
	for (const [name, expected] of Object.entries(before)) {
		expect(after[name], name).toHaveLength(expected.length);
		expected.forEach((value, i) =>
			expect(Math.abs((after[name]?.[i] as number) - value), `${name}[${i}]`).toBeLessThanOrEqual(ROUNDING * (1 + Math.abs(value))),
		);
	}
	expect([...written.inputs, ...written.values.values()].filter(({ dtype }) => dtype === 'float64')).toEqual([]);
	return written;
}

/** Sums of x so far, `[steps, 2]`, from the end where it is reversed, and a bound on them; the carry is a sum and a truth value. */
function scanning(steps: number, reversed: boolean): Graph {
	const body = new GraphBuilder('body/');
	const [sum, above, x] = [body.input('sum', 'float32', [2]), body.input('above', 'bool', [2]), body.input('x', 'float32', [2])];
	const next = body.add(sum, x);
	const isAbove = body.op('And', [above, body.op('Greater', [next, body.scalar(-3)], {}, { dtype: 'bool' })]);
	body.output('next', next);
	body.output('isAbove', isAbove);
	body.output('each', body.op('Identity', [next]));
	body.output('eachAbove', body.op('Identity', [isAbove]));
	const g = new GraphBuilder();
	const start = g.input('start', 'float32', [2]);
	const xs = g.input('xs', 'float32', [2, steps]);
	const yesses = g.op('GreaterOrEqual', [start, start], {}, { dtype: 'bool' });
	const finals: Value[] = [
		{ name: 'final', dtype: 'float32', shape: [2] },
		{ name: 'allAbove', dtype: 'bool', shape: [2] },
		{ name: 'sums', dtype: 'float32', shape: [2, steps] },
		{ name: 'aboves', dtype: 'bool', shape: [steps, 2] },
	];
	g.node('Scan', [start, yesses, xs], finals, {
		...{ body: { type: 'graph', value: body.build('body') }, num_scan_inputs: 1, scan_input_axes: [1] },
		...{ scan_input_directions: [reversed ? 1 : 0], scan_output_axes: [1, 0], scan_output_directions: [reversed ? 1 : 0, 0] },
	});
	for (const value of finals) g.output(value.name, value);
	return g.build('scan');
}

describe('the form for WebGPU', () => {
	it.each(cases.map((one) => ({ ...one, title: one.says === undefined ? one.op : `${one.op} ${one.says}` })))(
		'means the same: $title',
		async (one) => {
			const written = await meansTheSame(
				graphOf(one),
				Object.fromEntries(one.inputs.flatMap((value, i) => (one.constants?.includes(i) ? [] : [[`i${i}`, value]]))),
			);
			for (const op of one.gone) expect(operatorsOf(written)).not.toContain(op);
			const most = Math.max(...written.nodes.map(({ outputs }) => outputs.length));
			expect(most).toBeLessThanOrEqual(7);
		},
	);

	it.each([false, true])('writes the iterations of a Scan one after another, reversed: %s', async (reversed) => {
		const graph = await canonicalise({ graph: scanning(5, reversed), opset: OPSET });
		const written = await meansTheSame(graph, { start: some([2]), xs: some([2, 5], 1) });
		expect(operatorsOf(written)).not.toContain('Scan');
	});

	it('refuses a Scan of too many iterations, and other control flow, naming the node', async () => {
		const long = await canonicalise({ graph: scanning(8000, false), opset: OPSET });
		expect(() => forWebgpu(long)).toThrow(
			/has no kernel of Scan, and node "Scan_\d+" is too long to be written out: 8000 steps of \d+ nodes/,
		);
		const g = new GraphBuilder();
		const branch = (by: number): Graph => {
			const b = new GraphBuilder(`branch${by}/`);
			b.output(`y${by}`, b.op('Mul', [g.value('x'), b.scalar(by)]));
			return b.build('branch');
		};
		const [condition, x] = [g.input('condition', 'bool', []), g.input('x', 'float32', [2])];
		const branches = { then_branch: { type: 'graph', value: branch(1) }, else_branch: { type: 'graph', value: branch(2) } } as const;
		g.output('y', g.op('If', [condition], branches, { dtype: 'float32', shape: x.shape }));
		expect(() => forWebgpu(g.build('choice'))).toThrow(/no kernel of If \(node "If_0"\)/);
	});

	it('has sines and cosines that are right far from 0 as well', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [401]);
		g.output('sin', g.op('Sin', [x]));
		g.output('cos', g.op('Cos', [x]));
		const at = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 4);
		const { sin, cos } = await run(forWebgpu(g.build('waves')), { x: tensor('float32', [401], at) });
		at.forEach((value, i) => {
			expect(Math.abs((sin?.[i] as number) - Math.sin(value)), `sin ${value}`).toBeLessThan(1e-5);
			expect(Math.abs((cos?.[i] as number) - Math.cos(value)), `cos ${value}`).toBeLessThan(1e-5);
		});
	});

	it.skipIf(!useSwiftShader())('leaves nodes that have no kernel, of which each kind is named once', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [3, 3]);
		const y = g.add(g.op('Det', [x], {}, { shape: [] }), g.op('Det', [x], {}, { shape: [] }));
		g.output('y', g.op('Relu', [y]));
		expect((await withoutKernel(forWebgpu(g.build('determinants')))).map(({ op }) => op)).toEqual(['Det']);
	});
});
