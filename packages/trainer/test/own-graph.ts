import { readFileSync } from 'node:fs';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { tensor } from '@steelyard/runtime';

/** A network that PyTorch trained: numbers of the parameters before and after, and the loss of every step. */
export type OwnCase = {
	readonly outputs: number;
	readonly x: number[];
	readonly y: number[];
	readonly initial: Record<string, number[]>;
	readonly losses: number[];
	readonly final: Record<string, number[]>;
};

/** What test/oracles/custom_training.py made. */
export const ownFixture = JSON.parse(readFileSync(new URL('fixtures/custom-training.json', import.meta.url), 'utf8')) as {
	readonly rows: number;
	readonly batch: number;
	readonly steps: number;
	readonly inputs: number;
	readonly hidden: number;
	readonly learning_rate: number;
	readonly rank: number;
	readonly alpha: number;
	readonly cases: Record<string, OwnCase>;
};

/** What a graph makes of the logits of the oracle's network. */
export type Head = (g: GraphBuilder, logits: Value) => Value;

/** `[rows, columns]` the other way round. */
export const transposed = (values: ArrayLike<number>, rows: number, columns: number): number[] =>
	Array.from({ length: rows * columns }, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)] as number);

/**
 * The oracle's network, tanh(x·w1 + b1)·w2 + b2, as a graph of one's own with the output `y`. With `outFirst` the matrices are stored as `[out, in]`: one is read by
 * Transpose and MatMul, the other by Gemm.
 */
export function ownNetwork({ outputs, initial }: OwnCase, head: Head, outFirst = false): Uint8Array {
	const g = new GraphBuilder();
	const { inputs, hidden } = ownFixture;
	const parameter = (name: string, shape: number[], numbers = initial[name]!): Value =>
		g.initializer(name, tensor('float32', shape, numbers));
	const x = g.input('x', 'float32', ['N', inputs]);
	const [b1, b2] = [parameter('b1', [hidden]), parameter('b2', [outputs])];
	const w1 = outFirst
		? g.op('Transpose', [parameter('w1', [hidden, inputs], transposed(initial['w1']!, inputs, hidden))], {}, { shape: [inputs, hidden] })
		: parameter('w1', [inputs, hidden]);
	const h = g.op('Tanh', [g.add(g.matMul(x, w1), b1)]);
	const logits = outFirst
		? g.op(
				'Gemm',
				[h, parameter('w2', [outputs, hidden], transposed(initial['w2']!, hidden, outputs)), b2],
				{ transB: 1 },
				{ shape: ['N', outputs] },
			)
		: g.add(g.matMul(h, parameter('w2', [hidden, outputs])), b2);
	g.output('y', head(g, logits));
	return encodeModel({ graph: g.build('network'), opset: OPSET });
}
