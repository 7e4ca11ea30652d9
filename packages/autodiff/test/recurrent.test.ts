import { type Attribute, encodeModel, float, type Graph, GraphBuilder, type Node, OPSET, type Value } from '@steelyard/onnx';
import { createSession, sizeOf, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asScan } from '../src/recurrent/as-scan.js';
import { uniformNumbers } from './gradient-check.js';

type Shape = number[];
const STEPS = 4;
const BATCH = 3;
const SIZE = 2;
const HIDDEN = 3;
const gates = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Op = keyof typeof gates;

const activationNames = [
	...['Tanh', 'Sigmoid', 'Relu', 'Softsign', 'Softplus', 'Affine', 'LeakyRelu', 'ThresholdedRelu', 'ScaledTanh', 'HardSigmoid', 'Elu'],
];
const perDirection = { LSTM: 3, GRU: 2, RNN: 1 } as const;

const attributeSets = fc.record({
	op: fc.constantFrom<Op>('LSTM', 'GRU', 'RNN'),
	direction: fc.constantFrom('forward', 'reverse', 'bidirectional'),
	given: fc.record({ bias: fc.boolean(), lengths: fc.boolean(), h: fc.boolean(), c: fc.boolean(), peepholes: fc.boolean() }),
	clip: fc.constantFrom(0, 0.4),
	inputForget: fc.boolean(),
	linearBeforeReset: fc.boolean(),
	activations: fc.option(fc.array(fc.constantFrom(...activationNames), { minLength: 6, maxLength: 6 }), { nil: null, freq: 2 }),
	alphas: fc.constantFrom<number[]>([], [0.7], [0.6, 1.3, 0.9]),
	outputs: fc.constantFrom([true, true, true], [true, false, false], [false, true, false], [false, false, true]),
	lengths: fc.array(fc.integer({ min: 0, max: STEPS }), { minLength: BATCH, maxLength: BATCH }),
	seed: fc.nat(1000),
});
type Set = typeof attributeSets extends fc.Arbitrary<infer T> ? T : never;

/** A model of one node, its feeds, and the same as Scans. */
function twoForms({ op, direction, given, outputs, seed, ...more }: Set) {
	const count = direction === 'bidirectional' ? 2 : 1;
	const width = gates[op] * HIDDEN;
	const shapes: [string, Shape | null][] = [
		['x', [STEPS, BATCH, SIZE]],
		['w', [count, width, SIZE]],
		['r', [count, width, HIDDEN]],
		['b', given.bias ? [count, 2 * width] : null],
		['lengths', given.lengths ? [BATCH] : null],
		['h', given.h ? [count, BATCH, HIDDEN] : null],
		['c', op === 'LSTM' && given.c ? [count, BATCH, HIDDEN] : null],
		['p', op === 'LSTM' && given.peepholes ? [count, 3 * HIDDEN] : null],
	];
	const next = uniformNumbers(seed);
	const feeds = new Map(
		shapes.flatMap(([name, shape]): [string, Tensor][] =>
			shape === null
				? []
				: [
						[
							name,
							name === 'lengths'
								? tensor('int32', shape, more.lengths)
								: tensor(
										'float32',
										shape,
										Array.from({ length: sizeOf(shape) }, () => 2 * next() - 1),
									),
						],
					],
		),
	);
	const ints = (value: number): Attribute => ({ type: 'int', value });
	const floats = (value: number[]): Attribute => ({ type: 'floats', value });
	const names = more.activations?.slice(0, perDirection[op] * count);
	const attributes: Record<string, Attribute> = {
		direction: { type: 'string', value: direction },
		hidden_size: ints(HIDDEN),
		...(more.clip > 0 ? { clip: float(more.clip) } : {}),
		...(op === 'LSTM' ? { input_forget: ints(more.inputForget ? 1 : 0) } : {}),
		...(op === 'GRU' ? { linear_before_reset: ints(more.linearBeforeReset ? 1 : 0) } : {}),
		...(names === undefined ? {} : { activations: { type: 'strings', value: names } }),
		...(names === undefined || more.alphas.length === 0
			? {}
			: { activation_alpha: floats(more.alphas), activation_beta: floats(more.alphas) }),
	};
	const all: Value[] = [
		{ name: 'y', dtype: 'float32', shape: [STEPS, count, BATCH, HIDDEN] },
		{ name: 'y_h', dtype: 'float32', shape: [count, BATCH, HIDDEN] },
		{ name: 'y_c', dtype: 'float32', shape: [count, BATCH, HIDDEN] },
	];
	const asked = all.slice(0, op === 'LSTM' ? 3 : 2).filter((_, i) => outputs[i]);
	const wanted = asked.length > 0 ? asked : [all[0]!];
	const g = new GraphBuilder();
	const inputs = shapes.slice(0, op === 'LSTM' ? 8 : 6).map(([name]) => {
		const feed = feeds.get(name);
		return feed === undefined ? null : g.input(name, feed.dtype, feed.shape);
	});
	const node: Node = {
		name: 'n',
		op,
		inputs: inputs.map((input) => input?.name ?? ''),
		outputs: all.slice(0, op === 'LSTM' ? 3 : 2).map((value) => (wanted.includes(value) ? value.name : '')),
		attributes,
	};
	const fused: Graph = { ...g.build('fused'), nodes: [node], outputs: wanted };
	const form: Graph = { ...asScan(g.nested(), node, inputs), inputs: fused.inputs };
	return { fused, form, feeds: Object.fromEntries(feeds) };
}

const run = async (graph: Graph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> => {
	const session = await createSession(encodeModel({ graph, opset: OPSET }));
	try {
		return await session.run(feeds);
	} finally {
		await session.release();
	}
};

describe('the Scan form of a recurrent operator', () => {
	it('gives what the runtime gives, for all attributes', async () => {
		await fc.assert(
			fc.asyncProperty(attributeSets, async (set) => {
				const { fused, form, feeds } = twoForms(set);
				const [expected, found] = [await run(fused, feeds), await run(form, feeds)];
				expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
				for (const [name, { data, shape }] of Object.entries(expected)) {
					expect(found[name]!.shape).toEqual(shape);
					// float32 in another order of summation
					data.forEach((value, i) => expect(Math.abs(Number(found[name]!.data[i]) - Number(value))).toBeLessThanOrEqual(1e-5));
				}
			}),
			{ numRuns: 80, seed: 5 },
		);
	}, 60_000);
});
