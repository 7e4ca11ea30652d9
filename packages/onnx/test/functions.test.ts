import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { createSession, tensor } from '@steelyard/runtime';
import {
	AttributeProto_AttributeType as A,
	type AttributeProtoSchema,
	type FunctionProtoSchema,
	ModelProtoSchema,
	type NodeProtoSchema,
	TensorProto_DataType as T,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { canonicalise, decodeModel, encodeModel, GraphError, OPSET } from '../src/index.js';

type AttributeInit = MessageInitShape<typeof AttributeProtoSchema>;
type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type FunctionInit = MessageInitShape<typeof FunctionProtoSchema>;

const info = (name: string, dims: number[], elemType: T = T.FLOAT) => ({
	name,
	type: {
		value: {
			case: 'tensorType' as const,
			value: { elemType, shape: { dim: dims.map((d) => ({ value: { case: 'dimValue' as const, value: BigInt(d) } })) } },
		},
	},
});
const imports = (opset: number) => [
	{ domain: '', version: BigInt(opset) },
	{ domain: 'local', version: 1n },
];
const call = (opType: string, input: string[], output: string[], attribute: AttributeInit[] = [], name = ''): NodeInit => ({
	opType,
	domain: 'local',
	input,
	output,
	name,
	attribute,
});
const node = (opType: string, input: string[], output: string[], attribute: AttributeInit[] = []): NodeInit => ({
	opType,
	input,
	output,
	attribute,
});
const fn = (name: string, input: string[], output: string[], nodes: NodeInit[], more: FunctionInit = {}): FunctionInit =>
	({ name, domain: 'local', input, output, node: nodes, opsetImport: imports(18), ...more }) as FunctionInit;
const modelBytes = (nodes: NodeInit[], functions: FunctionInit[], opset = 18): Uint8Array =>
	toBinary(
		ModelProtoSchema,
		create(ModelProtoSchema, {
			irVersion: 8n,
			opsetImport: imports(opset),
			functions: functions as [],
			graph: { name: 'g', node: nodes as [], input: [info('x', [2, 3]), info('c', [], T.BOOL)], output: [info('y', [2, 3])] },
		}),
	);

const feeds = { x: tensor('float32', [2, 3], [-1, 2, -0.5, 3, 0.25, -2]), c: tensor('bool', [], [1]) };
/** The runtime inlines functions itself: what it makes of the model, and what it makes of ours. */
async function both(bytes: Uint8Array) {
	const run = async (model: Uint8Array) => {
		const session = await createSession(model);
		const given = Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name as 'x']]));
		const { y } = await session.run(given);
		await session.release();
		return y!.data;
	};
	const graph = await canonicalise(decodeModel(bytes));
	return { theirs: await run(bytes), ours: await run(encodeModel({ graph, opset: OPSET })) };
}
async function expectSame(bytes: Uint8Array): Promise<void> {
	const { theirs, ours } = await both(bytes);
	expect(ours).toEqual(theirs);
}

const alpha = { name: 'alpha', refAttrName: 'slope', type: A.FLOAT };
const leaky = fn('Leaky', ['a'], ['b'], [node('LeakyRelu', ['a'], ['b'], [alpha])], { attribute: ['slope'] });

