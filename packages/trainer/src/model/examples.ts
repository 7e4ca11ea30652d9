import type { TaskProfile } from '@steelyard/contracts';
import type { Split } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/layers';
import { sizeOf, type Tensor } from '@steelyard/runtime';

/** How the target of a regression is scaled for training; raw = value·deviation + mean. */
export type TargetScale = { readonly mean: number; readonly deviation: number };

/** Some rows of a split: what a model is trained or judged on. Row i here is row `rows[i]` of the split. */
export type Examples = { readonly name: string; readonly split: Split; readonly rows: Uint32Array };

/** Which examples have the modality, 1 or 0 each; null where all do. A sequence is there when any of its steps is. */
export function presence({ split, rows }: Examples, modality: ModalityShape): Uint8Array | null {
	const mask = split.mask(modality.name);
	if (mask === null) return null;
	const width = mask.length / split.rows;
	return Uint8Array.from(rows, (row) => (mask.subarray(row * width, (row + 1) * width).includes(1) ? 1 : 0));
}

/** The labels of the examples, raw: `[N]`, or `[N, labels]` of 0 and 1 for multilabel. */
export function labelsOf({ split, rows }: Examples): Float64Array {
	const width = split.labels.length / split.rows;
	const labels = new Float64Array(rows.length * width);
	rows.forEach((row, i) => labels.set(split.labels.subarray(row * width, (row + 1) * width), i * width));
	return labels;
}

/** Writes the targets of examples `chosen` from `offset` on, `outputs` numbers a row: one-hot, 0/1 (one a label for multilabel), or the scaled value. */
export function fillTargets(
	examples: Examples,
	chosen: Uint32Array,
	task: TaskProfile,
	scale: TargetScale,
	out: Float32Array,
	offset: number,
): void {
	const { split, rows } = examples;
	for (let i = 0; i < chosen.length; i++) {
		const row = rows[chosen[i] as number] as number;
		if (task.type === 'multilabel') {
			out.set(split.labels.subarray(row * task.outputs, (row + 1) * task.outputs), offset + i * task.outputs);
			continue;
		}
		const label = split.labels[row] as number;
		if (task.type === 'multiclass') out[offset + i * task.outputs + label] = 1;
		else if (task.type === 'regression') out[offset + i] = (label - scale.mean) / scale.deviation;
		else out[offset + i] = label;
	}
}

/** What a mask tells: of each row `[batch, 1]`, or of each step of a sequence `[batch, steps]`, whether it is there. */
export type MaskKind = 'rows' | 'steps';

/** A mask of steps for every modality that has one. */
export const maskedSteps = (modalities: readonly ModalityShape[]): Map<string, MaskKind> =>
	new Map(modalities.filter((modality) => modality.maskedSteps).map(({ name }) => [name, 'steps']));

/** Numbers of a mask for one row. */
export const maskWidth = ({ shape }: ModalityShape, kind: MaskKind): number => (kind === 'steps' ? (shape[0] as number) : 1);

/** The mask of examples `chosen` as 0 and 1, from `offset` on; ones where the modality has none. A row of a sequence is there when any of its steps is. */
export function fillMask(
	{ split, rows }: Examples,
	modality: ModalityShape,
	kind: MaskKind,
	chosen: Uint32Array,
	out: Float32Array,
	offset = 0,
): void {
	const mask = split.mask(modality.name);
	const given = mask === null ? 0 : mask.length / split.rows;
	const width = maskWidth(modality, kind);
	for (let i = 0; i < chosen.length; i++) {
		const first = (rows[chosen[i] as number] as number) * given;
		for (let t = 0; t < width; t++) {
			const there = mask === null || (kind === 'steps' ? mask[first + t] === 1 : mask.subarray(first, first + given).includes(1));
			out[offset + i * width + t] = there ? 1 : 0;
		}
	}
}

/** Inputs of a forward pass for examples `chosen`: `x.<modality>`, raw, and `mask.<modality>` where `masks` says so. */
export function forwardInputs(
	examples: Examples,
	modalities: readonly ModalityShape[],
	masks: ReadonlyMap<string, MaskKind>,
	chosen: Uint32Array,
): Record<string, Tensor> {
	const inputs: Record<string, Tensor> = {};
	const rows = chosen.map((i) => examples.rows[i] as number);
	for (const modality of modalities) {
		const data = new Float32Array(chosen.length * sizeOf(modality.shape));
		examples.split.gather(modality.name, rows, data);
		inputs[`x.${modality.name}`] = { dtype: 'float32', shape: [chosen.length, ...modality.shape], data };
		const kind = masks.get(modality.name);
		if (kind === undefined) continue;
		const width = maskWidth(modality, kind);
		const mask = new Float32Array(chosen.length * width);
		fillMask(examples, modality, kind, chosen, mask);
		inputs[`mask.${modality.name}`] = { dtype: 'float32', shape: [chosen.length, width], data: mask };
	}
	return inputs;
}

/** The examples `chosen` and then these again until there are `size`: for models that take batches of one size. */
export const filledUp = (chosen: Uint32Array, size: number): Uint32Array =>
	Uint32Array.from({ length: size }, (_, i) => chosen[i % chosen.length] as number);

/** Runs `visit` over the examples in order, `size` at a time. */
export async function inBatches(examples: Examples, size: number, visit: (chosen: Uint32Array) => Promise<void>): Promise<void> {
	for (let start = 0; start < examples.rows.length; start += size) {
		const count = Math.min(size, examples.rows.length - start);
		await visit(Uint32Array.from({ length: count }, (_, i) => start + i));
	}
}
