import type { JobCurves } from '@steelyard/contracts';

type Epoch = JobCurves['epochs'][number];
type Weights = JobCurves['weights'][number];

/** The most points of a curve, beside the best and the newest; of a longer one only every second, fourth and so on is kept. */
export const MOST_POINTS = 2048;

/** How far apart the points of a curve are kept that has `count` of them: a power of two. */
const strideOf = (count: number): number => 2 ** Math.max(0, Math.ceil(Math.log2(count / MOST_POINTS)));

/** Adds the epoch that a model has just ended to the curves of all models. Of a long curve the last of the best epochs stays, and so does the newest one. */
export function addEpoch(epochs: Epoch[], epoch: Epoch): void {
	const stride = strideOf(epoch.epoch + 1);
	const isRegular = (one: Epoch) => one.model !== epoch.model || one.epoch % stride === 0;
	const isBest = (one: Epoch) => one.model === epoch.model && one.best;
	if (strideOf(epoch.epoch) !== stride) {
		const best = epoch.best ? epoch : epochs.findLast(isBest);
		epochs.splice(0, epochs.length, ...epochs.filter((one) => isRegular(one) || one === best));
	} else if (stride > 1) {
		// Of those that were there, only the best and the newest may have to go.
		const best = epoch.best ? epochs.findLastIndex(isBest) : -1;
		if (best >= 0 && !isRegular(epochs[best] as Epoch)) epochs.splice(best, 1);
		const newest = epochs.at(-1);
		if (newest !== undefined && !isRegular(newest) && !isBest(newest)) epochs.pop();
	}
	epochs.push(epoch);
}

/** Adds the weights after the refresh number `count`, counted from 1. Of a long curve the newest point stays. */
export function addWeights(weights: Weights[], point: Weights, count: number): void {
	const [before, stride] = [strideOf(Math.max(count - 1, 1)), strideOf(count)];
	if (count > 1 && (count - 2) % before !== 0) weights.pop();
	if (stride > before) weights.splice(0, weights.length, ...weights.filter((_, i) => i % 2 === 0));
	weights.push(point);
}
