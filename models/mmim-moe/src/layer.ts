import type { MmimMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, meeting, type ParameterSpec } from '@steelyard/family';
import {
	attention,
	attentionParameters,
	expertSetsOf,
	expertsSize,
	gelu,
	layerNorm,
	layerNormParameters,
	linear,
	linearParameters,
	mixtureOfExperts,
	type Routing,
	route,
	routerSize,
	routersOf,
	sharedExpertsParameters,
} from '@steelyard/layers';
import type { Dim, Value } from '@steelyard/onnx';
import { convolution, convolutionParameters } from './convolution.js';
import { byModality, flat, stacked, type Tokens } from './tokens.js';

/** The feed-forward network is so many times as wide as the model. */
const WIDER = 4;

/** `<layer>.attention` or `.conv`, `.norm`, the routers and experts, `.feed_forward`. */
export function layerParameters(config: MmimMoeConfig, layer: string, modalities: readonly string[]): ParameterSpec[] {
	const { width, block } = config;
	return [
		...meeting(
			'token',
			block === 'attention' ? attentionParameters(`${layer}.attention`, width) : convolutionParameters(`${layer}.conv`, width),
		),
		...meeting('token', layerNormParameters(`${layer}.norm`, width)),
		...sharedExpertsParameters(config, layer, width, modalities),
		...meeting('token', [
			...layerNormParameters(`${layer}.feed_forward.norm`, width),
			...linearParameters(`${layer}.feed_forward.up`, width, WIDER * width),
			...linearParameters(`${layer}.feed_forward.down`, WIDER * width, width),
		]),
	];
}

/** What experts make of tokens. */
type Mixed = {
	readonly y: Tokens;
	/** Of each router, a scalar. */
	readonly imbalance: readonly Value[];
	/** Of each router, `joint` or the modality, `[batch, experts]`: how much it uses each expert. */
	readonly use: ReadonlyArray<readonly [router: string, use: Value]>;
};

/** The experts of a layer: each token goes to those that its router chooses. */
function experts(context: ForwardContext, config: MmimMoeConfig, x: Tokens, layer: string, modalities: readonly string[]): Mixed {
	const { g } = context;
	const size = expertsSize(config);
	const routers = routersOf(config, layer, modalities);
	const sets = expertSetsOf(config, layer, modalities);
	const [batch, count, width] = x.shape as [Dim, number, number];
	const parts = routers.length === 1 ? [flat(g, x)] : byModality(g, x);
	const routings = routers.map(({ name }, r) => route(context, parts[r] as Value, name, routerSize(config)));
	const useOf = ({ use }: Routing, tokens: number): Value =>
		tokens === 1 ? use : g.reduce('ReduceMean', g.reshape(use, [batch, tokens, size.experts]), [1], false);
	const joined = (of: (routing: Routing) => Value): Value => {
		const all = routings.map(of);
		return all.length === 1 ? (all[0] as Value) : flat(g, stacked(g, all));
	};
	const apart = (): Tokens =>
		stacked(
			g,
			sets.map(({ name }, m) => mixtureOfExperts(context, parts[m] as Value, routings[m] as Routing, name, size)),
		);
	const together = (name: string): Tokens => {
		const tokens = flat(g, x);
		const choice = { index: joined(({ index }) => index), shares: joined(({ shares }) => shares) };
		return g.reshape(mixtureOfExperts(context, tokens, choice, name, size), [batch, count, width]);
	};
	return {
		y: sets.length > 1 ? apart() : together((sets[0] as (typeof sets)[number]).name),
		imbalance: routings.map(({ imbalance }) => imbalance),
		use: routers.map((router, r) => [router.label, useOf(routings[r] as Routing, router.modalities.length)] as const),
	};
}

/** How a layer mixes the modalities. */
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

/** One layer: block, residual, norm; experts, residual; norm, feed-forward network, residual. */
export function mixingLayer(
	context: ForwardContext,
	config: MmimMoeConfig,
	x: Tokens,
	layer: string,
	modalities: readonly string[],
): Mixed {
	const { g } = context;
	const dropped = (part: Value): Value => context.dropout(part, config.dropout);
	const h = layerNorm(context, g.add(x, dropped(block(context, config, x, layer))), `${layer}.norm`);
	const mixed = experts(context, config, h, layer, modalities);
	const m = g.add(h, dropped(mixed.y));
	const f = feedForward(context, config, layerNorm(context, m, `${layer}.feed_forward.norm`), `${layer}.feed_forward`);
	return { ...mixed, y: g.add(m, dropped(f)) };
}
