// A vision transformer of one block: a convolution cuts the image into patches, then LayerNormalization before attention and before the two linear layers, as ViT has it.
import { GraphBuilder } from '../../../../packages/onnx/dist/index.js';
import { constant, crossEntropy, gemm, parametersOf } from './parts.js';
import { attention, feedForward, norm } from './transformer.js';

export function vitBlock({ batch = 16, size = 32, patch = 4, width = 192, heads = 3, classes = 10 } = {}) {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	const time = (size / patch) ** 2;
	const image = g.input('x', 'float32', ['batch', 3, size, size]);
	const bound = (3 * patch ** 2) ** -0.5;
	const kernel = at.parameter('patches.weight', [width, 3, patch, patch], bound);
	const window = { dilations: [1, 1], group: 1, kernel_shape: [patch, patch], pads: [0, 0, 0, 0], strides: [patch, patch] };
	const cut = g.op('Conv', [image, kernel, at.parameter('patches.bias', [width], bound)], window);
	const flat = g.op('Reshape', [cut, constant(g, 'int64', [3], [0, width, time])]);
	let x = { ...g.op('Transpose', [flat], { perm: [0, 2, 1] }), shape: ['batch', time, width] };
	x = { ...g.op('Add', [x, at.parameter('position', [1, time, width], 0.02)]), shape: x.shape };
	x = { ...g.op('Add', [x, attention(g, at, 'attention', norm(g, at, 'norm1', x, width), { width, heads })]), shape: x.shape };
	x = { ...g.op('Add', [x, feedForward(g, at, '', norm(g, at, 'norm2', x, width), width)]), shape: x.shape };
	const pooled = g.op('ReduceMean', [norm(g, at, 'norm', x, width), constant(g, 'int64', [1], [1])], { keepdims: 0 });
	crossEntropy(g, gemm(g, at, 'head', pooled, width, classes), { batch, classes });
	return { graph: g.build('vit'), parameters: at.names, dims: { batch } };
}
