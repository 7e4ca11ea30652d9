import type { DType } from '@steelyard/runtime';
import type { GraphBuilder } from '../builder.js';
import { dtypeOf } from '../data-types.js';
import { positiveAxis, type Value } from '../graph.js';
import {
	type CompositeContext,
	compare,
	type Expansion,
	type Expansions,
	real,
	sizes,
	slice,
	times,
	unsupported,
	where,
} from './composite.js';

/** [batch, sequence, heads·size] as [batch, heads, sequence, size]. */
export function splitHeads(g: GraphBuilder, x: Value, heads: number): Value {
	const [batch = 1, length = 1, hidden = 1] = sizes(x);
	return g.transpose(g.reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, sequence, size] as [batch, sequence, heads·size]. */
export function joinHeads(g: GraphBuilder, x: Value): Value {
	const [batch = 1, heads = 1, length = 1, size = 1] = sizes(x);
	return g.reshape(g.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** Every head `repeats` times: head i of the result is head ⌊i/repeats⌋ of x. */
function repeatHeads(g: GraphBuilder, x: Value, repeats: number): Value {
	const [batch = 1, heads = 1, length = 1, size = 1] = sizes(x);
	if (repeats === 1) return x;
	const spread = g.expand(g.reshape(x, [batch, heads, 1, length, size]), [batch, heads, repeats, length, size]);
	return g.reshape(spread, [batch, heads * repeats, length, size]);
}

const minusInfinity = (g: GraphBuilder, dtype: DType): Value => real(g, Number.NEGATIVE_INFINITY, dtype);

/** 0 where `allowed`, −∞ elsewhere. */
const biasOf = (g: GraphBuilder, allowed: Value, dtype: DType): Value =>
	where(g, allowed, real(g, 0, dtype), minusInfinity(g, dtype), sizes(allowed));

/** The given mask as a bias of the scores, filled with −∞ up to `length` keys. */
function maskBias(g: GraphBuilder, mask: Value, dtype: DType, length: number): Value {
	const bias = mask.dtype === 'bool' ? biasOf(g, mask, dtype) : g.cast(mask, dtype);
	const shape = sizes(bias);
	const missing = length - (shape.at(-1) ?? 1);
	if (missing <= 0 || shape.at(-1) === 1) return bias;
	const rest = g.expand(minusInfinity(g, dtype), [...shape.slice(0, -1), missing]);
	return g.concat([bias, rest], shape.length - 1);
}

/** 0 where query i may look at key j by their places, of which i counts from `offset`, else −∞: [queries, keys], or [batch, 1, queries, keys] for an offset per row. */
function placeBias({ g, int }: CompositeContext, queries: number, keys: number, offset: number | Value, dtype: DType): Value | null {
	const causal = int('is_causal', 0) === 1;
	const left = int('left_window_size', -1);
	const right = causal ? 0 : int('right_window_size', -1);
	if (left < 0 && right < 0) return null;
	// j − i, to be compared with the offset
	const distance = g.constant(
		'int64',
		[queries, keys],
		Array.from({ length: queries * keys }, (_, n) => (n % keys) - Math.floor(n / keys)),
	);
	const from = typeof offset === 'number' ? g.scalar(offset, 'int64') : g.reshape(offset, [sizes(offset)[0] ?? 1, 1, 1, 1]);
	const beyond = g.sub(distance, from);
	const bounds = [
		...(right >= 0 ? [compare(g, 'LessOrEqual', beyond, g.scalar(right, 'int64'))] : []),
		...(left >= 0 ? [compare(g, 'GreaterOrEqual', beyond, g.scalar(-left, 'int64'))] : []),
	];
	return biasOf(
		g,
		bounds.reduce((a, b) => g.op('And', [a, b])),
		dtype,
	);
}

/** Everything that is added to the scores; null where that is nothing. */
function scoreBias(context: CompositeContext, queries: number, keys: number, dtype: DType): Value | null {
	const { g, optional } = context;
	const [mask, past, filled] = [optional(3), optional(4), optional(6)];
	const filledLengths = filled && g.cast(filled, 'int64');
	const offset = past ? (sizes(past)[2] as number) : filledLengths ? g.sub(filledLengths, g.scalar(queries, 'int64')) : 0;
	const places = placeBias(context, queries, keys, offset, dtype);
	const index = () =>
		g.constant(
			'int64',
			[keys],
			Array.from({ length: keys }, (_, n) => n),
		);
	const padding = () => {
		const batch = sizes(filledLengths as Value)[0] as number;
		const inside = g.op(
			'Less',
			[index(), g.reshape(filledLengths as Value, [batch, 1, 1, 1])],
			{},
			{ dtype: 'bool', shape: [batch, 1, 1, keys] },
		);
		return biasOf(g, inside, dtype);
	};
	const terms = [mask ? maskBias(g, mask, dtype, keys) : null, places, filled ? padding() : null].filter((term) => term !== null);
	return terms.length === 0 ? null : terms.reduce((a, b) => g.add(a, b));
}

/** Softmax over the keys; a query that may look at no key gets zeros, not NaN. */
function weigh(g: GraphBuilder, scores: Value, bias: Value | null, dtype: DType): Value {
	const softmax = (x: Value): Value => g.cast(g.op('Softmax', [g.cast(x, dtype)], { axis: -1 }), scores.dtype);
	if (bias === null) return softmax(scores);
	const highest = g.reduce('ReduceMax', bias, [bias.shape.length - 1]);
	const blind = compare(g, 'Equal', highest, minusInfinity(g, bias.dtype));
	const zero = real(g, 0, scores.dtype);
	return where(g, blind, zero, softmax(where(g, blind, zero, scores, sizes(scores))), sizes(scores));
}

// softmax(Q·Kᵀ·scale + bias)·V by head (Vaswani et al. 2017), with the variants of ONNX operator sets 23 to 25
const attention: Expansion = (context) => {
	const { g, input, optional, int, float, wants, node } = context;
	const flat = input(0).shape.length === 3;
	const heads = (index: number, name: string): Value => {
		if (!flat) return input(index);
		const count = int(name, 0);
		const hidden = sizes(input(index))[2] as number;
		if (count < 1 || hidden % count !== 0)
			throw unsupported(node, `has the attribute ${name} = ${count} for inputs of size ${hidden}, expected a divisor of it`);
		return splitHeads(g, input(index), count);
	};
	const q = heads(0, 'q_num_heads');
	const withPast = (past: Value | null, now: Value): Value => (past ? g.concat([past, now], 2) : now);
	const k = withPast(optional(4), heads(1, 'kv_num_heads'));
	const v = withPast(optional(5), heads(2, 'kv_num_heads'));
	const [, queryHeads = 1, queries = 1, size = 1] = sizes(q);
	const [, keyHeads = 1, keys = 1] = sizes(k);
	if (queryHeads % keyHeads !== 0)
		throw unsupported(node, `has ${queryHeads} heads of queries for ${keyHeads} of keys, expected a multiple`);

	const root = Math.sqrt(float('scale', 1 / Math.sqrt(size)));
	const raw = g.matMul(times(g, q, root), g.transposed(times(g, repeatHeads(g, k, queryHeads / keyHeads), root)));
	const cap = float('softcap', 0);
	const capped = cap > 0 ? times(g, g.op('Tanh', [times(g, raw, 1 / cap)]), cap) : raw;
	const bias = scoreBias(context, queries, keys, q.dtype);
	const biased = bias === null ? capped : g.add(capped, bias);
	const precision = dtypeOf(int('softmax_precision', 0)) ?? q.dtype;
	const weights = weigh(g, biased, bias, precision);
	const y = g.matMul(weights, repeatHeads(g, v, queryHeads / keyHeads));

	const mode = int('qk_matmul_output_mode', 0);
	const scores = [raw, capped, biased, weights][mode];
	if (scores === undefined) throw unsupported(node, `has the attribute qk_matmul_output_mode = ${mode}, expected 0 to 3`);
	return [flat ? joinHeads(g, y) : y, wants(1) ? k : null, wants(2) ? v : null, wants(3) ? scores : null];
};

/**
 * Pairs of numbers of x `[batch, heads, sequence, size]` turned by the angle of their position (Su et al. 2021), neighbours where `interleaved`; what lies beyond the
 * pairs that cosine and sine `[…, sequence, pairs]` give stays.
 */
export function turn(g: GraphBuilder, x: Value, cosine: Value, sine: Value, interleaved: boolean): Value {
	const size = sizes(x)[3] as number;
	const half = sizes(cosine).at(-1) as number;
	const turned = 2 * half;
	const [a, b] = interleaved
		? [slice(g, x, 3, 0, turned, 2), slice(g, x, 3, 1, turned, 2)]
		: [slice(g, x, 3, 0, half), slice(g, x, 3, half, turned)];
	const first = g.sub(g.mul(cosine, a), g.mul(sine, b));
	const second = g.add(g.mul(sine, a), g.mul(cosine, b));
	const apart = (value: Value): Value => g.reshape(value, [...sizes(value), 1]);
	const pairs = interleaved
		? g.reshape(g.concat([apart(first), apart(second)], 4), [...sizes(first).slice(0, 3), turned])
		: g.concat([first, second], 3);
	return turned === size ? pairs : g.concat([pairs, slice(g, x, 3, turned, size)], 3);
}

const rotaryEmbedding: Expansion = ({ g, input, optional, int, node }) => {
	const x = input(0);
	const flat = x.shape.length === 3;
	const count = int('num_heads', 0);
	if (flat && (count < 1 || (sizes(x)[2] as number) % count !== 0))
		throw unsupported(node, `has the attribute num_heads = ${count} for inputs of size ${x.shape[2]}, expected a divisor of it`);
	const heads = flat ? splitHeads(g, x, count) : x;
	const [batch = 1, , length = 1, size = 1] = sizes(heads);
	const half = (int('rotary_embedding_dim', 0) || size) / 2;
	const angle = (cache: Value): Value => {
		const positions = optional(3);
		const chosen = positions ? g.op('Gather', [cache, positions], { axis: 0 }, { shape: [...positions.shape, half] }) : cache;
		return g.reshape(chosen, [batch, 1, length, half]);
	};
	const y = turn(g, heads, angle(input(1)), angle(input(2)), int('interleaved', 0) === 1);
	return [flat ? joinHeads(g, y) : y];
};

// writes `update` into the cache, in each row of the batch from a place of its own on
const tensorScatter: Expansion = ({ g, input, optional, int, text, node }) => {
	const [cache, update] = [input(0), input(1)];
	const axis = positiveAxis(int('axis', -2), cache.shape.length);
	const mode = text('mode', 'linear');
	if (mode !== 'linear' && mode !== 'circular')
		throw unsupported(node, `has the attribute mode = "${mode}", expected "linear" or "circular"`);
	const shape = sizes(update);
	const along = (size: number, at: number): number[] => shape.map((_, i) => (i === at ? size : 1));
	const [batch = 1] = shape;
	const written = shape[axis] as number;
	const steps = g.constant(
		'int64',
		along(written, axis),
		Array.from({ length: written }, (_, n) => n),
	);
	const first = optional(2);
	const start = first ? g.reshape(g.cast(first, 'int64'), along(batch, 0)) : g.scalar(0, 'int64');
	const places = g.add(start, steps);
	const wrapped = mode === 'circular' ? g.op('Mod', [places, g.scalar(sizes(cache)[axis] as number, 'int64')]) : places;
	return [g.op('ScatterElements', [cache, g.expand(wrapped, shape), update], { axis })];
};

export const attentions: Expansions = { Attention: attention, RotaryEmbedding: rotaryEmbedding, TensorScatter: tensorScatter };
