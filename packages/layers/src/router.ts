import { exactly, type ForwardContext, type ParameterSpec, parameterSpec } from '@steelyard/family';
import type { Value } from '@steelyard/onnx';
import { meanOver } from './mean-over.js';

/** How well an expert of vector w fits a token x: x·w, −‖x − w‖ or −‖x − w‖²/2. */
export type Gate = 'softmax' | 'laplace' | 'gaussian';

export type RouterSize = {
	readonly experts: number;
	/** To how many experts a token is routed, 1 to `experts`. */
	readonly topK: number;
	readonly gate: Gate;
	/** Whether training adds noise to the scores. */
	readonly noisy: boolean;
};

/** The experts to which each of `n` tokens is routed. */
export type Choice = {
	/** `[n, topK]` int64: the numbers of the experts, the best first. */
	readonly index: Value;
	/** `[n, topK]`: their shares in the output, which sum to 1. */
	readonly shares: Value;
};

/** A choice, and how evenly the router uses the experts. */
export type Routing = Choice & {
	/** `[n, experts]`: 1/topK for each expert to which the token is routed, else 0. */
	readonly use: Value;
	/** A scalar: experts · Σ_e f_e·p_e, the load-balance loss. */
	readonly imbalance: Value;
};

/**
 * `<name>.weight` `[width, experts]`, one column per expert; with noise also `<name>.noise` of that shape, which starts as zeros. Their products are exact, as in Switch
 * Transformers (Fedus et al. 2022, § 2.4): a rounding may send a token elsewhere, and a distance is a difference of large numbers.
 */
export const routerParameters = (name: string, width: number, { experts, noisy }: RouterSize): ParameterSpec[] =>
	exactly([
		parameterSpec(`${name}.weight`, [width, experts], { uniform: 1 / Math.sqrt(width) }),
		...(noisy ? [parameterSpec(`${name}.noise`, [width, experts], { constant: 0 })] : []),
	]);

/** Smaller square distances are raised to this: at 0 the root has no gradient. */
const NEAR = 1e-12;

/** Scores `[n, experts]`, up to one number per token, which changes neither the choice nor the shares. */
function scoresOf({ g, parameter }: ForwardContext, x: Value, name: string, gate: Gate): Value {
	const w = parameter(`${name}.weight`);
	if (gate === 'softmax') return g.gemm(x, w);
	const squares = g.reduceSum(g.mul(w, w), [0]);
	// −‖x − w‖²/2 = x·w − ‖w‖²/2 − ‖x‖²/2
	if (gate === 'gaussian') return g.gemm(x, w, g.scale(-0.5, squares));
	const distance = g.add(g.gemm(x, w, squares, { alpha: -2 }), g.reduceSum(g.mul(x, x), [1]));
	return g.neg(g.op('Sqrt', [g.op('Clip', [distance, g.scalar(NEAR)])]));
}

/**
 * Sparse routing of tokens x `[n, width]`: each is routed to the `topK` experts with the best scores; its shares are the softmax over these scores alone. In training
 * the scores get noise of a learned deviation, softplus(x·`<name>.noise`) (noisy top-k gating, Shazeer et al. 2017, eq. 4).
 *
 * The imbalance is the loss of Fedus et al. 2022 (Switch Transformers, eq. 4) for `topK` choices: experts · Σ_e f_e·p_e, with f_e the share of the choices that fall
 * on expert e, which has no gradient, and p_e the mean over the tokens of the softmax over all scores. It is 1 where all experts are used alike. Tokens that `there`
 * `[n, 1]` leaves out by 0 do not count in it.
 */
export function route(
	context: ForwardContext,
	x: Value,
	name: string,
	{ experts, topK, gate, noisy }: RouterSize,
	there: Value | null = null,
): Routing {
	const { g, parameter } = context;
	const clean = scoresOf(context, x, name, gate);
	const noise = noisy ? context.noise(clean.shape as number[]) : null;
	const spread = (): Value => g.op('Softplus', [g.gemm(x, parameter(`${name}.noise`))]);
	const scores = noise === null ? clean : g.add(clean, g.mul(noise, spread()));
	const rows = scores.shape[0] as number | string;
	const best = g.fresh('best', scores.dtype, [rows, topK]);
	const index = g.fresh('expert', 'int64', [rows, topK]);
	g.node('TopK', [scores, g.ints([topK])], [best, index], { axis: 1 });
	const hot = g.op(
		'OneHot',
		[index, g.ints([experts]), g.constant('float32', [2], [0, 1 / topK])],
		{ axis: -1 },
		{
			dtype: 'float32',
			shape: [rows, topK, experts],
		},
	);
	const use = g.reduceSum(hot, [1], false);
	const mean = (value: Value): Value => (there === null ? g.reduce('ReduceMean', value, [0]) : meanOver(g, value, there, 0));
	return {
		index,
		shares: g.op('Softmax', [best], { axis: 1 }),
		use,
		imbalance: g.scale(experts, g.sumAll(g.mul(mean(use), mean(g.op('Softmax', [scores], { axis: 1 }))))),
	};
}
