import type { TaskProfile } from '@steelyard/contracts';
import type { Split } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/mlp-fusion';
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

/** The labels of the examples, raw. */
export const labelsOf = ({ split, rows }: Examples): Float64Array => Float64Array.from(rows, (row) => split.labels[row] as number);

/** Writes the targets of examples `chosen` from `offset` on, `outputs` numbers a row: one-hot, 0/1, or the scaled value. */
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
		const label = split.labels[rows[chosen[i] as number] as number] as number;
		if (task.type === 'multiclass') out[offset + i * task.outputs + label] = 1;
		else if (task.type === 'regression') out[offset + i] = (label - scale.mean) / scale.deviation;
		else out[offset + i] = label;
	}
}

/** The masks of steps of examples `chosen` as 0 and 1, from `offset` on. */
export function fillStepMasks(
	{ split, rows }: Examples,
	{ name, shape }: ModalityShape,
	chosen: Uint32Array,
	out: Float32Array,
	offset: number,
): void {
	const mask = split.mask(name) as Uint8Array;
	const steps = shape[0] as number;
	for (let i = 0; i < chosen.length; i++) {
		const row = rows[chosen[i] as number] as number;
		for (let t = 0; t < steps; t++) out[offset + i * steps + t] = mask[row * steps + t] as number;
	}
}

/** Inputs of a forward pass for examples `chosen`: `x.<modality>`, raw, and `mask.<modality>` where steps are masked. */
export function forwardInputs(examples: Examples, modalities: readonly ModalityShape[], chosen: Uint32Array): Record<string, Tensor> {
	const inputs: Record<string, Tensor> = {};
	const rows = chosen.map((i) => examples.rows[i] as number);
	for (const modality of modalities) {
		const data = new Float32Array(chosen.length * sizeOf(modality.shape));
		examples.split.gather(modality.name, rows, data);
		inputs[`x.${modality.name}`] = { dtype: 'float32', shape: [chosen.length, ...modality.shape], data };
		if (!modality.maskedSteps) continue;
		const steps = modality.shape[0] as number;
		const mask = new Float32Array(chosen.length * steps);
		fillStepMasks(examples, modality, chosen, mask, 0);
		inputs[`mask.${modality.name}`] = { dtype: 'float32', shape: [chosen.length, steps], data: mask };
	}
	return inputs;
}

/** Runs `visit` over the examples in order, `size` at a time. */
export async function inBatches(examples: Examples, size: number, visit: (chosen: Uint32Array) => Promise<void>): Promise<void> {
	for (let start = 0; start < examples.rows.length; start += size) {
		const count = Math.min(size, examples.rows.length - start);
		await visit(Uint32Array.from({ length: count }, (_, i) => start + i));
	}
}
