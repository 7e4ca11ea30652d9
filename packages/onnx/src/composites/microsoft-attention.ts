import type { GraphBuilder } from '../builder.js';
import type { Value } from '../graph.js';
import { joinHeads, splitHeads, turn } from './attention.js';
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

const range = (g: GraphBuilder, count: number, shape: readonly number[], dtype: 'int32' | 'int64' = 'int64'): Value =>
	g.constant(
		dtype,
		shape,
		Array.from({ length: count }, (_, i) => i),
	);

/** Which keys a mask allows, beside the scores [batch, heads, queries, keys]. Masks: lengths [batch], ends and starts [2·batch], or numbers [batch, (queries,) keys]. */
function allowedBy({ g, node }: CompositeContext, mask: Value, batch: number, keys: number): Value {
	const shape = sizes(mask);
	const positive = (): Value => compare(g, 'Greater', mask, g.scalar(0, mask.dtype));
	if (shape.length === 3) return g.reshape(positive(), [shape[0] as number, 1, shape[1] as number, shape[2] as number]);
	if (shape.length === 2) return g.reshape(positive(), [shape[0] as number, 1, 1, shape[1] as number]);
	const places = range(g, keys, [1, 1, 1, keys], 'int32');
	const bound = (from: number): Value => g.reshape(slice(g, mask, 0, from, from + batch), [batch, 1, 1, 1]);
	const wide = { dtype: 'bool', shape: [batch, 1, 1, keys] } as const;
	const before = (): Value => g.op('Less', [places, bound(0)], {}, wide);
	if (shape.length === 1 && shape[0] === batch) return before();
	if (shape.length === 1 && shape[0] === 2 * batch)
		return g.op('And', [before(), g.op('GreaterOrEqual', [places, bound(batch)], {}, wide)]);
	throw unsupported(
		node,
		`has a mask of shape [${shape}] for ${batch} rows of ${keys} keys, expected [${batch}], [${2 * batch}] or [${batch}, …, ${keys}]`,
	);
}

/** softmax(Q·Kᵀ·scale + masks)·V by head; `past` keys come before those of the first query. */
function attend(context: CompositeContext, q: Value, k: Value, v: Value, mask: Value | null, bias: Value | null, past = 0): Value {
	const { g, float, int } = context;
	const [batch = 1, , queries = 1, size = 1] = sizes(q);
	const keys = sizes(k)[2] as number;
	const off = real(g, float('mask_filter_value', -10000), q.dtype);
	const zero = real(g, 0, q.dtype);
	const causal = (): Value => {
		const seen = Array.from({ length: queries * keys }, (_, n) => (n % keys <= past + Math.floor(n / keys) ? 1 : 0));
		const allowed = g.constant('bool', [queries, keys], seen);
		return where(g, allowed, zero, real(g, Number.NEGATIVE_INFINITY, q.dtype), [queries, keys]);
	};
	const allowed = mask && allowedBy(context, mask, batch, keys);
	const terms = [bias, allowed && where(g, allowed, zero, off, sizes(allowed)), int('unidirectional', 0) === 1 ? causal() : null].filter(
		(term) => term !== null,
	);
	const scores = times(g, g.matMul(q, g.transposed(k)), float('scale', 0) || 1 / Math.sqrt(size));
	const weights = g.op('Softmax', [terms.reduce((sum, term) => g.add(sum, term), scores)], { axis: -1 });
	return joinHeads(g, g.matMul(weights, v));
}

function headsOf({ int, node }: CompositeContext, hidden: readonly number[]): number {
	const heads = int('num_heads', 0);
	if (heads < 1 || hidden.some((size) => size % heads !== 0))
		throw unsupported(node, `has the attribute num_heads = ${heads} for sizes [${hidden}], expected a divisor of them`);
	return heads;
}

/** Refuses inputs that only generation token by token has. */
function withoutCache({ node, optional }: CompositeContext, ...places: readonly number[]): void {
	const given = places.find((place) => optional(place) !== null);
	if (given !== undefined)
		throw unsupported(node, `takes past keys and values (input ${given}); export the model without a cache, as for training`);
}

