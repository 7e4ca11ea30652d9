import type { Metrics } from '@steelyard/contracts';
import type { Architecture } from '../model/architecture.js';
import { type AuxiliaryOutput, auxiliaryWidth, writeTargets } from '../model/auxiliary-output.js';
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

/** `ranks`: whether auroc and auprc are wanted; they are unless given. */
type JobLoss = Pick<Job, 'task' | 'loss'> & { readonly ranks?: boolean };

/** An output whose positions are told something, and what that is compared with. */
type Positions = PositionLogits & Pick<AuxiliaryOutput, 'type' | 'loss' | 'target'>;

/** Measures what an output gives for each position, batch by batch, and forgets it. */
type Measure = {
	/** Takes `[length, positions · classes]` of the rows from `start` on. */
	readonly add: (outputs: Float32Array, start: number, length: number) => void;
	/** Throws EvaluationError, with the first row to blame, where some rows have a loss that is not finite; where all have, the model diverges, whatever the rows. */
	readonly result: () => Metrics;
};

/** `named` is what the message of an error calls the loss. */
function measureOf(output: Positions, examples: Examples, named: string): Measure {
	const { positions, classes, classAxis, type, loss, target } = output;
	const { rows } = examples;
	const width = auxiliaryWidth(output);
	const bad: { place: number; loss: number }[] = [];
	const gathered = positionMetrics(
		{ type, classes: [], outputs: classes },
		loss,
		classAxis === 1 ? { ofPosition: 1, ofClass: positions } : { ofPosition: classes, ofClass: 1 },
	);
	return {
		add(outputs, start, length) {
			const targets = new Float32Array(length * positions);
			writeTargets(target, type, { ...examples, rows: rows.subarray(start, start + length) }, targets);
			for (let i = 0; i < length; i++) {
				const own = targets.subarray(i * positions, (i + 1) * positions);
				const ofRow = gathered.add(outputs.subarray(i * width, (i + 1) * width), own);
				if (!Number.isFinite(ofRow)) bad.push({ place: start + i, loss: ofRow });
			}
		},
		result() {
			const [first] = bad;
			if (first !== undefined && bad.length < rows.length)
				throw new EvaluationError(examples, first.place, `${named} there is ${first.loss}, expected a finite number`);
			return gathered.result();
		},
	};
}

/** Takes the logits of the task as they come. */
type Judge = { readonly visit: (logits: Float32Array | null, start: number, length: number) => void; readonly result: () => JudgedGraph };

/** Measures the logits of positions. */
function ofPositions({ task: { type }, loss }: JobLoss, positions: PositionLogits, examples: Examples): Judge {
	// a multilabel task has no positions
	const measure = measureOf({ ...positions, type: type as Positions['type'], loss, target: null }, examples, 'its loss');
	return {
		visit: (logits, start, length) => measure.add(logits as Float32Array, start, length),
		result: () => ({ metrics: measure.result(), logits: null, predictions: null }),
	};
}

/** Keeps the logits of rows. */
function ofRows({ task, loss, ranks = true }: JobLoss, outputs: number, examples: Examples): Judge {
	let logits: Float32Array | null = null;
	return {
		visit(found, start) {
			if (found === null) return;
			logits ??= new Float32Array(examples.rows.length * outputs);
			logits.set(found, start * outputs);
		},
		result() {
			const predictions = logits && predictionsFrom(task, logits);
			return { logits, predictions, metrics: predictions === null ? {} : metricsOf(task, predictions, labelsOf(examples), loss, ranks) };
		},
	};
}

/** The figures of an auxiliary output that a job reports. */
const REPORTED: Readonly<Record<AuxiliaryOutput['type'], readonly string[]>> = {
	binary: ['loss', 'accuracy'],
	multiclass: ['loss', 'accuracy'],
	regression: ['loss', 'mae', 'rmse'],
};

/** The name of the loss of one of several outputs among the metrics. */
export const lossName = (output: string): string => `${output}.loss`;

/**
 * The metrics of a task with those of auxiliary outputs, as `<output>.<metric>`: `loss` is then what training minimises, the sum, and that of the task `<output>.loss`
 * too. An output of which nothing counts adds nothing.
 */
function withAuxiliary(metrics: Metrics, output: string, auxiliary: readonly { of: AuxiliaryOutput; metrics: Metrics }[]): Metrics {
	if (auxiliary.length === 0) return metrics;
	const own = metrics['loss'] ?? null;
	const further = auxiliary.reduce((sum, { of, metrics: { loss } }) => sum + of.weight * (loss ?? 0), 0);
	const named = auxiliary.flatMap(({ of, metrics: found }) => REPORTED[of.type].map((name) => [`${of.name}.${name}`, found[name] ?? null]));
	return { ...metrics, loss: own === null ? null : own + further, [lossName(output)]: own, ...Object.fromEntries(named) };
}

/**
 * Judges an uploaded graph by what `run` visits, as `OwnModel` does. The metrics are those of the logits where it gives any, with the loss that it computes itself in
 * the place of theirs where it computes one, and those of auxiliary outputs. Throws EvaluationError, with the first row to blame, where some rows have a loss of
 * positions or of an auxiliary output that is not finite.
 */
export async function judgeGraph(
	job: JobLoss,
	{ positions, outputs, output, ownLoss, auxiliary }: Pick<Architecture, 'positions' | 'outputs' | 'output' | 'ownLoss' | 'auxiliary'>,
	examples: Examples,
	run: (visit: VisitOutputs) => Promise<number | null>,
): Promise<JudgedGraph> {
	const judge = positions === null ? ofRows(job, outputs, examples) : ofPositions(job, positions, examples);
	const others = auxiliary.map((of) => ({ of, measure: measureOf(of, examples, `the loss of its output "${of.name}"`) }));
	const loss = await run((logits, start, length, further) => {
		judge.visit(logits, start, length);
		for (const [i, { measure }] of others.entries()) measure.add(further[i] as Float32Array, start, length);
	});
	const judged = judge.result();
	if (ownLoss !== null) return { ...judged, metrics: { ...judged.metrics, loss } };
	const measured = others.map(({ of, measure }) => ({ of, metrics: measure.result() }));
	return { ...judged, metrics: withAuxiliary(judged.metrics, output ?? '', measured) };
}
