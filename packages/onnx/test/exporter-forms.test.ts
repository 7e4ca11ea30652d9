import { readFileSync } from 'node:fs';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import {
	type Attribute,
	canonicalise,
	decodeModel,
	encodeModel,
	type Graph,
	GraphBuilder,
	OPSET,
	type Shape,
	type Value,
} from '../src/index.js';

/** Made by test/oracles/optional.py. */
const optional = JSON.parse(readFileSync(new URL('fixtures/optional.json', import.meta.url), 'utf8')) as {
	model: string;
	x: number[];
	y: number[];
};

/** A value that is a sequence: no tensor, so that its type is not told. */
const sequence = (name: string): Value => ({ name, dtype: 'float32', shape: [] });
const X = tensor(
	'float32',
	[2, 6],
	Array.from({ length: 12 }, (_, i) => i / 7 - 0.5),
);

async function run(graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }, ['y']));
	const outputs = await session.run(feeds);
	await session.release();
	return outputs;
}

/** What the runtime makes of the model as it is, the canonical graph's operators, and what it makes of that. */
async function both(build: (g: GraphBuilder, x: Value) => Value) {
	const g = new GraphBuilder();
	g.output('y', build(g, g.input('x', 'float32', [2, 6])));
	const graph = g.build('case');
	const canonical = await canonicalise({ graph, opset: OPSET });
	const [before, after] = [await run(graph, { x: X }), await run(canonical, { x: X })];
	return { before, after, ops: canonical.nodes.map(({ op }) => op) };
}

describe('what exporters write in a roundabout way', () => {
	it.each<[string, (g: GraphBuilder) => Value | null, number, Record<string, number>, Shape]>([
		['parts of one size', (g) => g.constant('int64', [], [4]), 1, { axis: 1 }, [2, 2]],
		['parts of given sizes', (g) => g.ints([1, 3, 2]), 1, { axis: -1 }, [2, 3]],
		['single entries without their axis', () => null, 1, { axis: 0, keepdims: 0 }, [6]],
		['single entries', () => null, 0, { axis: 1 }, [2, 1]],
	])('a sequence of %s is read by slices', async (_, split, position, attributes, shape) => {
		const { before, after, ops } = await both((g, x) => {
			g.node('SplitToSequence', [x, split(g)], [sequence('parts')], attributes);
			return g.op('SequenceAt', [sequence('parts'), g.constant('int64', [], [position])], {}, { dtype: 'float32', shape });
		});
		expect(after).toEqual(before);
		expect(ops.filter((op) => /Sequence/.test(op))).toEqual([]);
	});

	it('a sequence that is made to be joined is a Concat', async () => {
		const { before, after, ops } = await both((g, x) => {
			g.node('SequenceConstruct', [x, g.neg(x)], [sequence('both')]);
			return g.op('ConcatFromSequence', [sequence('both')], { axis: 1 }, { dtype: 'float32', shape: [2, 12] });
		});
		expect(after).toEqual(before);
		expect(ops).toEqual(['Neg', 'Concat']);
	});

	it('an optional that is made with an element is that, also in a body', async () => {
		const { before, after, ops } = await both((g, x) => {
			g.node('Optional', [x], [sequence('maybe')]);
			const has = g.op('OptionalHasElement', [sequence('maybe')], {}, { dtype: 'bool', shape: [] });
			const branch = (make: (b: GraphBuilder) => Value): Attribute => {
				const b = new GraphBuilder();
				b.output('out', make(b));
				return { type: 'graph', value: b.build('branch') };
			};
			return g.op(
				'If',
				[has],
				{
					then_branch: branch((b) => b.neg(b.op('OptionalGetElement', [sequence('maybe')], {}, x))),
					else_branch: branch((b) => b.op('Identity', [x], {}, x)),
				},
				x,
			);
		});
		expect(after).toEqual(before);
		expect(ops).toEqual(['Neg']);
	});

	it('an optional without an element has none', async () => {
		const canonical = await canonicalise(decodeModel(Buffer.from(optional.model, 'base64')));
		expect(canonical.nodes.map(({ op }) => op)).toEqual(['Tanh']);
		const { y } = await run(canonical, { x: tensor('float32', [2, 6], optional.x) });
		expect(Array.from(y!.data as Float32Array)).toEqual(optional.y);
	});

	it('a Transpose that moves nothing does not become that of a matrix', async () => {
		const w = tensor(
			'float32',
			[6, 3],
			Array.from({ length: 18 }, (_, i) => 0.3 - i / 20),
		);
		const { before, after } = await both((g, x) => g.gemm(g.transpose(x, [0, 1]), g.initializer('w', w)));
		expect(after).toEqual(before);
	});
});
