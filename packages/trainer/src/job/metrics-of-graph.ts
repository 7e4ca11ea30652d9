import type { Metrics, TaskProfile } from '@steelyard/contracts';
import type { GraphResults } from '../model/architecture.js';
import { metricsOf } from '../report/metrics.js';
import { predictionsFrom } from '../report/predictions.js';
import type { Loss } from '../step/loss.js';

/** Metrics of what an uploaded graph makes of examples, against their raw labels: those of its logits where it gives any, and its own loss where it computes one. */
export function metricsOfGraph(task: TaskProfile, { logits, ownLoss }: GraphResults, labels: Float64Array, loss?: Loss): Metrics {
	const ofLogits = logits === null ? {} : metricsOf(task, predictionsFrom(task, logits), labels, loss);
	return ownLoss === null ? ofLogits : { ...ofLogits, loss: ownLoss.mean };
}
