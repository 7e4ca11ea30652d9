import type { ModalityShape } from '@steelyard/family';
import { type MaskKind, maskWidth } from '../model/examples.js';
import { fillMaskOf, fillValues, type Port, port } from '../model/port.js';
import { maskName, valuesName } from '../model/value-names.js';

/** Whether the mask of an exported model marks the steps of a sequence as present, or whole rows. */
const kindOf = ({ maskedSteps }: ModalityShape): MaskKind => (maskedSteps ? 'steps' : 'rows');

/**
 * The inputs of an exported model, in their order: the raw values of each modality `[batch, …shape]`, then 0 and 1, `[batch]` or `[batch, steps]`, for each modality
 * in `masked`.
 */
export function exportedPorts(modalities: readonly ModalityShape[], masked: ReadonlySet<string>): { values: Port[]; masks: Port[] } {
	return {
		values: modalities.map((modality) => port(valuesName(modality.name), modality.shape, fillValues(modality))),
		masks: modalities
			.filter(({ name }) => masked.has(name))
			.map((modality) => {
				const kind = kindOf(modality);
				return port(maskName(modality.name), kind === 'steps' ? [maskWidth(modality, kind)] : [], fillMaskOf(modality, kind));
			}),
	};
}
