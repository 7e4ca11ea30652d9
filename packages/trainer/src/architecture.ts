import type { MlpFusionConfig } from '@steelyard/contracts';
import { type Family, type ModalityShape, mlpFusion, type ParameterSpec } from '@steelyard/mlp-fusion';
import type { GraphBuilder, Value } from '@steelyard/onnx';

/** A model to train: a family's config over given modalities. */
export type Architecture = {
	readonly config: MlpFusionConfig;
	readonly modalities: readonly ModalityShape[];
	/** Logits a row. */
	readonly outputs: number;
};

const families: Readonly<Record<MlpFusionConfig['family'], Family<MlpFusionConfig>>> = { 'mlp-fusion': mlpFusion };
const familyOf = ({ config }: Architecture): Family<MlpFusionConfig> => families[config.family];

export const parametersOf = (architecture: Architecture): ParameterSpec[] =>
	familyOf(architecture).parameters(architecture.config, architecture.modalities, architecture.outputs);

export type ForwardInputs = {
	/** `[batch, …shape]` by modality, standardised. */
	x: (modality: string) => Value;
	/** `[batch, steps]`, asked for modalities with masked steps only. */
	mask: (modality: string) => Value;
	parameter: (name: string) => Value;
};

/** Embeddings `[batch, width]` in the order of the modalities. */
export const embed = (g: GraphBuilder, architecture: Architecture, { x, mask, parameter }: ForwardInputs): Value[] =>
	architecture.modalities.map((modality) =>
		familyOf(architecture).encode(
			g,
			architecture.config,
			modality,
			{ x: x(modality.name), mask: modality.maskedSteps ? mask(modality.name) : null },
			parameter,
		),
	);

/** Logits `[batch, outputs]` of embeddings under weights, one `[batch, 1]` a modality. */
export const fuse = (
	g: GraphBuilder,
	architecture: Architecture,
	embeddings: readonly Value[],
	weights: readonly Value[],
	parameter: ForwardInputs['parameter'],
): Value =>
	familyOf(architecture).fuse(
		g,
		architecture.config,
		embeddings.map((embedding, m) => g.mul(embedding, weights[m] as Value)),
		parameter,
	);
