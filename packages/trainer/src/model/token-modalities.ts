import { tokenWidth } from '@steelyard/contracts';
import type { ForwardContext, ModalityInput, ModalityShape, ParameterSpec } from '@steelyard/family';
import { ofEncoder } from '@steelyard/family';
import { meanOfTokens, tokenParameters } from '@steelyard/layers';

type Config = { readonly token_width?: number };

const nameOf = ({ name }: ModalityShape): string => `encoder.${name}`;

/** A modality as the encoders of a family see it: one of tokens is a vector, the mean of those of its tokens. */
export const encodedAs = (config: Config, modality: ModalityShape): ModalityShape =>
	modality.tokens === undefined ? modality : { name: modality.name, shape: [tokenWidth(config)], maskedSteps: false };

/** The tables of the modalities of tokens: `encoder.<modality>.tokens`. */
export const tableParameters = (config: Config, modalities: readonly ModalityShape[]): ParameterSpec[] =>
	modalities.flatMap((modality) =>
		modality.tokens === undefined ? [] : ofEncoder(modality.name, tokenParameters(nameOf(modality), modality.tokens, tokenWidth(config))),
	);

/** What the encoder of a modality reads: float32 numbers, of tokens the mean of their vectors. */
export function encoderInput(context: ForwardContext, modality: ModalityShape, { x, mask }: ModalityInput): ModalityInput {
	if (modality.tokens === undefined) return { x: context.g.cast(x, 'float32'), mask };
	return { x: meanOfTokens(context, x, mask, nameOf(modality)), mask: null };
}
