import type { CustomConfig, ModelConfig } from '@steelyard/contracts';
import type { Family, ForwardContext, Fused, ModalityShape, ParameterSpec } from '@steelyard/family';
import { fuseMoe } from '@steelyard/fuse-moe';
import { mlpFusion } from '@steelyard/mlp-fusion';
import { mmimMoe } from '@steelyard/mmim-moe';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import type { ForwardInputs, WeightAndPresence } from './architecture.js';
import { encodedAs, encoderInput, tableParameters } from './token-modalities.js';

/** The config of a built-in family. */
export type FamilyConfig = Exclude<ModelConfig, CustomConfig>;

/** A model of a built-in family: its config over given modalities. */
export type FamilyModel = {
	readonly config: FamilyConfig;
	readonly modalities: readonly ModalityShape[];
	/** Logits per row. */
	readonly outputs: number;
};

const families: { readonly [F in FamilyConfig['family']]: Family<Extract<FamilyConfig, { family: F }>> } = {
	'mlp-fusion': mlpFusion,
	'mmim-moe': mmimMoe,
	'fuse-moe': fuseMoe,
};

export const familyOf = ({ config }: FamilyModel): Family<FamilyConfig> => families[config.family] as Family<FamilyConfig>;

/** The modalities as the encoders of the family see them. */
export const encodedModalities = ({ config, modalities }: FamilyModel): ModalityShape[] =>
	modalities.map((modality) => encodedAs(config, modality));

/** The parameters of the family, and behind them the tables of tokens. */
export const parametersOf = (model: FamilyModel): ParameterSpec[] => [
	...familyOf(model).parameters(model.config, encodedModalities(model), model.outputs),
	...tableParameters(model.config, model.modalities),
];

/** Embeddings `[batch, …embeddingShape]` in the order of the modalities. */
export const embed = (context: ForwardContext, model: FamilyModel, { x, mask }: Pick<ForwardInputs, 'x' | 'mask'>): Value[] =>
	model.modalities.map((modality) =>
		familyOf(model).encode(
			context,
			model.config,
			encodedAs(model.config, modality),
			encoderInput(context, modality, { x: x(modality.name), mask: modality.maskedSteps ? mask(modality.name) : null }),
		),
	);

/** `[batch, 1]` with as many axes as `like` has. */
function column(g: GraphBuilder, weight: Value, like: Value): Value {
	const more = like.shape.length - 2;
	return more === 0 ? weight : g.reshape(weight, [weight.shape[0] as Dim, ...Array.from({ length: more + 1 }, () => 1)]);
}

/** What the fusion makes of the embeddings of the modalities, in their order. */
export const fuse = (
	context: ForwardContext,
	model: FamilyModel,
	embeddings: readonly Value[],
	modalities: readonly WeightAndPresence[],
): Fused =>
	familyOf(model).fuse(
		context,
		model.config,
		encodedModalities(model).map((modality, m) => {
			const embedding = embeddings[m] as Value;
			const { weight, present } = modalities[m] as WeightAndPresence;
			return { modality, embedding: context.g.mul(embedding, column(context.g, weight, embedding)), weight, present };
		}),
	);
