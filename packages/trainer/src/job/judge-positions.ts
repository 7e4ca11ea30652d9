import type { Metrics, TaskProfile } from '@steelyard/contracts';
import type { Examples } from '../model/examples.js';
import type { PositionLogits, VisitLogits } from '../model/position-logits.js';
import { positionMetrics } from '../report/position-metrics.js';
import type { Loss } from '../step/loss.js';
import { EvaluationError } from './over-rows.js';

/**
 * Metrics over all positions of the examples that count, of logits that `each` gives batch by batch. Throws EvaluationError, with the first row to blame, where some
 * rows have a loss that is not finite; where all have, the model diverges, whatever the rows.
 */
export async function judgePositions(
	{ task, loss }: { task: TaskProfile; loss: Loss },
	{ positions, classes, classAxis }: PositionLogits,
	examples: Examples,
	each: (visit: VisitLogits) => Promise<void>,
): Promise<Metrics> {
	const { split, rows } = examples;
	const width = positions * classes;
	const bad: { place: number; loss: number }[] = [];
	const gathered = positionMetrics(
		task,
		loss,
		classAxis === 1 ? { ofPosition: 1, ofClass: positions } : { ofPosition: classes, ofClass: 1 },
	);
	await each((logits, start, length) => {
		for (let i = 0; i < length; i++) {
			const row = rows[start + i] as number;
			const ofRow = gathered.add(
				logits.subarray(i * width, (i + 1) * width),
				split.labels.subarray(row * positions, (row + 1) * positions),
			);
			if (!Number.isFinite(ofRow)) bad.push({ place: start + i, loss: ofRow });
		}
	});
	const [first] = bad;
	if (first !== undefined && bad.length < rows.length)
		throw new EvaluationError(examples, first.place, `its loss there is ${first.loss}, expected a finite number`);
	return gathered.result();
}
