import type { MlpFusionConfig } from '@steelyard/contracts';
import { type Family, type ModalityShape, mlpFusion, type ParameterSpec } from '@steelyard/mlp-fusion';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import type { ForwardInputs } from './architecture.js';

/** A model of a built-in family: its config over given modalities. */
export type FamilyModel = {
	readonly config: MlpFusionConfig;
	readonly modalities: readonly ModalityShape[];
	/** Logits a row. */
	readonly outputs: number;
};

const families: Readonly<Record<MlpFusionConfig['family'], Family<MlpFusionConfig>>> = { 'mlp-fusion': mlpFusion };
const familyOf = ({ config }: FamilyModel): Family<MlpFusionConfig> => families[config.family];

export const parametersOf = (model: FamilyModel): ParameterSpec[] =>
	familyOf(model).parameters(model.config, model.modalities, model.outputs);

/** Embeddings `[batch, width]` in the order of the modalities. */
export const embed = (g: GraphBuilder, model: FamilyModel, { x, mask, parameter }: ForwardInputs): Value[] =>
	model.modalities.map((modality) =>
		familyOf(model).encode(
			g,
			model.config,
			modality,
			{ x: x(modality.name), mask: modality.maskedSteps ? mask(modality.name) : null },
			parameter,
		),
	);

/** Logits `[batch, outputs]` of embeddings under weights, one `[batch, 1]` a modality. */
export const fuse = (
	g: GraphBuilder,
	model: FamilyModel,
	embeddings: readonly Value[],
	weights: readonly Value[],
	parameter: ForwardInputs['parameter'],
): Value =>
	familyOf(model).fuse(
		g,
		model.config,
		embeddings.map((embedding, m) => g.mul(embedding, weights[m] as Value)),
		parameter,
	);
