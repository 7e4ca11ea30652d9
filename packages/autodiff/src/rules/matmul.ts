import type { Value } from '@steelyard/onnx';
import type { Rules } from '../rule.js';

export const matmul: Rules = {
	// Vectors are not supported as operands: exporters write matrices.
	MatMul: ({ a, b, dy, g, needs }) => [
		needs[0] ? g.sumTo(a.shape, g.matMul(dy, g.transposed(b))) : null,
		needs[1] ? g.sumTo(b.shape, g.matMul(g.transposed(a), dy)) : null,
	],

	// y = α·A'B' + β·C
	Gemm: ({ a, b, c, dy, g, needs, int, float }) => {
		const alpha = float('alpha', 1);
		const beta = float('beta', 1);
		const transA = int('transA', 0) === 1;
		const transB = int('transB', 0) === 1;
		const da = (): Value =>
			transA ? g.gemm(b, dy, null, { transA: transB, transB: true, alpha }) : g.gemm(dy, b, null, { transB: !transB, alpha });
		const db = (): Value =>
			transB ? g.gemm(dy, a, null, { transA: true, transB: transA, alpha }) : g.gemm(a, dy, null, { transA: !transA, alpha });
		const dc = (bias: Value): Value => {
			const summed = g.sumTo(bias.shape, dy);
			return beta === 1 ? summed : g.scale(beta, summed);
		};
		return [needs[0] ? da() : null, needs[1] ? db() : null, c !== null && needs[2] ? dc(c) : null];
	},
};
