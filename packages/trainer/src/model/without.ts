import type { CanonicalArray, FeatureMoments } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { type Change, numberWriter, withChanged } from './changed.js';
import type { Examples } from './examples.js';

/** What stands in the place of a modality that is missing. */
export type Absence = 'mask' | 'mean' | 'zeros';

const zeros = (_: number, own: CanonicalArray): void =>
	void (own as Float32Array).fill(own instanceof BigInt64Array || own instanceof BigUint64Array ? (0n as never) : 0);

/**
 * The same examples of which none has the modality. `mask`: its mask says so, and its values are zeros, as those of rows that lack it are; one without a mask gets one of
 * rows. `zeros`: the values alone are zeros. `mean`: each value is the mean of its feature, rounded where values are whole numbers.
 */
export function without(examples: Examples, modality: ModalityShape, by: Absence, { mean }: FeatureMoments): Examples {
	const { split } = examples;
	const own = split.mask(modality.name);
	// a mask that the dataset has says it too where no graph takes it: then the weight of the modality is 0
	const mask = by === 'mask' || own !== null ? { mask: new Uint8Array(own?.length ?? split.rows) } : {};
	const means = (_: number, values: CanonicalArray): void => {
		const write = numberWriter(values);
		for (let at = 0; at < values.length; at++) write(at, mean[at % mean.length] as number);
	};
	const change: Change = { ...mask, values: by === 'mean' ? means : zeros };
	return withChanged(examples, modality, change);
}
