import type { CanonicalArray } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { arrayTypeOf, sizeOf } from '@steelyard/runtime';
import type { Examples } from './examples.js';

/** The rows of a table of `width` columns. */
function rowsOf<T extends Int32Array | Float32Array | Uint8Array>(table: T, width: number, rows: Uint32Array): T {
	const taken = table.slice(0, rows.length * width) as T;
	rows.forEach((row, i) => taken.set(table.subarray(row * width, (row + 1) * width), i * width));
	return taken;
}

/**
 * The same examples as a split of their own, whose rows are these examples in order: what is done to it costs by their number, not by that of the split. Each modality is
 * read once, when it is first asked for. The rows of the examples differ.
 */
export function inMemory({ name, split, rows }: Examples, modalities: readonly ModalityShape[]): Examples {
	const gathered = new Map<string, { readonly size: number; readonly values: CanonicalArray }>();
	const valuesOf = (modality: string) => {
		const known = gathered.get(modality);
		if (known !== undefined) return known;
		const { shape, dtype = 'float32' } = modalities.find((one) => one.name === modality) as ModalityShape;
		const size = sizeOf(shape);
		const values = new (arrayTypeOf(dtype))(rows.length * size) as CanonicalArray;
		split.gather(modality, rows, values);
		gathered.set(modality, { size, values });
		return { size, values };
	};
	const masks = new Map<string, Uint8Array | null>();
	const maskOf = (modality: string): Uint8Array | null => {
		const known = masks.get(modality);
		if (known !== undefined) return known;
		const mask = split.mask(modality);
		const own = mask && rowsOf(mask, mask.length / split.rows, rows);
		masks.set(modality, own);
		return own;
	};
	return {
		name,
		rows: Uint32Array.from(rows.keys()),
		split: {
			...split,
			rows: rows.length,
			labels: rowsOf(split.labels, split.labels.length / split.rows, rows),
			groups: split.groups && rowsOf(split.groups, 1, rows),
			mask: maskOf,
			readAhead: () => {},
			gather(modality, wanted, out, offset = 0) {
				const { size, values } = valuesOf(modality);
				for (let i = 0; i < wanted.length; i++) {
					const row = wanted[i] as number;
					out.set(values.subarray(row * size, (row + 1) * size) as never, offset + i * size);
				}
			},
		},
	};
}
