import type { FuseMoeConfig } from '@steelyard/contracts';
import type { ForwardContext, ModalityShape, ParameterSpec } from '@steelyard/family';
import {
	expertParameters,
	layerNorm,
	layerNormParameters,
	meanOver,
	mixtureOfExperts,
	type RouterSize,
	route,
	routerParameters,
} from '@steelyard/layers';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** The tokens of one modality, `[batch, tokens, width]`, and `[batch, tokens]` of 0 and 1: whether they are there. */
type Tokens = { readonly name: string; readonly x: Value; readonly there: Value };

/** The tokens of one router, of which all numbers are by token: `[batch, tokens, …]`. */
type Routed = {
	readonly router: string;
	readonly x: Value;
	readonly index: Value;
	readonly shares: Value;
	/** `[batch, experts]`: the shares of the choices of a row that fall on each expert; zeros where none of its tokens is there. */
	readonly use: Value;
	readonly imbalance: Value;
};

export type ExpertLayer = {
	/** In the order of the modalities, `[batch, tokens, width]`. */
	readonly outputs: readonly Value[];
	readonly routers: ReadonlyArray<Pick<Routed, 'router' | 'use' | 'imbalance'>>;
};

const routerSize = ({ experts, top_k: topK, gate, noisy }: FuseMoeConfig): RouterSize => ({ experts, topK, gate, noisy });
const routerOf = ({ router }: FuseMoeConfig, at: string, modality: string): string =>
	`${at}.router.${router === 'joint' ? 'joint' : modality}`;
const expertsOf = ({ router }: FuseMoeConfig, at: string, modality: string): string =>
	router === 'disjoint' ? `${at}.expert.${modality}` : `${at}.expert`;
const distinct = (names: readonly string[]): string[] => [...new Set(names)];

export function expertLayerParameters(config: FuseMoeConfig, at: string, modalities: readonly ModalityShape[]): ParameterSpec[] {
	const { width, experts, expert_hidden: hidden } = config;
	const routers = distinct(modalities.map(({ name }) => routerOf(config, at, name)));
	const sets = distinct(modalities.map(({ name }) => expertsOf(config, at, name)));
	return [
		...modalities.flatMap(({ name }) => layerNormParameters(`${at}.expert_norm.${name}`, width)),
		...routers.flatMap((name) => routerParameters(name, width, routerSize(config))),
		...sets.flatMap((name) => expertParameters(name, width, { experts, hidden })),
	];
}

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

function routed(context: ForwardContext, config: FuseMoeConfig, at: string, tokens: readonly Tokens[]): Routed {
	const { g } = context;
	const [first] = tokens as [Tokens];
	const x = joined(
		g,
		tokens.map((one) => one.x),
	);
	const present = joined(
		g,
		tokens.map(({ there }) => there),
	);
	const there = g.reshape(present, [present.shape[0] as Dim, present.shape[1] as Dim, 1]);
	const router = routerOf(config, at, first.name);
	const { index, shares, use, imbalance } = route(context, asRows(g, x), router, routerSize(config), asRows(g, there));
	return {
		router: config.router === 'joint' ? 'joint' : first.name,
		x,
		index: asTokens(g, index, x),
		shares: asTokens(g, shares, x),
		use: g.reshape(meanOver(g, asTokens(g, use, x), there, 1), [x.shape[0] as Dim, config.experts]),
		imbalance,
	};
}

/** What one set of experts makes of the tokens of some routers, in their order. */
function mixed(context: ForwardContext, config: FuseMoeConfig, name: string, all: readonly Routed[]): Value {
	const { g } = context;
	const { experts, expert_hidden: hidden } = config;
	const of = (part: 'x' | 'index' | 'shares'): Value =>
		joined(
			g,
			all.map((one) => one[part]),
		);
	const x = of('x');
	const routing = { index: asRows(g, of('index')), shares: asRows(g, of('shares')) };
	return asTokens(g, mixtureOfExperts(context, asRows(g, x), routing, name, { experts, hidden }), x);
}

/** Layer normalisation, then each token through the experts that its router chooses. */
export function expertLayer(context: ForwardContext, config: FuseMoeConfig, at: string, tokens: readonly Tokens[]): ExpertLayer {
	const { g } = context;
	const normed = tokens.map((one) => ({ ...one, x: layerNorm(context, one.x, `${at}.expert_norm.${one.name}`) }));
	const byRouter = config.router === 'joint' ? [normed] : normed.map((one) => [one]);
	const routers = byRouter.map((some) => routed(context, config, at, some));
	const bySet = config.router === 'disjoint' ? routers.map((one) => [one]) : [routers];
	const outputs = joined(
		g,
		bySet.map((some, m) => mixed(context, config, expertsOf(config, at, (tokens[m] as Tokens).name), some)),
	);
	const counts = tokens.map(({ x }) => x.shape[1] as number);
	return { outputs: counts.length === 1 ? [outputs] : g.split(outputs, counts, 1), routers };
}
