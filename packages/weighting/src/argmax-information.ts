import { expectLength, WeightingError } from './weighting-error.js';

/**
 * Plug-in mutual information of two label sequences in nats, at least 0: Σ_ab n_ab/N · ln(N·n_ab / (n_a·n_b)). Its bias is about (C−1)²/2N upwards.
 *
 * @param labelsA class index of each instance, `[N]`, from 0 to classes − 1
 * @param labelsB the same, by the other model
 */
export function mutualInformationArgmax(labelsA: Int32Array, labelsB: Int32Array, classes: number): number {
	const count = labelsA.length;
	expectLength('second labels', count, labelsB.length);
	const countA = new Float64Array(classes);
	const countB = new Float64Array(classes);
	const joint = new Map<number, number>(); // few of the classes² pairs occur
	for (let i = 0; i < count; i++) {
		const a = labelsA[i]!;
		const b = labelsB[i]!;
		if (!(a >= 0 && a < classes && b >= 0 && b < classes)) {
			throw new WeightingError('shape', `labels of row ${i}: expected 0 to ${classes - 1}, found ${a} and ${b}`);
		}
		countA[a]!++;
		countB[b]!++;
		const pair = a * classes + b;
		joint.set(pair, (joint.get(pair) ?? 0) + 1);
	}
	let sum = 0;
	for (const [pair, together] of joint) {
		const independent = countA[Math.floor(pair / classes)]! * countB[pair % classes]!;
		sum += (together / count) * Math.log((count * together) / independent);
	}
	return Math.max(0, sum);
}
