// A transformer encoder with a classifying head as PyTorch exports it with dynamic axes: every view works its shape out of Shape, Gather, Unsqueeze and Concat.
import { GraphBuilder } from '../../../../packages/onnx/dist/index.js';
import { constant, crossEntropy, gemm, linear, number, parametersOf } from './parts.js';

const reshape = (g, x, sizes) => g.op('Reshape', [x, g.op('Concat', sizes, { axis: 0 })]);
const sizeOf = (g, x, axis) => {
	const size = g.op('Gather', [g.op('Shape', [x], {}, { dtype: 'int64', shape: [3] }), constant(g, 'int64', [], [axis])], { axis: 0 });
	return g.op('Unsqueeze', [size, constant(g, 'int64', [1], [0])]);
};
const known = (g, size) => g.op('Unsqueeze', [constant(g, 'int64', [], [size]), constant(g, 'int64', [1], [0])]);

/** Self-attention of x `[batch, time, width]`. */
export function attention(g, at, name, x, { width, heads }) {
	const split = (part) => {
		const projected = linear(g, at, `${name}.${part}`, x, width, width);
		return reshape(g, projected, [sizeOf(g, x, 0), sizeOf(g, x, 1), known(g, heads), known(g, width / heads)]);
	};
	const query = g.op('Transpose', [split('query')], { perm: [0, 2, 1, 3] });
	const key = g.op('Transpose', [split('key')], { perm: [0, 2, 3, 1] });
	const value = g.op('Transpose', [split('value')], { perm: [0, 2, 1, 3] });
	const scores = g.op('Div', [g.op('MatMul', [query, key]), number(g, Math.sqrt(width / heads))]);
	const mixed = g.op('MatMul', [dropout(g, g.op('Softmax', [scores], { axis: -1 })), value]);
	const joined = reshape(g, g.op('Transpose', [mixed], { perm: [0, 2, 1, 3] }), [sizeOf(g, x, 0), sizeOf(g, x, 1), sizeOf(g, x, 2)]);
	return dropout(g, linear(g, at, `${name}.out`, { ...joined, shape: x.shape }, width, width));
}

/** A dropout that is switched off, as an export in evaluation mode keeps it. */
const dropout = (g, x) => g.op('Dropout', [x, number(g, 0.1), constant(g, 'bool', [], [0])]);

/** x·½·(1 + erf(x/√2)) */
function gelu(g, x) {
	const error = g.op('Erf', [g.op('Div', [x, number(g, Math.SQRT2)])]);
	return g.op('Mul', [g.op('Mul', [x, g.op('Add', [error, number(g, 1)])]), number(g, 0.5)]);
}

export const norm = (g, { parameter }, name, x, width) =>
	g.op('LayerNormalization', [x, parameter(`${name}.weight`, [width], 0, 1), parameter(`${name}.bias`, [width], 0)], { axis: -1 });

/** Two linear layers with GELU between them. */
export const feedForward = (g, at, prefix, x, width) =>
	dropout(g, linear(g, at, `${prefix}down`, gelu(g, linear(g, at, `${prefix}up`, x, width, 4 * width)), 4 * width, width));

/** The graph, the names of its parameters, and the sizes that its symbolic dimensions take. */
export function transformer({ layers, width = 128, heads = 4, time = 64, batch = 16, classes = 10 }) {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	let x = g.input('x', 'float32', ['batch', 'time', width]);
	x = g.op('Add', [x, at.parameter('position', [1, time, width], 0.02)]);
	for (let i = 0; i < layers; i++) {
		const name = `layers.${i}`;
		x = norm(g, at, `${name}.norm1`, g.op('Add', [x, attention(g, at, `${name}.attention`, x, { width, heads })]), width);
		x = norm(g, at, `${name}.norm2`, g.op('Add', [x, feedForward(g, at, `${name}.`, x, width)]), width);
	}
	const pooled = g.op('ReduceMean', [x, constant(g, 'int64', [1], [1])], { keepdims: 0 });
	crossEntropy(g, gemm(g, at, 'head', pooled, width, classes), { batch, classes });
	return { graph: g.build('transformer'), parameters: at.names, dims: { batch, time } };
}
