import { type Attributes, canonicalise, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';

/** Differentiates Σ of what `build` makes of x. */
async function gradientOf(shape: number[], build: (g: GraphBuilder, x: Value) => Value): Promise<void> {
	const g = new GraphBuilder();
	g.output('loss', g.sumAll(build(g, g.input('x', 'float32', shape))));
	differentiate(await canonicalise({ graph: g.build('f'), opset: OPSET }), { loss: 'loss', wrt: ['x'] });
}

describe('differentiation refuses, by the name of the node,', () => {
	it.each(['AveragePool', 'MaxPool'])('a %s whose last window begins behind its input', async (op) => {
		const attributes: Attributes = { kernel_shape: [3], strides: [2], pads: [2, 2], ceil_mode: 1 };
		await expect(gradientOf([1, 1, 6], (g, x) => g.op(op, [x], attributes, { shape: [1, 1, 5] }))).rejects.toThrow(
			new RegExp(`node "${op}.*begins behind its input`),
		);
	});

	it('a Dropout in training, whose mask nobody could repeat', async () => {
		await expect(gradientOf([2, 3], (g, x) => g.op('Dropout', [x, g.scalar(0.5), g.constant('bool', [], [1])]))).rejects.toThrow(/Dropout/);
	});

	it('a loss of the running statistics of a BatchNormalization', async () => {
		await expect(
			gradientOf([4, 3], (g, x) => {
				const ones = g.constant('float32', [3], [1, 1, 1]);
				const outputs = [[4, 3], [3], [3]].map((shape, i) => ({ name: `bn.${i}`, dtype: 'float32' as const, shape }));
				g.node('BatchNormalization', [x, ones, ones, ones, ones], outputs, { training_mode: 1 });
				return outputs[1]!;
			}),
		).rejects.toThrow(/running statistics of node "BatchNormalization/);
	});
});
