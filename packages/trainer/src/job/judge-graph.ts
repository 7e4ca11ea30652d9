import type { Metrics } from '@steelyard/contracts';
import type { Architecture } from '../model/architecture.js';
import { type Examples, labelsOf } from '../model/examples.js';
import type { PositionLogits, VisitOutputs } from '../model/position-logits.js';
import { metricsOf } from '../report/metrics.js';
import { positionMetrics } from '../report/position-metrics.js';
import { type Predictions, predictionsFrom } from '../report/predictions.js';
import type { Job } from './job.js';
import { EvaluationError } from './over-rows.js';

/** What an uploaded graph makes of examples, measured against their raw labels. */
export type JudgedGraph = {
	readonly metrics: Metrics;
	/** Logits, or values for regression, `[N, outputs]`; null where positions have labels, of which there would be too many, and where the graph gives only a loss. */
	readonly logits: Float32Array | null;
	/** What the logits stand for; null where there are none. */
	readonly predictions: Predictions | null;
};

/** Takes outputs as they come. */
type Judge = { readonly visit: VisitOutputs; readonly result: () => JudgedGraph };

/**
 * Measures the logits of positions and forgets them. The result throws EvaluationError, with the first row to blame, where some rows have a loss that is not finite;
 * where all have, the model diverges, whatever the rows.
 */
function ofPositions({ task, loss }: JobLoss, { positions, classes, classAxis }: PositionLogits, examples: Examples): Judge {
	const { split, rows } = examples;
	const width = positions * classes;
	const bad: { place: number; loss: number }[] = [];
	const gathered = positionMetrics(
		task,
		loss,
		classAxis === 1 ? { ofPosition: 1, ofClass: positions } : { ofPosition: classes, ofClass: 1 },
	);
	return {
		visit(logits, start, length) {
			for (let i = 0; i < length; i++) {
				const row = rows[start + i] as number;
				const ofRow = gathered.add(
					(logits as Float32Array).subarray(i * width, (i + 1) * width),
					split.labels.subarray(row * positions, (row + 1) * positions),
				);
				if (!Number.isFinite(ofRow)) bad.push({ place: start + i, loss: ofRow });
			}
		},
		result() {
			const [first] = bad;
			if (first !== undefined && bad.length < rows.length)
				throw new EvaluationError(examples, first.place, `its loss there is ${first.loss}, expected a finite number`);
			return { metrics: gathered.result(), logits: null, predictions: null };
		},
	};
}

/** Keeps the logits of rows. */
function ofRows({ task, loss }: JobLoss, outputs: number, examples: Examples): Judge {
	let logits: Float32Array | null = null;
	return {
		visit(found, start) {
			if (found === null) return;
			logits ??= new Float32Array(examples.rows.length * outputs);
			logits.set(found, start * outputs);
		},
		result() {
			const predictions = logits && predictionsFrom(task, logits);
			return { logits, predictions, metrics: predictions === null ? {} : metricsOf(task, predictions, labelsOf(examples), loss) };
		},
	};
}

type JobLoss = Pick<Job, 'task' | 'loss'>;

/**
 * Judges an uploaded graph by what `run` visits, as `OwnModel` does. The metrics are those of the logits where it gives any, with the loss that it computes itself in
 * the place of theirs where it computes one. Throws EvaluationError as `ofPositions` does.
 */
export async function judgeGraph(
	job: JobLoss,
	{ positions, outputs, ownLoss }: Pick<Architecture, 'positions' | 'outputs' | 'ownLoss'>,
	examples: Examples,
	run: (visit: VisitOutputs) => Promise<number | null>,
): Promise<JudgedGraph> {
	const judge = positions === null ? ofRows(job, outputs, examples) : ofPositions(job, positions, examples);
	const loss = await run(judge.visit);
	const judged = judge.result();
	return ownLoss === null ? judged : { ...judged, metrics: { ...judged.metrics, loss } };
}
