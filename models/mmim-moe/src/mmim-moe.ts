import type { MmimMoeConfig } from '@steelyard/contracts';
import type { Family, ForwardContext, ModalityShape, ParameterSpec, WeightedEmbedding } from '@steelyard/family';
import {
	attention,
	attentionParameters,
	encodeSequence,
	expertParameters,
	gelu,
	layerNorm,
	layerNormParameters,
	linear,
	linearParameters,
	mixtureOfExperts,
	type RouterSize,
	type Routing,
	route,
	routerParameters,
	sequenceParameters,
	sequenceWidth,
} from '@steelyard/layers';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import { convolution, convolutionParameters } from './convolution.js';

/** The feed-forward network is so many times as wide as the model. */
const WIDER = 4;

const routerSize = ({ experts, top_k, gate, noisy }: MmimMoeConfig): RouterSize => ({
	experts,
	topK: Math.min(top_k, experts),
	gate,
	noisy,
});
const expertsSize = ({ experts, expert_hidden }: MmimMoeConfig) => ({ experts, hidden: expert_hidden });

/** The routers of a layer, each with the names of the modalities whose embeddings it routes. */
const routersOf = (
	{ router }: MmimMoeConfig,
	modalities: readonly string[],
): ReadonlyArray<{ name: string; modalities: readonly string[] }> =>
	router === 'joint' ? [{ name: 'joint', modalities }] : modalities.map((name) => ({ name, modalities: [name] }));

/** What each set of experts of a layer is called. */
const expertSetsOf = (config: MmimMoeConfig, layer: string, modalities: readonly string[]): string[] =>
	config.router === 'disjoint' ? modalities.map((name) => `${layer}.expert.${name}`) : [`${layer}.expert`];

function layerParameters(config: MmimMoeConfig, layer: string, modalities: readonly string[]): ParameterSpec[] {
	const { width, block } = config;
	return [
		...(block === 'attention' ? attentionParameters(`${layer}.attention`, width) : convolutionParameters(`${layer}.conv`, width)),
		...layerNormParameters(`${layer}.norm`, width),
		...routersOf(config, modalities).flatMap(({ name }) => routerParameters(`${layer}.router.${name}`, width, routerSize(config))),
		...expertSetsOf(config, layer, modalities).flatMap((name) => expertParameters(name, width, expertsSize(config))),
		...layerNormParameters(`${layer}.feed_forward.norm`, width),
		...linearParameters(`${layer}.feed_forward.up`, width, WIDER * width),
		...linearParameters(`${layer}.feed_forward.down`, WIDER * width, width),
	];
}

/** Embeddings of all modalities, `[batch, modalities, width]`. */
type Tokens = Value;

const rowsOf = ({ shape: [batch, count] }: Tokens): Dim => {
	if (count === 1) return batch as Dim;
	return typeof batch === 'number' ? batch * (count as number) : `${batch}*${count}`;
};

/** Tokens as a matrix, one a row. */
const flat = (g: GraphBuilder, x: Tokens): Value => g.reshape(x, [rowsOf(x), x.shape[2] as Dim]);

/** `[batch, modalities, n]` in parts of one modality, `[batch, n]`. */
function byModality(g: GraphBuilder, x: Value): Value[] {
	const [batch, count, width] = x.shape as [Dim, number, Dim];
	return g.split(x, new Array<number>(count).fill(1), 1).map((part) => g.reshape(part, [batch, width]));
}

/** `[batch, n]` a modality → `[batch, modalities, n]`. */
function stacked(g: GraphBuilder, parts: readonly Value[]): Value {
	const column = (part: Value): Value => g.reshape(part, [part.shape[0] as Dim, 1, part.shape[1] as Dim]);
	return parts.length === 1 ? column(parts[0] as Value) : g.concat(parts.map(column), 1);
}

type Mixed = { readonly y: Tokens; readonly imbalance: Value[]; readonly use: Array<readonly [router: string, use: Value]> };

/** The experts of a layer: what they make of the tokens, the imbalance of each router, and `[batch, experts]` how much it uses each. */
function experts(context: ForwardContext, config: MmimMoeConfig, x: Tokens, layer: string, modalities: readonly string[]): Mixed {
	const { g } = context;
	const size = expertsSize(config);
	const routers = routersOf(config, modalities);
	const sets = expertSetsOf(config, layer, modalities);
	const [batch, count, width] = x.shape as [Dim, number, number];
	const parts = routers.length === 1 ? [flat(g, x)] : byModality(g, x);
	const routings = routers.map(({ name }, r) => route(context, parts[r] as Value, `${layer}.router.${name}`, routerSize(config)));
	const useOf = ({ use }: Routing, tokens: number): Value =>
		tokens === 1 ? use : g.reduce('ReduceMean', g.reshape(use, [batch, tokens, size.experts]), [1], false);
	const joined = (of: (routing: Routing) => Value): Value => {
		const all = routings.map(of);
		return all.length === 1 ? (all[0] as Value) : flat(g, stacked(g, all));
	};
	const y =
		sets.length > 1
			? stacked(
					g,
					sets.map((name, m) => mixtureOfExperts(context, parts[m] as Value, routings[m] as Routing, name, size)),
				)
			: g.reshape(
					mixtureOfExperts(
						context,
						flat(g, x),
						{ index: joined(({ index }) => index), shares: joined(({ shares }) => shares) },
						sets[0] as string,
						size,
					),
					[batch, count, width],
				);
	return {
		y,
		imbalance: routings.map(({ imbalance }) => imbalance),
		use: routers.map(({ name, modalities: routed }, r) => [name, useOf(routings[r] as Routing, routed.length)] as const),
	};
}

