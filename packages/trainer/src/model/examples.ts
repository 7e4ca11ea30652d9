import type { TaskProfile } from '@steelyard/contracts';
import type { Split } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';

/** How the target of a regression is scaled for training; raw = value·deviation + mean. */
export type TargetScale = { readonly mean: number; readonly deviation: number };

/** Some rows of a split: what a model is trained or judged on. Row i here is row `rows[i]` of the split. */
export type Examples = { readonly name: string; readonly split: Split; readonly rows: Uint32Array };

/** Which examples have the modality, 1 or 0 each; null where all do. An example has a sequence when it has any of its steps. */
export function presence({ split, rows }: Examples, modality: ModalityShape): Uint8Array | null {
	const mask = split.mask(modality.name);
	if (mask === null) return null;
	const width = mask.length / split.rows;
	return Uint8Array.from(rows, (row) => (mask.subarray(row * width, (row + 1) * width).includes(1) ? 1 : 0));
}

/** The labels of the examples, raw: `[N]`, `[N, labels]` of 0 and 1 for multilabel, or `[N, positions]`. */
export function labelsOf({ split, rows }: Examples): Float64Array {
	const width = split.labels.length / split.rows;
	const labels = new Float64Array(rows.length * width);
	rows.forEach((row, i) => labels.set(split.labels.subarray(row * width, (row + 1) * width), i * width));
	return labels;
}

/** Shows every label of the examples that counts: of positions those below 0, and NaN among values, do not. */
export function eachLabel({ split, rows }: Examples, isValue: boolean, visit: (label: number) => void): void {
	const width = split.labels.length / split.rows;
	for (const row of rows)
		for (let at = row * width; at < (row + 1) * width; at++) {
			const label = split.labels[at] as number;
			if (isValue ? !Number.isNaN(label) : label >= 0) visit(label);
		}
}

/**
 * Writes the targets of the examples, `task.outputs` numbers per row: one-hot, 0 and 1 (one per label for multilabel), or the scaled value; where positions have
 * labels these, as the split has them. `out` is zeros before.
 */
export function fillTargets({ split, rows }: Examples, task: TaskProfile, scale: TargetScale, out: Float32Array): void {
	const { outputs } = task;
	const width = split.labels.length / split.rows;
	rows.forEach((row, i) => {
		if (task.type === 'multilabel' || task.positions !== undefined) {
			out.set(split.labels.subarray(row * width, (row + 1) * width), i * width);
			return;
		}
		const label = split.labels[row] as number;
		if (task.type === 'multiclass') out[i * outputs + label] = 1;
		else if (task.type === 'regression') out[i] = (label - scale.mean) / scale.deviation;
		else out[i] = label;
	});
}

/** Whether a mask marks rows as present, `[batch, 1]`, or the steps of a sequence, `[batch, steps]`. */
export type MaskKind = 'rows' | 'steps';

/** A mask of steps for every modality that has one. */
export const maskedSteps = (modalities: readonly ModalityShape[]): Map<string, MaskKind> =>
	new Map(modalities.filter((modality) => modality.maskedSteps).map(({ name }) => [name, 'steps']));

/** Numbers that a mask has per row. */
export const maskWidth = ({ shape }: ModalityShape, kind: MaskKind): number => (kind === 'steps' ? (shape[0] as number) : 1);

/** Writes the mask of the examples as 0 and 1; ones where the modality has none. A row has a sequence when it has any of its steps, and every step where a mask marks rows. */
export function fillMask({ split, rows }: Examples, modality: ModalityShape, kind: MaskKind, out: Float32Array): void {
	const mask = split.mask(modality.name);
	const given = mask === null ? 0 : mask.length / split.rows;
	const width = maskWidth(modality, kind);
	rows.forEach((row, i) => {
		const first = row * given;
		for (let t = 0; t < width; t++) {
			const there =
				mask === null || (kind === 'steps' ? mask[given === 1 ? first : first + t] === 1 : mask.subarray(first, first + given).includes(1));
			out[i * width + t] = there ? 1 : 0;
		}
	});
}

/** Rows of one forward pass when a model is judged. */
export const EVALUATION_BATCH = 256;

/** Those of the examples that stand at `places`, in that order. */
export const taken = (examples: Examples, places: Uint32Array): Examples => ({
	...examples,
	rows: places.map((i) => examples.rows[i] as number),
});

/** Those rows of a table `[rows, width]`. */
export function takenRows(table: Float32Array, width: number, places: Uint32Array): Float32Array {
	const rows = new Float32Array(places.length * width);
	places.forEach((i, at) => rows.set(table.subarray(i * width, (i + 1) * width), at * width));
	return rows;
}

/** Places of a batch of one size: the first ones repeated until there are `size`, for models that take batches of that size only. */
const filledUp = (places: Uint32Array, size: number): Uint32Array =>
	Uint32Array.from({ length: size }, (_, i) => places[i % places.length] as number);

/**
 * Goes through `count` examples in order, batch after batch: `visit` gets the places of the batch's rows, where the batch starts and how many of its rows are
 * new. With a `fixed` size every batch has that many rows, the last one its own again; otherwise at most `most`.
 */
export async function inBatches(
	count: number,
	fixed: number | null,
	visit: (places: Uint32Array, start: number, length: number) => Promise<void>,
	most: number = EVALUATION_BATCH,
): Promise<void> {
	const size = fixed ?? most;
	for (let start = 0; start < count; start += size) {
		const length = Math.min(size, count - start);
		const places = Uint32Array.from({ length }, (_, i) => start + i);
		await visit(fixed === null ? places : filledUp(places, fixed), start, length);
	}
}
