import type { CanonicalArray } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { sizeOf } from '@steelyard/runtime';
import type { Examples } from './examples.js';

/** How the rows of one modality are to be changed. */
export type Change = {
	/** In the place of its mask, in the form of `Split.mask`; unchanged unless given. */
	readonly mask?: Uint8Array;
	/** Writes the changed values of a row, one number per value, over those that the row has. The same row gives the same values whenever it is asked for. */
	readonly values: (row: number, own: CanonicalArray) => void;
};

/** The same examples with changed rows of one modality. */
export function withChanged(examples: Examples, { name, shape }: ModalityShape, { mask, values }: Change): Examples {
	const { split } = examples;
	const size = sizeOf(shape);
	return {
		...examples,
		split: {
			...split,
			mask: (modality) => (modality === name && mask !== undefined ? mask : split.mask(modality)),
			gather(modality, wanted, out, offset = 0) {
				split.gather(modality, wanted, out, offset);
				if (modality !== name) return;
				for (let i = 0; i < wanted.length; i++)
					values(wanted[i] as number, out.subarray(offset + i * size, offset + (i + 1) * size) as CanonicalArray);
			},
		},
	};
}

/** Whether value `at` of `size` is there in a row of the split; of sequences with a mask of steps, whether its step is. */
export function valueIsThere({ split }: Examples, { name, shape }: ModalityShape): (row: number, at: number) => boolean {
	const mask = split.mask(name);
	if (mask === null) return () => true;
	const [width, size] = [mask.length / split.rows, sizeOf(shape)];
	return (row, at) => mask[row * width + Math.floor((at * width) / size)] === 1;
}

/** Writes a number as the array holds it: whole numbers are rounded and kept in the range of their type. */
export function numberWriter(values: CanonicalArray): (at: number, value: number) => void {
	if (values instanceof Float32Array) return (at, value) => void (values[at] = value);
	if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
		const least = values instanceof BigInt64Array ? Number.MIN_SAFE_INTEGER : 0;
		return (at, value) => void (values[at] = BigInt(Math.min(Math.max(Math.round(value), least), Number.MAX_SAFE_INTEGER)));
	}
	const bits = values.BYTES_PER_ELEMENT * 8;
	const signed = values instanceof Int8Array || values instanceof Int16Array || values instanceof Int32Array;
	const [least, most] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
	return (at, value) => void (values[at] = Math.min(Math.max(Math.round(value), least), most));
}