function block(context: ForwardContext, { block: kind }: MmimMoeConfig, x: Tokens, layer: string): Tokens {
	if (kind === 'conv') return convolution(context, x, `${layer}.conv`);
	return attention(context, { queries: x, keys: x, mask: null }, `${layer}.attention`, { heads: 1 });
}

/** Two linear layers with GELU between them, over the last axis. */
function feedForward(context: ForwardContext, { dropout }: MmimMoeConfig, x: Tokens, name: string): Tokens {
	const { g } = context;
	const h = gelu(g, linear(context, flat(g, x), `${name}.up`));
	return g.reshape(linear(context, context.dropout(h, dropout), `${name}.down`), x.shape);
}

/** One layer: block, residual, norm; experts, residual; norm, feed-forward, residual. */
function layerOf(context: ForwardContext, config: MmimMoeConfig, x: Tokens, layer: string, modalities: readonly string[]): Mixed {
	const { g } = context;
	const dropped = (part: Value): Value => context.dropout(part, config.dropout);
	const h = layerNorm(context, g.add(x, dropped(block(context, config, x, layer))), `${layer}.norm`);
	const mixed = experts(context, config, h, layer, modalities);
	const m = g.add(h, dropped(mixed.y));
	const f = feedForward(context, config, layerNorm(context, m, `${layer}.feed_forward.norm`), `${layer}.feed_forward`);
	return { ...mixed, y: g.add(m, dropped(f)) };
}

/** Three linear layers with tanh between them, over the embeddings side by side. */
function head(context: ForwardContext, { dropout }: MmimMoeConfig, x: Tokens): Value {
	const { g } = context;
	const [batch, count, width] = x.shape as [Dim, number, number];
	const tanh = (h: Value): Value => context.dropout(g.op('Tanh', [h]), dropout);
	const first = tanh(linear(context, g.reshape(x, [batch, count * width]), 'head.0'));
	return linear(context, tanh(linear(context, first, 'head.1')), 'head.2');
}

const encoderParameters = ({ width, sequence }: MmimMoeConfig, { name, shape }: ModalityShape): ParameterSpec[] => {
	const features = shape.at(-1) as number;
	const isSequence = shape.length === 2;
	return [
		...(isSequence ? sequenceParameters(`encoder.${name}`, features, sequence) : []),
		...linearParameters(`encoder.${name}.0`, isSequence ? sequenceWidth(sequence) : features, width),
		...linearParameters(`encoder.${name}.1`, width, width),
	];
};

/** The sentiment model of BTW (arXiv 2508.18551): an embedding a modality, layers of attention or convolution over them and sparse experts, a head. */
export const mmimMoe: Family<MmimMoeConfig> = {
	mixesRows: true,

	parameters(config, modalities, outputs) {
		const { width, layers } = config;
		const names = modalities.map(({ name }) => name);
		return [
			...modalities.flatMap((modality) => encoderParameters(config, modality)),
			...Array.from({ length: layers }, (_, i) => layerParameters(config, `layer.${i}`, names)).flat(),
			...linearParameters('head.0', width * modalities.length, width),
			...linearParameters('head.1', width, width),
			...linearParameters('head.2', width, outputs),
		];
	},

	/** Experts meet the tokens that are routed to them, recurrent cells every step, the layers every token, and the rest every row. */
	work(config, modalities, outputs, batch) {
		const tokens = batch * modalities.length * (config.router === 'disjoint' ? 1 / modalities.length : 1);
		const used = Math.min(1, config.top_k / config.experts);
		const rowsOf = (name: string): number => {
			const [kind, modality] = name.split('.');
			if (name.includes('.expert.')) return tokens * used;
			if (kind === 'layer') return batch * modalities.length;
			const steps = modalities.find((one) => one.name === modality)?.shape;
			return /ward\.(input|recurrent)$/.test(name) ? batch * (steps?.[0] as number) : batch;
		};
		const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
		return mmimMoe.parameters(config, modalities, outputs).reduce((sum, { name, shape }) => sum + sizeOf(shape) * rowsOf(name), 0);
	},

	embeddingShape: ({ width }) => [width],

	encode(context, { sequence }, { name, shape }, { x, mask }) {
		const state = shape.length === 2 ? encodeSequence(context, x, mask, `encoder.${name}`, sequence) : x;
		const hidden = context.g.op('Relu', [linear(context, state, `encoder.${name}.0`)]);
		return linear(context, hidden, `encoder.${name}.1`);
	},

	fuse(context, config, embeddings: readonly WeightedEmbedding[]) {
		const { g } = context;
		const names = embeddings.map(({ modality }) => modality.name);
		const statistics = new Map<string, Value>();
		const imbalance: Value[] = [];
		let tokens = stacked(
			g,
			embeddings.map(({ embedding }) => embedding),
		);
		for (let i = 0; i < config.layers; i++) {
			const mixed = layerOf(context, config, tokens, `layer.${i}`, names);
			tokens = mixed.y;
			imbalance.push(...mixed.imbalance);
			for (const [router, use] of mixed.use) statistics.set(`expert_use.${i}.${router}`, use);
		}
		const auxiliary =
			config.balance === 0
				? null
				: g.scale(
						config.balance,
						imbalance.reduce((sum, one) => g.add(sum, one)),
					);
		return { logits: head(context, config, tokens), auxiliary, statistics };
	},
};
