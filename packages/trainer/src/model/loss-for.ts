import { type LossChoices, quantilesOf, type TaskType, type TrainedLoss } from '@steelyard/contracts';

/** The loss of an admitted job or of one of its outputs, by what it chose and its task. */
export function lossFor(chosen: LossChoices, type: TaskType): TrainedLoss {
	const { name, label_smoothing: labelSmoothing = 0, gamma = 2, alpha = null, delta = 1 } = chosen;
	if (name === 'huber') return { name, delta };
	const quantiles = quantilesOf(chosen);
	if (quantiles !== null) return { name: 'quantile', quantiles };
	if (type === 'regression') return name === 'mae' ? 'mae' : 'mse';
	const binary = type !== 'multiclass';
	if (name === 'focal') return binary ? { name: 'binary_focal', gamma, alpha } : { name, gamma };
	const entropy = binary ? 'binary_cross_entropy' : 'cross_entropy';
	return labelSmoothing === 0 ? entropy : { name: entropy, labelSmoothing };
}