describe('functions of a model', () => {
	it('are put in the place of their calls, names of values kept apart', () =>
		expectSame(
			modelBytes(
				[call('Twice', ['x'], ['t']), call('Twice', ['t'], ['y'])],
				[fn('Twice', ['a'], ['b'], [node('Add', ['a', 'a'], ['t']), node('Tanh', ['t'], ['b'])])],
			),
		));

	it('get their attributes from the call, from their defaults, or leave them out', async () => {
		const given = { name: 'slope', type: A.FLOAT, f: 0.25 };
		await expectSame(modelBytes([call('Leaky', ['x'], ['y'], [given])], [leaky]));
		await expectSame(modelBytes([call('Leaky', ['x'], ['y'])], [leaky]));
		const withDefault = { ...leaky, attribute: [], attributeProto: [{ ...given, f: 0.75 }] } as FunctionInit;
		await expectSame(modelBytes([call('Leaky', ['x'], ['y'])], [withDefault]));
	});

	it('call each other, and pass attributes on', () => {
		const passed = { name: 'slope', refAttrName: 'steep', type: A.FLOAT };
		const outer = fn('Outer', ['a'], ['b'], [call('Leaky', ['a'], ['m'], [passed]), node('Neg', ['m'], ['b'])], {
			attribute: ['steep'],
		});
		return expectSame(modelBytes([call('Outer', ['x'], ['y'], [{ name: 'steep', type: A.FLOAT, f: 0.5 }])], [outer, leaky]));
	});

	it('may hold control flow that looks at their values, and stand in it', () => {
		const branch = (op: string) => ({ name: op, node: [node(op, ['m'], ['r'])], output: [{ name: 'r' }] });
		const branches = [
			{ name: 'then_branch', type: A.GRAPH, g: branch('Tanh') },
			{ name: 'else_branch', type: A.GRAPH, g: branch('Neg') },
		];
		const choose = fn('Choose', ['a', 'k'], ['b'], [node('Exp', ['a'], ['m']), node('If', ['k'], ['b'], branches)]);
		return expectSame(modelBytes([call('Choose', ['x', 'c'], ['r']), call('Choose', ['r', 'c'], ['y'])], [choose]));
	});

	it('may give an input back, or leave inputs and outputs out', async () => {
		const graph = await canonicalise(
			decodeModel(
				modelBytes(
					[call('Both', ['x'], ['same', '']), node('Exp', ['same'], ['y'])],
					[fn('Both', ['a', 'low'], ['a', 'cut'], [node('Clip', ['a', 'low'], ['cut'])])],
				),
			),
		);
		expect(graph.nodes.filter(({ op }) => op === 'Exp').map(({ inputs }) => inputs)).toEqual([['x']]);
	});

	it('may be of another operator set where that makes no difference', () => {
		const old = fn('Old', ['a'], ['b'], [node('Exp', ['a'], ['b'])], { opsetImport: imports(15) });
		return expectSame(modelBytes([call('Old', ['x'], ['y'])], [old]));
	});
});

describe('functions are refused', () => {
	const refusal = (bytes: Uint8Array): GraphError => {
		try {
			decodeModel(bytes);
		} catch (error) {
			expect(error).toBeInstanceOf(GraphError);
			return error as GraphError;
		}
		throw new Error('it was read');
	};

	it('when nothing defines them, all at once, by domain and name', async () => {
		const calls = [call('Missing', ['x'], ['m'], [], 'n'), call('Missing', ['m'], ['l'], [], 'o'), call('Lost', ['l'], ['y'], [], 'p')];
		await expect(canonicalise(decodeModel(modelBytes(calls, [leaky])))).rejects.toMatchObject({
			code: 'unsupported_operator',
			where: 'n',
			message: expect.stringMatching(/local\.Missing \(2 nodes, the first "n"\), local\.Lost \(node "p"\); export/),
		});
	});

	it('when they call themselves, directly or through others', () => {
		const loop = [fn('F', ['a'], ['b'], [call('G', ['a'], ['b'])]), fn('G', ['a'], ['b'], [call('F', ['a'], ['b'])])];
		const error = refusal(modelBytes([call('F', ['x'], ['y'])], loop));
		expect([error.code, error.message]).toEqual(['malformed_model', expect.stringContaining('local.F calls itself')]);
	});

	it('when an operator of theirs looks otherwise in their operator set than in the model', () => {
		const old = fn('Old', ['a'], ['b'], [node('ReduceMean', ['a'], ['b'])], { opsetImport: imports(17) });
		const error = refusal(modelBytes([call('Old', ['x'], ['y'])], [old]));
		expect([error.code, error.message]).toEqual(['unsupported_model', expect.stringMatching(/local\.Old .* 17, .* 18.*ReduceMean/)]);
	});

	it('when they stand for more nodes than any memory holds', () => {
		const chain = Array.from({ length: 40 }, (_, i) =>
			fn(
				`F${i}`,
				['a'],
				['b'],
				i === 39 ? [node('Neg', ['a'], ['b'])] : [call(`F${i + 1}`, ['a'], ['m']), call(`F${i + 1}`, ['m'], ['b'])],
			),
		);
		expect(refusal(modelBytes([call('F0', ['x'], ['y'])], chain)).message).toMatch(/more than 200000 nodes/);
	});

	it('when they take what nothing gives, get too many inputs, or refer to attributes outside of a function', () => {
		expect(refusal(modelBytes([call('F', ['x'], ['y'])], [fn('F', ['a'], ['b'], [node('Neg', ['z'], ['b'])])])).where).toBe('z');
		expect(refusal(modelBytes([call('F', ['x', 'x'], ['y'])], [fn('F', ['a'], ['b'], [node('Neg', ['a'], ['b'])])])).message).toMatch(
			/2 inputs/,
		);
		expect(refusal(modelBytes([node('LeakyRelu', ['x'], ['y'], [alpha])], [leaky])).message).toMatch(/refers to the attribute "slope"/);
	});
});