// one product with weights gives queries, keys and values
const selfAttention: Expansion = (context) => {
	const { g, input, optional, int, ints, wants, node } = context;
	withoutCache(context, 4, 6);
	if (wants(1)) throw unsupported(node, 'gives present keys and values; export the model without a cache, as for training');
	if (int('do_rotary', 0) === 1) throw unsupported(node, 'has the attribute do_rotary = 1, expected 0');
	const total = sizes(input(1))[1] as number;
	const hidden = ints('qkv_hidden_sizes') ?? [total / 3, total / 3, total / 3];
	const heads = headsOf(context, hidden);
	const product = g.matMul(input(0), input(1));
	const bias = optional(2);
	const [q, k, v] = g.split(bias ? g.add(product, bias) : product, hidden, 2).map((part) => splitHeads(g, part, heads)) as [
		Value,
		Value,
		Value,
	];
	return [attend(context, q, k, v, optional(3), optional(5))];
};

/** Part `index` of values packed as [batch, sequence, heads, parts, size], as [batch, heads, sequence, size]. */
function unpacked(g: GraphBuilder, packed: Value, index: number): Value {
	const [batch = 1, length = 1, heads = 1, , size = 1] = sizes(packed);
	return g.transpose(g.reshape(slice(g, packed, 3, index, index + 1), [batch, length, heads, size]), [0, 2, 1, 3]);
}

const multiHeadAttention: Expansion = (context) => {
	const { g, input, optional, wants, node } = context;
	withoutCache(context, 8, 9);
	if (wants(3)) throw unsupported(node, 'gives its scores, expected its first three outputs alone');
	const [query, key, value, bias] = [input(0), optional(1), optional(2), optional(3)];
	const flat = [query, key, value].filter((one) => one?.shape.length === 3) as Value[];
	const widths = flat.map((one) => sizes(one)[2] as number);
	const heads = headsOf(context, widths);
	if (bias !== null && flat.length < 3)
		throw unsupported(node, 'has a bias beside packed or split keys, expected queries, keys and values of three dimensions');
	const biases = bias === null ? [] : g.split(bias, widths, 0);
	const split = (one: Value, part: number): Value => {
		if (one.shape.length !== 3) return one;
		return splitHeads(g, biases[part] ? g.add(one, biases[part]) : one, heads);
	};
	const q = query.shape.length === 5 ? unpacked(g, query, 0) : split(query, 0);
	const k = key === null ? unpacked(g, query, 1) : key.shape.length === 5 ? unpacked(g, key, 0) : split(key, 1);
	const v = value === null ? unpacked(g, key ?? query, key === null ? 2 : 1) : split(value, 2);
	const [pastKeys, pastValues] = [optional(6), optional(7)];
	const past = pastKeys ? (sizes(pastKeys)[2] as number) : 0;
	const keys = pastKeys ? g.concat([pastKeys, k], 2) : k;
	const values = pastValues ? g.concat([pastValues, v], 2) : v;
	return [attend(context, q, keys, values, optional(4), optional(5), past), wants(1) ? keys : null, wants(2) ? values : null];
};

// positions are numbers of rows in the tables [positions, pairs]: one for the first place of all rows, or one by place
const rotaryEmbedding: Expansion = (context) => {
	const { g, input, int, float, node } = context;
	if (int('is_packed_batching', 0) === 1 || float('scale', 1) !== 1)
		throw unsupported(node, 'has the attribute is_packed_batching or scale, expected neither');
	const [x, positions, cosines, sines] = [input(0), input(1), input(2), input(3)];
	const half = sizes(cosines)[1] as number;
	const flat = x.shape.length === 3;
	const heads = flat ? splitHeads(g, x, int('num_heads', 0) || (sizes(x)[2] as number) / (2 * half)) : x;
	const [batch = 1, , length = 1] = sizes(heads);
	const each = positions.shape.length === 2;
	const at = each ? positions : g.add(positions, range(g, length, [length]));
	const angle = (table: Value): Value =>
		g.reshape(g.op('Gather', [table, at], { axis: 0 }, { shape: [...at.shape, half] }), [each ? batch : 1, 1, length, half]);
	const y = turn(g, heads, angle(cosines), angle(sines), int('interleaved', 0) === 1);
	return [flat ? joinHeads(g, y) : y];
};

export const microsoftAttentions: Expansions = {
	'com.microsoft.Attention': selfAttention,
	'com.microsoft.MultiHeadAttention': multiHeadAttention,
	'com.microsoft.RotaryEmbedding': rotaryEmbedding,
};
