import { type ClassCurve, CURVE_POINTS } from '@steelyard/contracts';
import { rankingOfRuns, type TiedRun, tiedRuns } from './ranking-metrics.js';

type Point = {
	readonly threshold: number | null;
	readonly falsePositive: number;
	readonly truePositive: number;
	readonly precision: number;
};

/** The points of both curves by falling threshold: never predicted, then one per run. */
function pointsOf(runs: readonly TiedRun[], positives: number, negatives: number): Point[] {
	const points: Point[] = [{ threshold: null, falsePositive: 0, truePositive: 0, precision: 1 }];
	let [hits, alarms] = [0, 0];
	for (const [p, n, threshold] of runs) {
		hits += p;
		alarms += n;
		points.push({ threshold, falsePositive: alarms / negatives, truePositive: hits / positives, precision: hits / (hits + alarms) });
	}
	return points;
}

/** The first, the last, and what lies this far apart along the ROC curve, whose rates only grow from 0 to 1, can be no more points than a curve may have. */
const DISTANCE = 2 / (CURVE_POINTS - 2);

/** All points, or as many as a curve may have. */
function thinned(points: readonly Point[]): readonly Point[] {
	if (points.length <= CURVE_POINTS) return points;
	let next = 0;
	return points.filter(({ falsePositive, truePositive }, at) => {
		const along = falsePositive + truePositive;
		if (along < next && at < points.length - 1) return false;
		next = along + DISTANCE;
		return true;
	});
}

const rounded = (value: number): number => Number(value.toPrecision(6));

/** Both curves of one class or label by its probabilities, `[N]`, and whether a row has it; null where every row has it or none. */
export function classCurve(
	probabilities: Float32Array,
	positive: (row: number) => boolean,
): Pick<ClassCurve, 'positives' | 'negatives' | 'auroc' | 'auprc' | 'curve'> {
	const runs = tiedRuns(probabilities, positive);
	const positives = runs.reduce((sum, [p]) => sum + p, 0);
	const negatives = probabilities.length - positives;
	const areas = rankingOfRuns(runs);
	if (positives === 0 || negatives === 0) return { positives, negatives, ...areas, curve: null };
	const points = thinned(pointsOf(runs, positives, negatives));
	return {
		positives,
		negatives,
		...areas,
		curve: {
			threshold: points.map(({ threshold }) => (threshold === null ? null : rounded(threshold))),
			false_positive_rate: points.map(({ falsePositive }) => rounded(falsePositive)),
			true_positive_rate: points.map(({ truePositive }) => rounded(truePositive)),
			precision: points.map(({ precision }) => rounded(precision)),
		},
	};
}
