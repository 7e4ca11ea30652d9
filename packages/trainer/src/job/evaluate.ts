import type { JobTask, Metrics } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import type { Session, Tensor } from '@steelyard/runtime';
import { uniformWeights } from '@steelyard/weighting';
import type { OwnModel } from '../model/architecture.js';
import { type Examples, inBatches, labelsOf, presence, taken } from '../model/examples.js';
import { filledPorts } from '../model/port.js';
import { expertUseName } from '../model/value-names.js';
import { metricsOf } from '../report/metrics.js';
import type { Predictions } from '../report/predictions.js';
import type { Loss } from '../step/loss.js';
import { exportedPorts } from './exported-ports.js';
import type { Job } from './job.js';
import { judgeGraph } from './judge-graph.js';
import { EvaluationError } from './over-rows.js';

const NO_WEIGHTS = new Float32Array(0);

export type Evaluation = {
	readonly metrics: Metrics;
	/** Null where positions have labels, of which there would be too many, and where a graph computes its loss itself and gives none. */
	readonly predictions: Predictions | null;
	/** `[N, M]` */
	readonly weights: Float32Array;
	/** `[N, M]`, nats, 0 where the modality is missing; null where the weights do not come from divergences. */
	readonly divergence: Float32Array | null;
	/** Of a model with experts: `<layer>.<router>` → the share of each expert, as a mean over the rows. */
	readonly expertUse: Readonly<Record<string, readonly number[]>>;
};

/** What an exported model was made for. */
export type ExportedFor = {
	readonly modalities: readonly ModalityShape[];
	/** Modalities that have a mask. */
	readonly masked: ReadonlySet<string>;
	readonly task: JobTask;
	/** What training minimised, which the metrics report; cross entropy or squared error unless given. */
	readonly loss?: Loss;
	/** Of multilabel, above which probability it predicts each label; ½ unless given. */
	readonly thresholds?: readonly number[] | null;
	/** Routers, `<layer>.<router>`, whose use of experts is wanted; none unless given. */
	readonly routers?: readonly string[];
	/** Whether auroc and auprc are wanted; they are unless given. */
	readonly ranks?: boolean;
};

/** Runs an exported model over the examples and measures its predictions: the figures that a job reports. */
export async function evaluateModel(
	session: Session,
	examples: Examples,
	{ modalities, masked, task, loss, thresholds = null, routers = [], ranks = true }: ExportedFor,
): Promise<Evaluation> {
	const count = examples.rows.length;
	const classes = task.type === 'binary' ? 2 : task.outputs;
	const regression = task.type === 'regression';
	const values = new Float32Array(regression ? count : 0);
	const quantiles = task.quantiles === undefined ? null : new Float32Array(count * task.quantiles.length);
	const logits = new Float32Array(regression ? 0 : count * task.outputs);
	const probabilities = new Float32Array(regression ? 0 : count * classes);
	const weights = new Float32Array(count * modalities.length);
	const diverges = session.outputs.some(({ name }) => name === 'modality_divergence');
	const divergence = diverges ? new Float32Array(weights.length) : null;
	const expertUse = new Map<string, number[]>();
	const ports = exportedPorts(modalities, masked);
	const batch = session.inputs[0]?.shape[0];
	await inBatches(count, typeof batch === 'number' ? batch : null, async (places, start, length) => {
		const rows = { ...taken(examples, places), weights: NO_WEIGHTS };
		const outputs = await session.run(filledPorts([...ports.values, ...ports.masks], rows));
		const put = (output: string, width: number, into: Float32Array): void =>
			into.set(((outputs[output] as Tensor).data as Float32Array).subarray(0, length * width), start * width);
		if (quantiles !== null) put('quantiles', task.outputs, quantiles);
		if (regression) put('prediction', 1, values);
		else {
			put('logits', task.outputs, logits);
			put('probabilities', classes, probabilities);
		}
		put('modality_weights', modalities.length, weights);
		if (divergence !== null) put('modality_divergence', modalities.length, divergence);
		for (const router of routers) {
			const { data, shape } = outputs[expertUseName(router)] as Tensor;
			const experts = shape[1] as number;
			const means = expertUse.get(router) ?? new Array<number>(experts).fill(0);
			(data as Float32Array).subarray(0, length * experts).forEach((share, i) => {
				means[i % experts] = (means[i % experts] as number) + share / count;
			});
			expertUse.set(router, means);
		}
	});
	const ofValues = { values, ...(quantiles === null ? {} : { quantiles }) };
	const predictions: Predictions = regression ? ofValues : { logits, probabilities, ...(thresholds === null ? {} : { thresholds }) };
	return {
		metrics: metricsOf(task, predictions, labelsOf(examples), loss, ranks),
		predictions,
		weights,
		divergence,
		expertUse: Object.fromEntries(expertUse),
	};
}

/** Runs a trained graph of the user's own over the examples, unweighted, and measures its predictions: the figures that a job reports. */
export async function evaluateOwnModel(
	session: Session,
	model: OwnModel,
	examples: Examples,
	job: Pick<Job, 'modalities' | 'task' | 'loss' | 'fusion'> & Pick<ExportedFor, 'ranks'>,
): Promise<Evaluation> {
	const weights = uniformWeights(
		examples.rows.length,
		job.modalities.map((modality) => presence(examples, modality)),
	);
	const { metrics, predictions } = await judgeGraph(job, job.fusion, examples, (visit) => model.visit(session, examples, weights, visit));
	const loss = job.fusion.ownLoss === null ? null : (metrics['loss'] ?? null);
	if (loss !== null && !Number.isFinite(loss)) throw new EvaluationError(examples, null, `its loss is ${loss}, expected a finite number`);
	return { metrics, predictions, weights, divergence: null, expertUse: {} };
}
