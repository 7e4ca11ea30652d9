import { meeting, type ParameterSpec } from '@steelyard/family';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import { type ExpertsSize, expertParameters } from './mixture-of-experts.js';
import { type Gate, type RouterSize, routerParameters } from './router.js';

/** The fields of a family's config that describe its sparse mixture of experts: `expertFields` of `@steelyard/contracts`. */
export type ExpertsConfig = {
	readonly experts: number;
	/** At most `experts`. */
	readonly top_k: number;
	readonly expert_hidden: number;
	/** `joint`: one router for all modalities. `permod`: one router per modality, to experts that all share. `disjoint`: a router and experts per modality. */
	readonly router: 'joint' | 'permod' | 'disjoint';
	readonly gate: Gate;
	readonly noisy: boolean;
};

/** The size of every router of a config. */
export const routerSize = ({ experts, top_k: topK, gate, noisy }: ExpertsConfig): RouterSize => ({ experts, topK, gate, noisy });
/** The size of every set of experts of a config. */
export const expertsSize = ({ experts, expert_hidden: hidden }: ExpertsConfig): ExpertsSize => ({ experts, hidden });

/** A router, or a set of experts: the name of its parameters, and the modalities whose tokens it sees. */
export type Shared = { readonly name: string; readonly modalities: readonly string[] };

/** The routers of a layer; their names begin with that of the layer, and `label` is `joint` or the modality. */
export const routersOf = (
	{ router }: ExpertsConfig,
	layer: string,
	modalities: readonly string[],
): ReadonlyArray<Shared & { readonly label: string }> =>
	(router === 'joint' ? [{ label: 'joint', modalities }] : modalities.map((label) => ({ label, modalities: [label] }))).map((one) => ({
		...one,
		name: `${layer}.router.${one.label}`,
	}));

/** The sets of experts of a layer; their names begin with that of the layer. */
export const expertSetsOf = ({ router }: ExpertsConfig, layer: string, modalities: readonly string[]): readonly Shared[] =>
	router === 'disjoint'
		? modalities.map((name) => ({ name: `${layer}.expert.${name}`, modalities: [name] }))
		: [{ name: `${layer}.expert`, modalities }];

/** The parameters of all routers of a layer, then those of all its experts. */
export const sharedExpertsParameters = (
	config: ExpertsConfig,
	layer: string,
	width: number,
	modalities: readonly string[],
): ParameterSpec[] => [
	...meeting(
		'token',
		routersOf(config, layer, modalities).flatMap(({ name }) => routerParameters(name, width, routerSize(config))),
	),
	...expertSetsOf(config, layer, modalities).flatMap(({ name }) => expertParameters(name, width, expertsSize(config))),
];

/** `balance` times the sum of the imbalances of all routers: what training adds to the loss. Null for a balance of 0. */
export const balanceLoss = (g: GraphBuilder, balance: number, imbalances: readonly Value[]): Value | null =>
	balance === 0
		? null
		: g.scale(
				balance,
				imbalances.reduce((sum, one) => g.add(sum, one)),
			);
