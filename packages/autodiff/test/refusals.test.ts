import { type Attributes, canonicalise, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { differentiate } from '../src/index.js';
import { bodyOf, node } from './cases/control.js';

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

	it('a Conv whose groups do not divide its channels, which the runtime would find only where it runs', async () => {
		const group = 2 ** 31 - 1;
		await expect(
			gradientOf([4, 3, 1, 1], (g, x) => {
				const image = g.constant('float32', [1, 3, 2, 2], new Array(12).fill(1));
				return g.op('Conv', [image, x], { group, kernel_shape: [1, 1] }, { shape: [1, 4, 2, 2] });
			}),
		).rejects.toMatchObject({
			name: 'GraphError',
			code: 'malformed_model',
			message: expect.stringMatching(
				/^no gradient could be made for node "Conv\S*" \(Conv\).*of the shapes \[1, 3, 2, 2\], \[4, 3, 1, 1\]/,
			),
		});
	});

	it('a value of float16, also in a body', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [3, 2]);
		const body = bodyOf([['float32', [2]]], (b, [row]) => [b.cast(b.op('Tanh', [b.cast(row!, 'float16')]), 'float32')]);
		g.output('loss', g.sumAll(node(g, 'Scan', [x], [['float32', [3, 2]]], { body, num_scan_inputs: 1 })[0]!));
		expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(
			/"body.* is float16, expected float32 or float64.*HALVES/,
		);
	});

	it('a value of bfloat16 that anything but a Cast reads', () => {
		const g = new GraphBuilder();
		const half = g.cast(g.input('x', 'float32', [2]), 'bfloat16');
		g.output('loss', g.sumAll(g.cast(g.mul(half, half), 'float32')));
		expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(/"Cast\S*" is bfloat16, expected float32 or float64/);
	});

	it('a Dropout in training, whose mask nobody could repeat', async () => {
		await expect(gradientOf([2, 3], (g, x) => g.op('Dropout', [x, g.scalar(0.5), g.constant('bool', [], [1])]))).rejects.toThrow(/Dropout/);
	});

	it('a QuantizeLinear to a type that it does not know', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [3]);
		const q = g.op('QuantizeLinear', [x, g.scalar(0.1)], {}, { dtype: 'int32' });
		g.output('loss', g.sumAll(g.op('DequantizeLinear', [q, g.scalar(0.1)], {}, { dtype: 'float32' })));
		expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(/node "QuantizeLinear.*int32, expected uint8/);
	});

	it('an inverse DFT of fewer frequencies than its result has', () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', [1, 3, 2]);
		g.output('loss', g.sumAll(g.op('DFT', [x], { inverse: 1, onesided: 1 }, { shape: [1, 8, 1] })));
		expect(() => differentiate(g.build('f'), { loss: 'loss', wrt: ['x'] })).toThrow(
			/node "DFT.* 8 numbers of 3 frequencies, expected at least 5/,
		);
	});

	it('an operator without a rule in the body of a Scan, with the whole path', async () => {
		const body = bodyOf([['float32', [1, 1, 4, 4]]], (b, [x]) => {
			const regions = b.constant('float32', [1, 5], [0, 0, 0, 3, 3]);
			return [b.op('Tanh', [b.op('MaxRoiPool', [x!, regions], { pooled_shape: [2, 2] }, { shape: [1, 1, 2, 2] })])];
		});
		await expect(
			gradientOf([3, 1, 1, 4, 4], (g, x) => node(g, 'Scan', [x], [['float32', [3, 1, 1, 2, 2]]], { body, num_scan_inputs: 1 })[0]!),
		).rejects.toThrow(/operator MaxRoiPool of node "body.*on the path MaxRoiPool → Tanh.* → Scan → ReduceSum → loss/);
	});

	it('an If whose branch draws random numbers, which would be others on the way back', async () => {
		await expect(
			gradientOf([2], (g, x) => {
				const positive = g.op('Greater', [g.sumAll(x), g.scalar(0)], {}, { dtype: 'bool', shape: [] });
				const [y] = node(g, 'If', [positive], [['float32', [2]]], {
					then_branch: bodyOf([], (b) => [b.mul(x, b.op('RandomNormalLike', [x]))]),
					else_branch: bodyOf([], (b) => [b.exp(x)]),
				});
				return y!;
			}),
		).rejects.toThrow(/node "If.*random numbers by RandomNormalLike of node/);
	});
});
