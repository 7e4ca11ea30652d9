import { create, toBinary } from '@bufbuild/protobuf';
import { RuntimeError, tensor } from '@steelyard/runtime';
import { ModelProtoSchema, TensorProto_DataType as T } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import {
	type Attribute,
	canonicalise,
	decodeModel,
	float,
	type Graph,
	GraphBuilder,
	GraphError,
	type Node,
	OPSET,
	type Value,
} from '../src/index.js';

const F = 'float32';
const value = (name: string, shape: Value['shape'] = [2], dtype: Value['dtype'] = F): Value => ({ name, dtype, shape });
const node = (op: string, inputs: string[], outputs: string[], attributes: Node['attributes'] = {}): Node => ({
	name: `${op}.${outputs[0]}`,
	op,
	inputs,
	outputs,
	attributes,
});
const graphOf = (nodes: Node[], more: Partial<Graph> = {}): Graph => ({
	name: 'g',
	nodes,
	inputs: [value('x')],
	outputs: [value('y')],
	initializers: new Map(),
	values: new Map(),
	...more,
});
const refusal = (graph: Graph, opset = OPSET): Promise<GraphError | RuntimeError> =>
	canonicalise({ graph, opset }).then(
		() => expect.fail('it was read'),
		(error: unknown) => error as GraphError,
	);
async function expectRefusal(graph: Graph, where: string | null, words: RegExp, code = 'malformed_model', opset = OPSET): Promise<void> {
	const error = await refusal(graph, opset);
	expect(error).toBeInstanceOf(GraphError);
	expect(error).toMatchObject({ code, where, message: expect.stringMatching(words) });
}
const body = (name: string, outputs: string[], inputs: Value[] = []): Attribute => ({
	type: 'graph',
	value: graphOf(
		outputs.map((output) => node('Neg', ['x'], [output])),
		{ name, inputs, outputs: outputs.map((output) => value(output)) },
	),
});

describe('a malformed model is refused, naming what and where', () => {
	it('when nodes stand in a circle', () =>
		expectRefusal(
			graphOf([node('Add', ['x', 'b'], ['a']), node('Neg', ['a'], ['b']), node('Exp', ['b'], ['y'])]),
			'Add.a',
			/circle.*"Add\.a" \(Add\) → "Neg\.b" \(Neg\) → "Add\.a"/,
		));

	it('when a node waits for itself', () => expectRefusal(graphOf([node('Add', ['x', 'y'], ['y'])]), 'Add.y', /circle/));

	it('when nothing gives a value that a node, a body or an output takes', async () => {
		await expectRefusal(graphOf([node('Add', ['x', 'z'], ['y'])]), 'z', /Add\.y.*"z", which nothing gives/);
		await expectRefusal(graphOf([node('Neg', ['x'], ['h'])]), 'y', /output "y"/);
		const branches = { then_branch: body('t', ['a']), else_branch: body('e', ['b']) };
		await expectRefusal(
			graphOf([node('If', ['c'], ['y'], branches)], { inputs: [value('c', [], 'bool')] }),
			'x',
			/"x", which nothing gives/,
		);
	});

	it('when two values have one name', async () => {
		await expectRefusal(graphOf([node('Neg', ['x'], ['y']), node('Exp', ['x'], ['y'])]), 'y', /two values/);
		await expectRefusal(graphOf([node('Neg', ['x'], ['x'])], { outputs: [value('x')] }), 'x', /two values/);
		await expectRefusal(
			graphOf([node('Neg', ['x'], ['y'])], { initializers: new Map([['x', tensor(F, [2], [1, 2])]]) }),
			'x',
			/two values/,
		);
		const bytes = toBinary(
			ModelProtoSchema,
			create(ModelProtoSchema, {
				opsetImport: [{ version: 18n }],
				graph: { initializer: [1, 2].map((data) => ({ name: 'w', dataType: T.FLOAT, dims: [1n], floatData: [data] })) },
			}),
		);
		expect(() => decodeModel(bytes)).toThrow(/two initializers have the name "w"/);
	});

	it('when branches of an If, or the body of a Loop or Scan, do not fit the node', async () => {
		const inputs = [value('x'), value('c', [], 'bool')];
		const unlike = { then_branch: body('t', ['a']), else_branch: body('e', ['b', 'b2']) };
		await expectRefusal(graphOf([node('If', ['c'], ['y'], unlike)], { inputs }), 'If.y', /"else_branch".*2 outputs, expected 1/);
		await expectRefusal(
			graphOf([node('If', ['c'], ['y'], { then_branch: body('t', ['a']) })], { inputs }),
			'If.y',
			/lacks its graph "else_branch"/,
		);
		await expectRefusal(
			graphOf([node('Loop', ['', 'c', 'x'], ['y'], { body: body('b', ['a']) })], { inputs }),
			'Loop.y',
			/0 inputs, expected 3/,
		);
		await expectRefusal(
			graphOf([node('Scan', ['x'], ['y'], { body: body('b', ['a'], [value('i')]), num_scan_inputs: { type: 'int', value: 9 } })], {
				inputs,
			}),
			'Scan.y',
			/num_scan_inputs = 9, expected 1 to 1/,
		);
	});

	it('when an attribute has another type than its operator reads', async () => {
		for (const [op, attributes, opset] of [
			['Gelu', { approximate: float(1) }, 20],
			['Swish', { alpha: { type: 'int', value: 1 } }, 24],
			['Softmax', { axis: float(0) }, 18],
		] as const)
			expect(await refusal(graphOf([node(op, ['x'], ['y'], attributes)]), opset), op).toBeInstanceOf(RuntimeError);
		await expectRefusal(
			graphOf([node('ReduceMean', ['x'], ['y'], { axes: { type: 'int', value: 0 } })]),
			'ReduceMean.y',
			/"axes".*int, expected ints/,
			'malformed_model',
			13,
		);
	});

	it('when an operator lacks its inputs', async () => {
		for (const [op, opset] of [
			['Gelu', 20],
			['Attention', 23],
			['GroupNormalization', 21],
			['SoftmaxCrossEntropyLoss', 13],
			['TensorScatter', 24],
		] as const)
			expect(['GraphError', 'RuntimeError'], op).toContain((await refusal(graphOf([node(op, [], ['y'])]), opset)).name);
	});

	it('when it declares more than any memory holds, before anything is allocated', async () => {
		const huge = graphOf([node('Neg', ['x'], ['y'])], { inputs: [value('x', [2 ** 40])], outputs: [value('y', [2 ** 40])] });
		await expectRefusal(huge, 'x', /1099511627776/, 'unsupported_model');
		const g = new GraphBuilder();
		g.output(
			'y',
			g.op('Add', [g.op('ConstantOfShape', [g.ints([2 ** 36])], {}, { dtype: F }), g.input('x', F, [1])], {}, { shape: [2 ** 36] }),
		);
		await expectRefusal({ ...g.build('g'), outputs: [value('y', ['n'])] }, 'ConstantOfShape_0', /68719476736/, 'unsupported_model');
		const bytes = toBinary(
			ModelProtoSchema,
			create(ModelProtoSchema, {
				opsetImport: [{ version: 18n }],
				graph: { initializer: [{ name: 'w', dataType: T.FLOAT, dims: [2n ** 40n] }] },
			}),
		);
		expect(() => decodeModel(bytes)).toThrow(/"w" holds 0 elements, expected 1099511627776/);
	});

	it('when a dimension is negative', () => {
		const dim = [{ value: { case: 'dimValue' as const, value: -1n } }];
		const input = [{ name: 'x', type: { value: { case: 'tensorType' as const, value: { elemType: T.FLOAT, shape: { dim } } } } }];
		const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ version: 18n }], graph: { input } }));
		expect(() => decodeModel(bytes)).toThrow(/"x" has the impossible shape \[-1\]/);
	});

	it('when it gives nothing', async () => {
		await expectRefusal(graphOf([], { outputs: [] }), null, /no outputs/);
	});
});

