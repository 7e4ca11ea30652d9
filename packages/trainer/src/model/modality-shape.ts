import { dtypeOf, type ModalityProfile, maskOf } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';

/** A modality of a dataset as models take it. */
export const modalityShape = (name: string, profile: ModalityProfile): ModalityShape => ({
	name,
	shape: profile.shape,
	maskedSteps: maskOf(profile) === 'steps',
	dtype: dtypeOf(profile),
	...(profile.tokens === undefined ? {} : { tokens: profile.tokens }),
});
