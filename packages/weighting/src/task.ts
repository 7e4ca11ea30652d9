import { WeightingError } from './weighting-error.js';

export type WeightingTask = 'binary' | 'multiclass' | 'multilabel' | 'regression';

/** Model outputs or targets: row-major, one row per instance. Arithmetic on them is in float64. */
export type Reals = Float32Array | Float64Array;

/**
 * Which instances have the modality, for M modalities: 1 (any non-zero) where it is there, 0 where it is masked, N values each.
 * `null`, or no array at all, means that it is there everywhere.
 */
export type Presence = readonly (Uint8Array | null)[];

/**
 * How many values each row of a model's output has: one logit for `binary`, one value for `regression`, one logit per class for `multiclass` and one logit per
 * label for `multilabel`. `classes` counts classes or labels; the other two tasks do not read it.
 */
export function outputWidth(task: WeightingTask, classes: number): number {
	if (task === 'binary' || task === 'regression') return 1;
	if (!Number.isInteger(classes) || classes < 1) {
		throw new WeightingError('configuration', `classes of a ${task} task: expected an integer of at least 1, found ${classes}`);
	}
	return classes;
}

/** The number of rows N of an output `[N, width]`. Throws WeightingError `shape` where its length is no multiple of the width. */
export function rowsOf(what: string, output: Reals, width: number): number {
	const rows = output.length / width;
	if (!Number.isInteger(rows)) throw new WeightingError('shape', `${what}: expected a multiple of ${width} values, found ${output.length}`);
	return rows;
}

export function expectPresence(present: Presence | undefined, modalities: number, rows: number): void {
	if (!present) return;
	if (present.length !== modalities)
		throw new WeightingError('shape', `present: expected ${modalities} modalities, found ${present.length}`);
	present.forEach((mask, m) => {
		if (mask && mask.length !== rows) {
			throw new WeightingError('shape', `present[${m}]: expected ${rows} values, found ${mask.length}`);
		}
	});
}
