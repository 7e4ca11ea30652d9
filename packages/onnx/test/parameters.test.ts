import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Tensor, tensor } from '@steelyard/runtime';
import { ModelProtoSchema, StringStringEntryProtoSchema, ValueInfoProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import type { ExporterLabel } from '../src/exporter-labels.js';
import {
	decodeModel,
	encodeModel,
	GraphBuilder,
	OPSET,
	type Parameter,
	parametersOf,
	replaceInitializers,
	type Value,
	withConstantNodes,
} from '../src/index.js';

/** Numbers of no pattern. */
const values = (shape: readonly number[]): Tensor => {
	const size = shape.reduce((a, b) => a * b, 1);
	return tensor(
		'float32',
		shape,
		Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) ** 2) / 2),
	);
};
const filled = (shape: readonly number[], number: (index: number) => number): Tensor =>
	tensor(
		'float32',
		shape,
		Float32Array.from(values(shape).data as Float32Array, (_, i) => number(i)),
	);

/** What is found of the initializer "p" where `use` uses it beside data of shape [6, 4], and the exporter calls it `label`. */
function judged(initial: Tensor, use: (g: GraphBuilder, x: Value, p: Value) => Value, name = 'p', label?: ExporterLabel): Parameter {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [6, 4]);
	g.output('y', use(g, x, g.initializer(name, initial)));
	const labels = new Map(label === undefined ? [] : [[name, label]]);
	return parametersOf({ graph: g.build('case'), opset: OPSET, labels }).find((found) => found.name === name) as Parameter;
}
const added = (g: GraphBuilder, x: Value, p: Value): Value => g.add(x, p);

describe('an initializer', () => {
	it.each<[string, Tensor, (g: GraphBuilder, x: Value, p: Value) => Value]>([
		['weight of MatMul', values([4, 3]), (g, x, p) => g.matMul(x, p)],
		['weight of MatMul', values([3, 4]), (g, x, p) => g.matMul(x, g.transposed(p))],
		['bias of Gemm', values([3]), (g, x, p) => g.gemm(x, g.constant('float32', [4, 3], values([4, 3]).data), p)],
		['scale of LayerNormalization', filled([4], () => 1), (g, x, p) => g.op('LayerNormalization', [x, p])],
		['slope of PRelu', filled([1], () => 0.25), (g, x, p) => g.op('PRelu', [x, p])],
		['embeddings of Gather', values([9, 4]), (g, _, p) => g.op('Gather', [p, g.input('ids', 'int64', [6])])],
		['term of Add', values([6, 4]), added],
		['factor of Mul', values([4]), (g, x, p) => g.mul(g.op('Tanh', [x]), p)],
		['learned part of Concat', values([1, 4]), (g, x, p) => g.concat([p, x], 0)],
		['term of Add', filled([6, 4], () => 0), added],
		['a number that a function turns into a factor of Mul', filled([], () => 2), (g, x, p) => g.mul(x, g.exp(p))],
		['weight of MatMul "MatMul_0"; 1 more node uses it', values([4, 4]), (g, x, p) => g.matMul(g.matMul(x, p), p)],
	])('is a parameter as %s', (reason, initial, use) => {
		expect(judged(initial, use)).toMatchObject({ trainable: true, reason: expect.stringContaining(reason) });
	});

	it.each<[string, Tensor, (g: GraphBuilder, x: Value, p: Value) => Value]>([
		['one number: divisor', filled([], () => 2), (g, x, p) => g.div(x, p)],
		['exponent of Pow', filled([], () => 2), (g, x, p) => g.op('Pow', [x, p])],
		['lower bound of Clip', filled([], () => 0), (g, x, p) => g.op('Clip', [x, p])],
		['a mask: only 0 and large', filled([6, 4], (i) => (i % 3 === 0 ? Number.NEGATIVE_INFINITY : 0)), added],
		['a mask: only 0 and 1', filled([6, 4], (i) => i % 2), (g, x, p) => g.mul(x, p)],
		['sines and cosines', filled([6, 4], (i) => Math.sin(Math.floor(i / 4) / 10 ** (i % 4))), added],
		['normalises an input', values([4]), (g, x, p) => g.sub(x, p)],
		['no node', values([4]), (g, x) => g.op('Relu', [x])],
	])('is a constant: %s', (reason, initial, use) => {
		expect(judged(initial, use)).toMatchObject({ trainable: false, reason: expect.stringContaining(reason) });
	});

	it('is a running statistic and no parameter in BatchNormalization', () => {
		const use = (place: number) => (g: GraphBuilder, x: Value, p: Value) =>
			g.op('BatchNormalization', [x, ...[1, 2, 3, 4].map((i) => (i === place ? p : g.constant('float32', [4], [i, 2, 3, 5])))]);
		expect(judged(values([4]), use(1)).trainable).toBe(true);
		expect(judged(values([4]), use(3))).toMatchObject({ trainable: false, reason: expect.stringContaining('running mean') });
	});
});

