import type { FuseMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, meeting, type ParameterSpec } from '@steelyard/family';
import {
	expertSetsOf,
	expertsSize,
	layerNorm,
	layerNormParameters,
	meanOver,
	mixtureOfExperts,
	route,
	routerSize,
	routersOf,
	sharedExpertsParameters,
} from '@steelyard/layers';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** The tokens of one modality, `[batch, tokens, width]`, and `[batch, tokens]` of 0 and 1: whether they are there. */
type Tokens = { readonly name: string; readonly x: Value; readonly there: Value };

/** The tokens that one router sees, and where it sends them: per token, `[batch, tokens, …]`. */
type Routed = {
	/** `joint` or the modality. */
	readonly router: string;
	readonly x: Value;
	readonly index: Value;
	readonly shares: Value;
	/** `[batch, experts]`: which share of the choices of a row falls on each expert; zeros where none of its tokens is there. */
	readonly use: Value;
	readonly imbalance: Value;
};

export type ExpertLayer = {
	/** In the order of the modalities, `[batch, tokens, width]`. */
	readonly outputs: readonly Value[];
	readonly routers: ReadonlyArray<Pick<Routed, 'router' | 'use' | 'imbalance'>>;
};

/** `<layer>.expert_norm.<modality>`, then the routers and the experts of the layer. */
export const expertLayerParameters = (config: FuseMoeConfig, layer: string, modalities: readonly string[]): ParameterSpec[] => [
	...meeting(
		'token',
		modalities.flatMap((name) => layerNormParameters(`${layer}.expert_norm.${name}`, config.width)),
	),
	...sharedExpertsParameters(config, layer, config.width, modalities),
];

/** Tokens of several modalities side by side. */
const joined = (g: GraphBuilder, values: readonly Value[]): Value => (values.length === 1 ? (values[0] as Value) : g.concat(values, 1));

/** `[batch, tokens, size]` → `[batch·tokens, size]`. */
function asRows(g: GraphBuilder, x: Value): Value {
	const [batch, tokens, size] = x.shape as [Dim, number, number];
	return g.reshape(x, [typeof batch === 'number' ? batch * tokens : `${batch}*${tokens}`, size]);
}

/** `[batch·tokens, size]` → `[batch, tokens, size]` with batch and tokens as in `like`. */
const asTokens = (g: GraphBuilder, rows: Value, like: Value): Value =>
	g.reshape(rows, [like.shape[0] as Dim, like.shape[1] as Dim, rows.shape[1] as Dim]);

/** Routes the tokens of the modalities that a router sees. */
function routed(
	context: ForwardContext,
	config: FuseMoeConfig,
	router: { name: string; label: string },
	tokens: readonly Tokens[],
): Routed {
	const { g } = context;
	const x = joined(
		g,
		tokens.map((one) => one.x),
	);
	const present = joined(
		g,
		tokens.map(({ there }) => there),
	);
	const there = g.reshape(present, [present.shape[0] as Dim, present.shape[1] as Dim, 1]);
	const { index, shares, use, imbalance } = route(context, asRows(g, x), router.name, routerSize(config), asRows(g, there));
	return {
		router: router.label,
		x,
		index: asTokens(g, index, x),
		shares: asTokens(g, shares, x),
		use: g.reshape(meanOver(g, asTokens(g, use, x), there, 1), [x.shape[0] as Dim, config.experts]),
		imbalance,
	};
}

/** The outputs of one set of experts for the tokens of some routers, in their order. */
function mixed(context: ForwardContext, config: FuseMoeConfig, name: string, all: readonly Routed[]): Value {
	const { g } = context;
	const joinedPart = (part: 'x' | 'index' | 'shares'): Value =>
		joined(
			g,
			all.map((one) => one[part]),
		);
	const x = joinedPart('x');
	const routing = { index: asRows(g, joinedPart('index')), shares: asRows(g, joinedPart('shares')) };
	return asTokens(g, mixtureOfExperts(context, asRows(g, x), routing, name, expertsSize(config)), x);
}

/** Adds layer normalisation, then each token passes the experts that its router chooses. */
export function expertLayer(context: ForwardContext, config: FuseMoeConfig, layer: string, tokens: readonly Tokens[]): ExpertLayer {
	const { g } = context;
	const names = tokens.map(({ name }) => name);
	const normed = tokens.map((one) => ({ ...one, x: layerNorm(context, one.x, `${layer}.expert_norm.${one.name}`) }));
	const routers = routersOf(config, layer, names).map((router) => {
		const seen = normed.filter(({ name }) => router.modalities.includes(name));
		return { ...routed(context, config, router, seen), modalities: router.modalities };
	});
	const outputs = joined(
		g,
		expertSetsOf(config, layer, names).map((set) => {
			const sent = routers.filter(({ modalities }) => set.modalities.includes(modalities[0] as string));
			return mixed(context, config, set.name, sent);
		}),
	);
	const counts = tokens.map(({ x }) => x.shape[1] as number);
	return { outputs: counts.length === 1 ? [outputs] : g.split(outputs, counts, 1), routers };
}
