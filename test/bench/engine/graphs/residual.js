// ResNet-18 in the form for images of 32×32: a 3×3 stem without pooling, four stages of two blocks of 64 to 512 channels, batch normalisation on the statistics of the batch.
import { GraphBuilder } from '../../../../packages/onnx/dist/index.js';
import { tensor } from '../../../../packages/runtime/dist/index.js';
import { constant, crossEntropy, gemm, parametersOf } from './parts.js';

function convolution(g, at, name, x, { from, to, size, stride }) {
	const kernel = at.parameter(`${name}.weight`, [to, from, size, size], (from * size * size) ** -0.5);
	const edge = (size - 1) / 2;
	const window = {
		...{ dilations: [1, 1], group: 1, kernel_shape: [size, size] },
		...{ pads: [edge, edge, edge, edge], strides: [stride, stride] },
	};
	return g.op('Conv', [x, kernel], window);
}

/** Batch normalisation in training form; the running statistics, which no step of a race reads, stay as they are. */
function norm(g, at, name, x, width) {
	const [scale, bias] = [at.parameter(`${name}.weight`, [width], 0, 1), at.parameter(`${name}.bias`, [width], 0)];
	const still = (statistic, value) =>
		g.initializer(`${name}.${statistic}`, tensor('float32', [width], new Float32Array(width).fill(value)));
	const [mean, variance] = [still('mean', 0), still('variance', 1)];
	const y = g.fresh('norm', 'float32', x.shape);
	const statistics = [g.fresh('mean', 'float32', [width]), g.fresh('variance', 'float32', [width])];
	// epsilon is 1e-5 unless given, as in PyTorch
	g.node('BatchNormalization', [x, scale, bias, mean, variance], [y, ...statistics], { training_mode: 1 });
	return y;
}

function block(g, at, name, x, { from, to, stride }) {
	const first = norm(g, at, `${name}.norm1`, convolution(g, at, `${name}.conv1`, x, { from, to, size: 3, stride }), to);
	const second = convolution(g, at, `${name}.conv2`, g.op('Relu', [first]), { from: to, to, size: 3, stride: 1 });
	const y = norm(g, at, `${name}.norm2`, second, to);
	const same = from === to && stride === 1;
	const past = same ? x : norm(g, at, `${name}.norm3`, convolution(g, at, `${name}.past`, x, { from, to, size: 1, stride }), to);
	return g.op('Relu', [g.op('Add', [y, past])]);
}

export function residual({ batch = 16, size = 32, classes = 10 } = {}) {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	let x = g.input('x', 'float32', ['batch', 3, size, size]);
	x = g.op('Relu', [norm(g, at, 'stem.norm', convolution(g, at, 'stem.conv', x, { from: 3, to: 64, size: 3, stride: 1 }), 64)]);
	let from = 64;
	for (const [stage, to] of [64, 128, 256, 512].entries())
		for (const i of [0, 1]) {
			x = block(g, at, `stages.${stage}.${i}`, x, { from, to, stride: stage > 0 && i === 0 ? 2 : 1 });
			from = to;
		}
	const pooled = g.op('Reshape', [g.op('GlobalAveragePool', [x]), constant(g, 'int64', [2], [0, -1])]);
	crossEntropy(g, gemm(g, at, 'head', pooled, 512, classes), { batch, classes });
	return { graph: g.build('residual'), parameters: at.names, dims: { batch } };
}
