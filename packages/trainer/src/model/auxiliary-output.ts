import type { AuxiliaryForm, TrainedLoss } from '@steelyard/contracts';
import type { CanonicalArray } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { arrayTypeOf, sizeOf } from '@steelyard/runtime';
import type { Examples } from './examples.js';
import type { PositionLogits } from './position-logits.js';

/** An output of an uploaded graph that is trained beside the one that predicts the task. */
export type AuxiliaryOutput = PositionLogits & {
	/** Its name in the file. */
	readonly name: string;
	/** What it tells of each position: one of several classes, 0 or 1, or a value. */
	readonly type: AuxiliaryForm['type'];
	readonly loss: TrainedLoss;
	/** The factor of its loss in what training minimises. */
	readonly weight: number;
	/** The modality that it is compared with; null for the labels of the task. */
	readonly target: ModalityShape | null;
};

/** Numbers that it gives for a row. */
export const auxiliaryWidth = ({ positions, classes }: PositionLogits): number => positions * classes;

/** Writes the labels of the examples, raw, as the split has them: a row after another. */
function writeLabels({ split, rows }: Examples, out: Float32Array): void {
	const width = split.labels.length / split.rows;
	rows.forEach((row, i) => out.set(split.labels.subarray(row * width, (row + 1) * width), i * width));
}

/**
 * Writes what an output is compared with, the labels of the task where `modality` is null: the class, 0 or 1, or the raw value of each number of each row. What is
 * missing, or does not count, is -1, of values NaN.
 */
export function writeTargets(modality: ModalityShape | null, type: AuxiliaryOutput['type'], examples: Examples, out: Float32Array): void {
	if (modality === null) return writeLabels(examples, out);
	const { name, shape, dtype = 'float32' } = modality;
	const { split, rows } = examples;
	const size = sizeOf(shape);
	const values = new (arrayTypeOf(dtype))(rows.length * size);
	split.gather(name, rows, values as CanonicalArray);
	const mask = split.mask(name);
	const width = mask === null ? 1 : mask.length / split.rows;
	const missing = type === 'regression' ? Number.NaN : -1;
	for (const [i, row] of rows.entries())
		for (let at = 0; at < size; at++) {
			const there = mask === null || mask[row * width + Math.floor((at * width) / size)] === 1;
			out[i * size + at] = there ? Number(values[i * size + at]) : missing;
		}
}
