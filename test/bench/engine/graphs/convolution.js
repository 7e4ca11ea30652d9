// A small convolutional classifier of 32×32 images: three convolutions with ReLU, two maximum pools, a global average and a linear head.
import { GraphBuilder } from '../../../../packages/onnx/dist/index.js';
import { constant, crossEntropy, gemm, parametersOf } from './parts.js';

export function convolution({ batch = 32, size = 32, classes = 10 } = {}) {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	let x = g.input('x', 'float32', ['batch', 3, size, size]);
	let from = 3;
	for (const [i, to] of [16, 32, 64].entries()) {
		const bound = (9 * from) ** -0.5;
		const kernel = at.parameter(`convolutions.${i}.weight`, [to, from, 3, 3], bound);
		const bias = at.parameter(`convolutions.${i}.bias`, [to], bound);
		const window = { dilations: [1, 1], group: 1, kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] };
		x = g.op('Relu', [g.op('Conv', [x, kernel, bias], window)]);
		if (i < 2) x = g.op('MaxPool', [x], { ceil_mode: 0, dilations: [1, 1], kernel_shape: [2, 2], pads: [0, 0, 0, 0], strides: [2, 2] });
		from = to;
	}
	const pooled = g.op('Reshape', [g.op('GlobalAveragePool', [x]), constant(g, 'int64', [2], [0, -1])]);
	crossEntropy(g, gemm(g, at, 'head', pooled, 64, classes), { batch, classes });
	return { graph: g.build('convolution'), parameters: at.names, dims: { batch } };
}