describe('what is unusual but right is read', () => {
	it('nodes in any order', async () => {
		const graph = await canonicalise({
			graph: graphOf([node('Exp', ['b'], ['y']), node('Neg', ['a'], ['b']), node('Tanh', ['x'], ['a'])]),
			opset: OPSET,
		});
		expect(graph.nodes.map(({ op }) => op)).toEqual(['Tanh', 'Neg', 'Exp']);
	});

	it('nodes in any order in a body', async () => {
		const branch = (name: string): Attribute => ({
			type: 'graph',
			value: graphOf([node('Exp', [`${name}.a`], [`${name}.b`]), node('Tanh', ['x'], [`${name}.a`])], {
				name,
				inputs: [],
				outputs: [value(`${name}.b`)],
			}),
		});
		const choice = node('If', ['c'], ['y'], { then_branch: branch('t'), else_branch: branch('e') });
		const graph = await canonicalise({ graph: graphOf([choice], { inputs: [value('x'), value('c', [], 'bool')] }), opset: OPSET });
		const branches = graph.nodes.flatMap(({ attributes }) =>
			Object.values(attributes).flatMap((one) => (one.type === 'graph' ? [one.value] : [])),
		);
		expect(branches.map(({ nodes }) => nodes.map(({ op }) => op))).toEqual([
			['Tanh', 'Exp'],
			['Tanh', 'Exp'],
		]);
	});

	it('a graph without nodes', async () => {
		const graph = await canonicalise({ graph: graphOf([], { outputs: [value('x')] }), opset: OPSET });
		expect(graph.outputs).toEqual([value('x')]);
	});

	it('recurrent operators whose batch comes first', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', F, [2, 3, 4]); // batch, steps, size
		const weights = (shape: number[]) => g.constant(F, shape, new Array(shape.reduce((a, b) => a * b)).fill(0.1));
		const y = { name: 'h', dtype: F, shape: [2, 3, 1, 5] } as const;
		g.node('GRU', [x, weights([1, 15, 4]), weights([1, 15, 5])], [y], { hidden_size: 5, layout: 1 });
		g.output('y', y);
		const graph = await canonicalise({ graph: g.build('g'), opset: 14 });
		expect(graph.outputs[0]!.shape).toEqual([2, 3, 1, 5]);
		expect(graph.nodes.map(({ op }) => op)).toEqual(['Transpose', 'GRU', 'Transpose']);
	});
});
