import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { inspectModel } from '../src/index.js';

const WEIGHT = tensor('float32', [4, 3], [0.1, 0.5, -0.3, 0.7, 0.2, -0.9, 0.4, 0.6, -0.2, 0.3, 0.8, -0.1]);

/** A model of one weight whose outputs `use` makes of the data [batch, 4] and their product with it [batch, 3]. */
function bytesOf(use: (g: GraphBuilder, h: Value, x: Value) => Record<string, Value>): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['batch', 4]);
	const h = g.matMul(x, g.initializer('w', WEIGHT));
	for (const [name, value] of Object.entries(use(g, h, x))) g.output(name, value);
	return encodeModel({ graph: g.build('case'), opset: OPSET });
}
/** One number of the first row, by an operator that has no gradient. */
function pooled(g: GraphBuilder, value: Value): Value {
	const image = g.op('Unsqueeze', [value, g.ints([2, 3])], {}, { shape: [...value.shape, 1, 1] });
	const regions = g.constant('float32', [1, 4], [0, 0, 1, 1]);
	return g.sumAll(g.op('RoiAlign', [image, regions, g.ints([0])], {}, { shape: [1, value.shape[1] as number, 1, 1] }));
}

describe('inspecting a model', () => {
	it('finds that a pass makes more numbers of the data than can be held, in one value or in many', async () => {
		const wide = (g: GraphBuilder, x: Value, size: number): Value =>
			g.sumAll(g.op('Expand', [g.reshape(g.sumAll(x), [1, 1]), g.ints([2, size])], {}, { shape: [2, size] }));
		const { blockers } = await inspectModel(bytesOf((g, _, x) => ({ y: wide(g, x, 2 ** 29 + 1) })));
		expect(blockers).toMatchObject([{ code: 'unsupported_model' }]);
		expect(blockers[0]?.message).toMatch(
			/^a pass over the smallest batch makes 1\d{9} numbers, and may make 1073741824; the largest value is ".+" of shape \[2,536870913\]$/,
		);
		const many = bytesOf((g, _, x) =>
			Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`y${i}`, wide(g, g.scale(i + 1, x), 2 ** 25)])),
		);
		expect((await inspectModel(many)).blockers[0]?.message).toContain('a pass over the smallest batch makes 1342');
	});

	it('finds its inputs, outputs, parameters and operators, and nothing against training it', async () => {
		const report = await inspectModel(bytesOf((g, h) => ({ y: g.op('Tanh', [h]) })));
		expect(report).toEqual({
			opset: OPSET,
			inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
			outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 3] }],
			parameters: [
				{
					name: 'w',
					dtype: 'float32',
					shape: [4, 3],
					kind: 'parameter',
					trainable: true,
					reason: expect.stringContaining('weight of MatMul'),
				},
			],
			operators: { MatMul: 1, Tanh: 1, Identity: 1 },
			blockers: [],
		});
	});

	it('says that the runtime does not read a newer file format', async () => {
		const bytes = bytesOf((g, h) => ({ y: g.op('Tanh', [h]) }));
		expect([...bytes.subarray(0, 2)]).toEqual([0x08, 8]); // field 1 of the file: the version of its format
		bytes[1] = 14;
		expect((await inspectModel(bytes)).blockers).toMatchObject([{ message: expect.stringMatching(/IR version 14.*at most 13/) }]);
	});

	it.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('takes "%s" for a name like any other', async (name) => {
		const sized = bytesOf((g, _, x) => ({
			y: g.matMul(g.input('z', 'float32', [name, 4]), g.initializer('v', WEIGHT)),
			h: g.op('Tanh', [x]),
		}));
		expect((await inspectModel(sized)).blockers).toEqual([]);
		const called = await inspectModel(bytesOf((g, h) => ({ y: g.op(name, [h]) })));
		expect(called.operators).toMatchObject(Object.fromEntries([[name, 1]]));
		expect(called.blockers[0]).toMatchObject({ code: 'model_refused', message: expect.stringContaining(name) });
	});

	it('refuses values that no memory holds, also where they follow from parameters', async () => {
		const filled = (count: number, size: number) =>
			bytesOf((g, h) => {
				const one = g.initializer('one', tensor('float32', [1], [0.5]));
				const sums = Array.from({ length: count }, () => g.sumAll(g.expand(one, [size])));
				return { y: sums.reduce((sum, one) => g.add(sum, one), h) };
			});
		expect((await inspectModel(filled(1, 2 ** 29))).blockers).toMatchObject([{ message: expect.stringMatching(/536870912.*more than/) }]);
		expect((await inspectModel(filled(9, 2 ** 24))).blockers).toMatchObject([
			{ message: expect.stringMatching(/constants and parameters alone/) },
		]);
		expect((await inspectModel(filled(2, 2 ** 10))).blockers).toEqual([]);
	});

	it('refuses what is malformed off the path to the outputs', async () => {
		const { blockers } = await inspectModel(
			bytesOf((g, h) => {
				g.node('Neg', [{ ...h, name: 'nothing' }], [{ ...h, name: 'unused' }]);
				return { y: h };
			}),
		);
		expect(blockers).toMatchObject([{ code: 'malformed_model', where: 'nothing' }]);
	});

	it('refuses a convolution whose weight lacks dimensions', async () => {
		const { blockers } = await inspectModel(
			bytesOf((g, h) => {
				const image = g.op('Unsqueeze', [h, g.ints([2])], {}, { shape: [...h.shape, 1] });
				return { y: g.op('Conv', [image, g.initializer('k', tensor('float32', [6], [1, 2, 3, 4, 5, 6]))], { kernel_shape: [1] }) };
			}),
		);
		expect(blockers).toMatchObject([{ code: 'malformed_model', message: expect.stringMatching(/weight "k" of shape \[6\], expected 3/) }]);
	});

	it('says of an input of ids how many rows the smallest table has, and nothing of one that is cut up before', async () => {
		const g = new GraphBuilder();
		const table = (name: string, rows: number): Value =>
			g.initializer(name, tensor('float32', [rows, 2], new Float32Array(rows * 2).fill(0.1)));
		const looked = (name: string, rows: number, ids: Value): Value =>
			g.op('Gather', [table(name, rows), ids], { axis: 0 }, { dtype: 'float32', shape: ['batch', 4, 2] });
		const [ids, floats, cut] = [
			g.input('ids', 'int64', ['batch', 4]),
			g.input('floats', 'float32', ['batch', 4]),
			g.input('cut', 'int64', ['batch', 8]),
		];
		const half = g.op('Slice', [cut, g.ints([0]), g.ints([4]), g.ints([1])], {}, { shape: ['batch', 4] });
		const sum = [
			looked('words', 30, ids),
			looked('types', 7, g.op('Unsqueeze', [g.op('Squeeze', [ids, g.ints([2])], {}, ids), g.ints([2])], {}, ids)),
			looked('cast', 9, g.cast(floats, 'int64')),
			looked('part', 5, half),
		].reduce((a, b) => g.add(a, b));
		g.output('y', sum);
		const { inputs } = await inspectModel(encodeModel({ graph: g.build('ids'), opset: OPSET }));
		expect(inputs.map(({ name, limit }) => [name, limit])).toEqual([
			['ids', { size: 7, table: 'types' }],
			['floats', { size: 9, table: 'cast' }],
			['cut', undefined],
		]);
	});

	it('names an operator without a gradient on the path from a parameter, and not one off it', async () => {
		const on = await inspectModel(bytesOf((g, h) => ({ y: pooled(g, h) })));
		expect(on.blockers).toEqual([
			{ code: 'unsupported_operator', message: expect.stringContaining('RoiAlign'), where: expect.any(String) },
		]);
		const off = await inspectModel(bytesOf((g, h, x) => ({ y: g.add(h, pooled(g, x)) })));
		expect(off.blockers).toEqual([]);
	});

	it('names every operator in the way at once, with how often it stands there: also of domains that nothing defines', async () => {
		const foreign = (g: GraphBuilder, op: string, value: Value): Value => g.op(op, [value]);
		const { blockers, operators } = await inspectModel(
			bytesOf((g, h, x) => {
				const twice = foreign(g, 'com.microsoft.BitmaskDropout', foreign(g, 'com.microsoft.BitmaskDropout', h));
				return { y: g.add(pooled(g, twice), foreign(g, 'com.acme.Whiten', x)), z: foreign(g, 'com.acme.Unused', g.op('ArgMax', [h])) };
			}),
		);
		expect(operators).toMatchObject({ MatMul: 1, 'com.microsoft.BitmaskDropout': 2 });
		expect(blockers.map(({ code, message }) => [code, message])).toEqual([
			['unsupported_operator', expect.stringMatching(/com\.microsoft\.BitmaskDropout \(2 nodes, the first "/)],
			['unsupported_operator', expect.stringMatching(/RoiAlign \(node "/)],
			['unsupported_operator', expect.stringMatching(/com\.acme\.Whiten \(node "/)],
			['unsupported_operator', expect.stringMatching(/com\.acme\.Unused \(node "/)],
		]);
	});

	it('names an operator without a gradient once for all its nodes', async () => {
		const { blockers } = await inspectModel(bytesOf((g, h) => ({ y: g.add(pooled(g, h), pooled(g, g.neg(h))) })));
		expect(blockers.map(({ message }) => message)).toEqual([expect.stringMatching(/on the path RoiAlign → .*; 2 nodes are RoiAlign/)]);
	});

	it.each<[string, Parameters<typeof bytesOf>[0]]>([
		['no_trainable_parameter', (g, _, x) => ({ y: g.op('Tanh', [x]) })],
		['no_floating_output', (g, h) => ({ y: g.op('ArgMax', [h], { axis: 1 }, { dtype: 'int64', shape: ['batch', 1] }) })],
		['output_without_parameters', (g, h) => ({ y: g.op('Sign', [h]) })],
	])('says %s', async (code, use) => {
		const bytes = code === 'no_trainable_parameter' ? withoutWeight(use) : bytesOf(use);
		expect((await inspectModel(bytes)).blockers).toEqual([expect.objectContaining({ code })]);
	});

	it('follows a parameter that only the body of a node reads', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [2, 4]);
		const w = g.initializer('w', WEIGHT);
		const branch = (name: string, sign: number) => {
			const b = new GraphBuilder(`${name}/`);
			b.output(`${name}_y`, b.scale(sign, b.matMul(x, w)));
			return { type: 'graph', value: b.build(name) } as const;
		};
		const positive = g.op('Greater', [g.sumAll(x), g.scalar(0)], {}, { dtype: 'bool', shape: [] });
		const y: Value = { name: 'either', dtype: 'float32', shape: [2, 3] };
		g.node('If', [positive], [y], { then_branch: branch('then', 1), else_branch: branch('else', -2) });
		g.output('y', y);
		const report = await inspectModel(encodeModel({ graph: g.build('case'), opset: OPSET }));
		expect(report.parameters).toContainEqual(expect.objectContaining({ name: 'w', trainable: true }));
		expect(report.blockers).toEqual([]);
	});

	it('sees an initializer that an exporter made of a parameter and a running statistic', async () => {
		const bytes = bytesOf((g, h) => {
			const [zeros, ones] = [0, 1].map((value) =>
				g.initializer(`norm.${value}`, tensor('float32', [h.shape[1] as number], new Float32Array(h.shape[1] as number).fill(value))),
			) as [Value, Value];
			return { y: g.op('BatchNormalization', [h, ones, zeros, zeros, ones]) };
		});
		expect((await inspectModel(bytes)).blockers).toEqual([
			{ code: 'merged_initializers', message: expect.stringMatching(/"norm\.0".*optimize=False/), where: expect.any(String) },
		]);
	});

	it('says of which logits an output gives probabilities', async () => {
		const bytes = bytesOf((g, h) => {
			const [two, one] = [g.op('Identity', [h]), g.op('Neg', [h])];
			const clipped = g.op('Clip', [g.op('Sigmoid', [one]), g.scalar(0.1), g.scalar(0.9)]);
			return { p: g.op('Identity', [g.op('Softmax', [two], { axis: 1 })]), q: clipped, r: h };
		});
		expect((await inspectModel(bytes)).outputs.map(({ activation }) => activation)).toEqual([
			{ operator: 'Softmax', logits: expect.any(String), axis: 1, after: [] },
			{ operator: 'Sigmoid', logits: expect.any(String), axis: null, after: ['Clip'] },
			undefined,
		]);
	});

	it('throws for what is no model', async () => {
		await expect(inspectModel(new TextEncoder().encode('no model'))).rejects.toThrow('not an ONNX model');
	});
});

function withoutWeight(use: Parameters<typeof bytesOf>[0]): Uint8Array {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', ['batch', 4]);
	for (const [name, value] of Object.entries(use(g, x, x))) g.output(name, value);
	return encodeModel({ graph: g.build('case'), opset: OPSET });
}

describe('the numbers that standardise an input', () => {
	const mean = tensor('float32', [4], [1, 2.5, 3, 0.4]);
	const inverse = tensor('float32', [4], [0.5, 0.25, 2, 1]);
	const trainableOf = async (normalised: (g: GraphBuilder, x: Value, mean: Value, inverse: Value) => Value): Promise<string[]> => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['batch', 4]);
		const h = normalised(g, x, g.initializer('shift', mean), g.initializer('factor', inverse));
		g.output('y', g.matMul(h, g.initializer('w', WEIGHT)));
		const { parameters } = await inspectModel(encodeModel({ graph: g.build('case'), opset: OPSET }));
		return parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
	};

	it('are constants, as a difference and a quotient or a product', async () => {
		expect(await trainableOf((g, x, shift, factor) => g.mul(g.sub(x, shift), factor))).toEqual(['w']);
		expect(await trainableOf((g, x, shift, factor) => g.mul(factor, g.sub(x, shift)))).toEqual(['w']);
		expect(await trainableOf((g, x, shift, factor) => g.div(g.sub(x, shift), factor))).toEqual(['w']);
	});

	it('are told from the scale of a norm over the input, and from a factor of the input itself', async () => {
		expect(await trainableOf((g, x, shift, factor) => g.add(g.mul(g.sub(x, g.reduce('ReduceMean', x, [1])), factor), shift))).toEqual([
			'shift',
			'factor',
			'w',
		]);
		expect(await trainableOf((g, x, shift, factor) => g.add(g.mul(x, factor), shift))).toEqual(['shift', 'factor', 'w']);
	});
});