describe('a Constant node', () => {
	/** A layer with a factor, two constants of a formula and a size; the named values are Constant nodes. */
	const layer = (...names: string[]) => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [6, 4]);
		const h = g.add(g.matMul(x, g.initializer('w', values([4, 1]))), g.initializer('b', values([1])));
		const clipped = g.op('Clip', [
			g.mul(
				h,
				g.initializer(
					'two',
					filled([], () => 2),
				),
			),
			g.initializer(
				'low',
				filled([], () => 0),
			),
		]);
		const exponent = g.initializer(
			'exponent',
			filled([1], () => 2),
		);
		g.output(
			'y',
			g.op('Reshape', [g.op('Pow', [clipped, exponent]), g.initializer('size', tensor('int64', [1], [6]))], {}, { shape: [6] }),
		);
		return encodeModel({ graph: withConstantNodes(g.build('layer'), new Set(names)), opset: OPSET });
	};

	it('is a parameter where it is used as a weight; constants of formulas stay nodes', () => {
		const model = decodeModel(layer('w', 'b', 'two', 'low', 'exponent', 'size'));
		expect([...model.graph.initializers.keys()]).toEqual(['w', 'b']);
		expect(parametersOf(model).map(({ name, trainable }) => [name, trainable])).toEqual([
			['w', true],
			['b', true],
		]);
	});

	it('is not trained by itself where other weights are initializers', () => {
		const found = parametersOf(decodeModel(layer('b', 'two', 'low', 'exponent', 'size')));
		expect(found.map(({ name, trainable }) => [name, trainable])).toEqual([
			['w', true],
			['b', false],
		]);
		expect(found[1]!.reason).toMatch(/bias.*but a Constant node, where other weights of the model are initializers/);
	});

	it('gets other numbers as an initializer does', () => {
		const bytes = layer('w', 'b');
		const made = replaceInitializers(bytes, new Map([['b', filled([1], () => 7)]]));
		expect(decodeModel(made).graph.initializers.get('b')?.data).toEqual(Float32Array.of(7));
		expect(replaceInitializers(made, new Map([['b', values([1])]]))).toEqual(new Uint8Array(bytes));
	});
});

describe('the word of the exporter', () => {
	const product = (g: GraphBuilder, x: Value, p: Value): Value => g.matMul(x, p);
	const clipped = (g: GraphBuilder, x: Value, p: Value): Value => g.op('Max', [x, p]);
	const normalised = (place: number) => (g: GraphBuilder, x: Value, p: Value) =>
		g.op('BatchNormalization', [x, ...[1, 2, 3, 4].map((i) => (i === place || i === 2 ? p : g.constant('float32', [4], [i, 2, 3, 5])))]);

	it('makes a buffer of weights, and a parameter of a bound, of equal numbers and of one number', () => {
		expect(judged(values([4, 4]), product, 'adjacency', 'buffer')).toMatchObject({ kind: 'buffer', trainable: false });
		expect(judged(values([4, 4]), product, 'adjacency', 'constant')).toMatchObject({ kind: 'constant', trainable: false });
		expect(judged(values([4]), clipped, 'floor')).toMatchObject({ kind: 'constant' });
		expect(judged(values([4]), clipped, 'floor', 'parameter')).toMatchObject({ kind: 'parameter', trainable: true });
		expect(
			judged(
				filled([], () => 2),
				(g, x, p) => g.mul(x, p),
				'temperature',
				'parameter',
			),
		).toMatchObject({ kind: 'parameter' });
	});

	it('does not make a parameter of a table of sines, nor hide that an exporter merged a shift with a statistic', () => {
		const table = filled([6, 4], (i) => Math.sin(Math.floor(i / 4) / 10 ** (i % 4)));
		expect(judged(table, added, 'positions', 'parameter')).toMatchObject({ kind: 'constant', trainable: false });
		expect(judged(values([4]), normalised(3), 'norm.running_mean', 'buffer')).toMatchObject({ kind: 'parameter' });
	});

	it('is read from the types of initializers, where torch.export writes it', () => {
		const g = new GraphBuilder();
		g.output('y', g.matMul(g.initializer('adjacency', values([6, 6])), g.input('x', 'float32', [6, 4])));
		const proto = fromBinary(ModelProtoSchema, encodeModel({ graph: g.build('case'), opset: OPSET }));
		const kind = { key: 'pkg.torch.export.graph_signature.InputSpec.kind', value: 'BUFFER' };
		proto.graph?.valueInfo.push(
			create(ValueInfoProtoSchema, { name: 'adjacency', metadataProps: [create(StringStringEntryProtoSchema, kind)] }),
		);
		expect(parametersOf(decodeModel(toBinary(ModelProtoSchema, proto)))).toMatchObject([{ name: 'adjacency', kind: 'buffer' }]);
	});
});

