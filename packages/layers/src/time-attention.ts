import type { ForwardContext, ParameterSpec } from '@steelyard/family';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { softmaxOverKeys, splitHeads, zerosWithoutKeys } from './attention.js';
import { linearParameters, linearPerToken } from './linear.js';

/** Evenly spread times have mean 0 and deviation 1 when they run from −√3 to √3. */
const REACH = Math.sqrt(3);

/** `count` evenly spread times from −√3 to √3, as standardisation makes them: `[1, count]`. One time alone is 0. */
export const evenTimes = (g: GraphBuilder, count: number): Value =>
	g.constant(
		'float32',
		[1, count],
		Array.from({ length: count }, (_, i) => (count === 1 ? 0 : REACH * ((2 * i) / (count - 1) - 1))),
	);

export type TimeAttentionSize = {
	/** Features of a step. */
	readonly features: number;
	/** Width of the time embedding; the heads must divide it. */
	readonly timeWidth: number;
	readonly heads: number;
	/** Width of the result. */
	readonly width: number;
};

/** `<name>.time` 1 → timeWidth, `<name>.query` and `.key` timeWidth → timeWidth, `<name>.output` heads·features → width. */
export const timeAttentionParameters = (name: string, { features, timeWidth, heads, width }: TimeAttentionSize): ParameterSpec[] => [
	...linearParameters(`${name}.time`, 1, timeWidth),
	...linearParameters(`${name}.query`, timeWidth, timeWidth),
	...linearParameters(`${name}.key`, timeWidth, timeWidth),
	...linearParameters(`${name}.output`, heads * features, width),
];

/** φ(t) of times `[batch, steps]`: the first component of t·ω + α as it is, and the sines of the others; `[batch, steps, timeWidth]`. */
function timeEmbedding(context: ForwardContext, times: Value, name: string): Value {
	const { g } = context;
	const [batch, steps] = times.shape as [Dim, number];
	const phases = linearPerToken(context, g.reshape(times, [batch, steps, 1]), `${name}.time`);
	const width = phases.shape[2] as number;
	if (width === 1) return phases;
	const [trend, waves] = g.split(phases, [1, width - 1], 2) as [Value, Value];
	return g.concat([trend, g.op('Sin', [waves])], 2);
}

export type TimeAttentionInputs = {
	/** `[batch, steps, features]`. */
	readonly values: Value;
	/** The times of the steps, `[batch, steps]`, or `[1, steps]` where they are those of all rows. */
	readonly times: Value;
	/** `[batch, steps]` of 0 and 1: whether each step was observed; null where all were. */
	readonly mask: Value | null;
};

/**
 * Time attention (mTAND, Shukla & Marlin 2021, eq. 3 and 4): the observed steps as seen from `points` reference times r, which are evenly spread from −√3 to √3;
 * `[batch, points, width]`. The attention of head h is the softmax over the steps of φ(r)·W_h·(φ(t)·V_h)ᵀ/√size. Each head averages every feature by its attention, and a
 * linear layer joins heads and features. A row without any step gets zeros.
 */
export function timeAttention(
	context: ForwardContext,
	{ values, times, mask }: TimeAttentionInputs,
	name: string,
	{ heads, points }: { readonly heads: number; readonly points: number },
): Value {
	const { g } = context;
	const part = (of: Value, layer: string): Value =>
		splitHeads(g, linearPerToken(context, timeEmbedding(context, of, name), `${name}.${layer}`), heads);
	const [q, k] = [part(evenTimes(g, points), 'query'), part(times, 'key')];
	const [batch, steps, features] = values.shape as [Dim, number, number];
	const scores = g.matMul(g.scale(1 / Math.sqrt(q.shape[3] as number), q), g.transposed(k));
	// heads and points side by side: the values have no heads
	const flat = g.reshape(scores, [scores.shape[0] as Dim, heads * points, steps]);
	const looks = softmaxOverKeys(g, flat, mask === null ? null : g.reshape(mask, [batch, 1, steps]));
	const averages = g.reshape(g.matMul(looks, values), [batch, heads, points, features]);
	const joined = g.reshape(g.transpose(averages, [0, 2, 1, 3]), [batch, points, heads * features]);
	return zerosWithoutKeys(g, linearPerToken(context, joined, `${name}.output`), mask);
}
