import { expectPresence, type Presence } from './task.js';

/**
 * The weights of N instances that take nothing from any model: 1 for a modality that an instance has, 0 for one that it lacks.
 *
 * @returns `[N, M]`, row-major
 * @throws WeightingError `shape` where a mask does not have N values
 */
export function uniformWeights(rows: number, present: Presence): Float32Array {
	const modalities = present.length;
	expectPresence(present, modalities, rows);
	const weights = new Float32Array(rows * modalities).fill(1);
	present.forEach((mask, m) => {
		mask?.forEach((there, i) => {
			if (there === 0) weights[i * modalities + m] = 0;
		});
	});
	return weights;
}