describe('buffers without the word of an exporter', () => {
	it.each<[string, Tensor, (g: GraphBuilder, x: Value, p: Value) => Value]>([
		['model.embed_tokens.embed_scale', filled([], () => 4), (g, x, p) => g.mul(x, p)],
		['final_logits_bias', filled([1, 3], () => 0), (g, x, p) => g.add(g.matMul(x, g.constant('float32', [4, 3], values([4, 3]).data)), p)],
		['layers.0.rotary_emb.cos_cached', values([6, 4]), (g, x, p) => g.mul(x, p)],
	])('%s is told by its name', (name, initial, use) => {
		expect(judged(initial, use, name)).toMatchObject({ kind: 'buffer', trainable: false });
	});

	it('zeros that a scalar is expanded to are no weights, though they are an operand of a product', () => {
		const use = (g: GraphBuilder, x: Value, p: Value): Value => g.matMul(g.expand(p, [6, 6]), x);
		expect(
			judged(
				filled([], () => 0),
				use,
				'gru/zeros/Const:0',
			),
		).toMatchObject({ kind: 'constant', trainable: false });
	});

	it('a table of relative positions and a learned temperature stay parameters', () => {
		const gathered = (g: GraphBuilder, x: Value, p: Value): Value =>
			g.add(x, g.op('Gather', [p, g.ints([0, 3, 2, 1, 0, 2])], {}, { shape: [6, 4] }));
		expect(judged(values([5, 4]), gathered, 'attn.relative_position_bias_table')).toMatchObject({ kind: 'parameter' });
		expect(
			judged(
				filled([], () => 2.6),
				(g, x, p) => g.mul(x, g.exp(p)),
				'logit_scale',
			),
		).toMatchObject({ kind: 'parameter' });
	});
});

describe('replacing initializers', () => {
	const g = new GraphBuilder();
	const x = g.input('x', 'float32', [2, 4]);
	g.output('y', g.add(g.matMul(x, g.initializer('w', values([4, 4]))), g.initializer('b', values([4]))));
	const bytes = encodeModel({ graph: g.build('layer'), opset: OPSET, metadata: { author: 'somebody' } });

	it('changes their numbers and nothing else', () => {
		const w = filled([4, 4], (i) => i);
		const made = replaceInitializers(bytes, new Map([['w', w]]));
		expect(decodeModel(made).graph.initializers.get('w')?.data).toEqual(w.data);
		expect(replaceInitializers(made, new Map([['w', values([4, 4])]]))).toEqual(new Uint8Array(bytes));
	});

	it.each<[string, string, Tensor]>([
		['no initializer "v"', 'v', values([4])],
		['of shape [4], found [1,4]', 'b', values([1, 4])],
		['float32, found float64', 'b', tensor('float64', [4], [1, 2, 3, 4])],
	])('is refused: %s', (message, name, value) => {
		expect(() => replaceInitializers(bytes, new Map([[name, value]]))).toThrow(message);
	});
});
