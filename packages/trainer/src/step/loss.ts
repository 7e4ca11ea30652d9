import type { TrainedLoss, TrainedLossName } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';

export type Loss = TrainedLoss;
export type LossName = TrainedLossName;

/** The loss of values that are `deviation` times smaller: δ is in the unit of the label. */
export const scaledLoss = (loss: Loss, deviation: number): Loss =>
	typeof loss === 'object' && loss.name === 'huber' ? { name: 'huber', delta: loss.delta / deviation } : loss;

/** −log p of what is true times (1 − p)^γ, of each logit; the target is 0 or 1. */
export function binaryFocalLoss(
	g: GraphBuilder,
	{ gamma, alpha }: Extract<Loss, { name: 'binary_focal' }>,
	logits: Value,
	target: Value,
): Value {
	// of z where the label applies, else of −z: −log p = softplus(−z) and −log(1 − p) = softplus(z)
	const sign = g.sub(g.scale(2, target), g.scalar(1));
	const z = g.mul(sign, logits);
	const focal = g.mul(g.op('Softplus', [g.neg(z)]), g.exp(g.scale(-gamma, g.op('Softplus', [z]))));
	if (alpha === null) return focal;
	return g.mul(focal, g.add(g.scalar(1 - alpha), g.scale(2 * alpha - 1, target)));
}

/** −log p · (1 − p)^γ, where 1 − p is `others`. */
export const focused = (g: GraphBuilder, gamma: number, entropy: Value, others: Value): Value =>
	g.mul(entropy, g.op('Pow', [g.op('Max', [others, g.scalar(1e-30)]), g.scalar(gamma)])); // no gradient of a power of 0

/** −log p of the class that is true times (1 − p)^γ, of each row, `[batch, 1]`; the target is one-hot. */
function focalLoss(g: GraphBuilder, { gamma }: Extract<Loss, { name: 'focal' }>, logits: Value, target: Value): Value {
	const log = g.op('LogSoftmax', [logits], { axis: 1 });
	const entropy = g.neg(g.reduceSum(g.mul(log, target), [1]));
	const others = g.reduceSum(g.mul(g.exp(log), g.sub(g.scalar(1), target)), [1]);
	return focused(g, gamma, entropy, others);
}

/** c·(e − c/2), c being the error e held within ±δ. */
export function huberLoss(g: GraphBuilder, delta: number, error: Value): Value {
	const held = g.op('Clip', [error, g.scalar(-delta), g.scalar(delta)]);
	return g.mul(held, g.sub(error, g.scale(0.5, held)));
}

/** The pinball loss of each quantile, `[batch, quantiles]`: τ·e, and (τ − 1)·e where e is below 0, of the error e = target − output, target `[batch, 1]`. */
export function pinballLoss(g: GraphBuilder, quantiles: readonly number[], outputs: Value, target: Value): Value {
	const error = g.sub(target, outputs);
	return g.add(g.mul(g.constant('float32', [1, quantiles.length], quantiles), error), g.op('Relu', [g.neg(error)]));
}

/** (1 − s)·target + s/classes. */
export const smoothedTarget = (g: GraphBuilder, smoothing: number, target: Value, classes: number): Value =>
	g.add(g.scale(1 - smoothing, target), g.scalar(smoothing / classes));

/**
 * Σ_i weight_i · loss_i, a scalar, for logits and target `[batch, outputs]` and weight `[batch, 1]`.
 * Target: one-hot for classes, 0 or 1 for labels, a value for mse, mae and huber, and one value `[batch, 1]` for all quantiles, whose losses are averaged. Of several outputs the losses of labels are the mean (they are the labels of a
 * multilabel task), so that their scale, and with it the learning rate and the clipping that fit, do not grow with their number.
 */
export function lossOf(g: GraphBuilder, loss: Loss, logits: Value, target: Value, weight: Value): Value {
	const labels = target.shape[1] as number;
	const share = () => (labels === 1 ? weight : g.scale(1 / labels, weight));
	if (typeof loss === 'object')
		switch (loss.name) {
			case 'cross_entropy':
				return lossOf(g, loss.name, logits, smoothedTarget(g, loss.labelSmoothing, target, labels), weight);
			case 'binary_cross_entropy':
				return lossOf(g, loss.name, logits, smoothedTarget(g, loss.labelSmoothing, target, 2), weight);
			case 'focal':
				return g.sumAll(g.mul(focalLoss(g, loss, logits, target), weight));
			case 'binary_focal':
				return g.sumAll(g.mul(binaryFocalLoss(g, loss, logits, target), share()));
			case 'huber':
				return g.sumAll(g.mul(huberLoss(g, loss.delta, g.sub(logits, target)), weight));
			case 'quantile':
				return g.sumAll(g.mul(pinballLoss(g, loss.quantiles, logits, target), g.scale(1 / loss.quantiles.length, weight)));
		}
	switch (loss) {
		case 'cross_entropy':
			return g.neg(g.sumAll(g.mul(g.op('LogSoftmax', [logits], { axis: 1 }), g.mul(target, weight))));
		case 'binary_cross_entropy': {
			const each = share();
			return g.sumAll(g.mul(g.sub(g.op('Softplus', [logits]), g.mul(target, logits)), each)); // log(1 + exp z) − y·z
		}
		case 'mse': {
			const error = g.sub(logits, target);
			return g.sumAll(g.mul(g.mul(error, error), weight));
		}
		case 'mae':
			return g.sumAll(g.mul(g.op('Abs', [g.sub(logits, target)]), weight));
	}
}

/** The probability of what a row is labelled where the loss is one of classes or labels (the geometric mean over labels), else exp(−loss_i): `[batch, 1]`. */
export function likelihoodOf(g: GraphBuilder, loss: Loss, logits: Value, target: Value): Value {
	const error = (): Value => g.sub(logits, target);
	const entropy = () => g.neg(g.mul(g.op('LogSoftmax', [logits], { axis: 1 }), target));
	const binaryEntropy = () => g.scale(1 / (target.shape[1] as number), g.sub(g.op('Softplus', [logits]), g.mul(target, logits)));
	const perOutput = {
		cross_entropy: entropy,
		focal: entropy,
		binary_cross_entropy: binaryEntropy,
		binary_focal: binaryEntropy,
		mse: () => {
			const e = error();
			return g.mul(e, e);
		},
		mae: () => g.op('Abs', [error()]),
		huber: () => huberLoss(g, typeof loss === 'object' && loss.name === 'huber' ? loss.delta : 1, error()),
		quantile: () => {
			const quantiles = typeof loss === 'object' && loss.name === 'quantile' ? loss.quantiles : [];
			return g.scale(1 / quantiles.length, pinballLoss(g, quantiles, logits, target));
		},
	}[typeof loss === 'object' ? loss.name : loss];
	return g.exp(g.neg(g.reduceSum(perOutput(), [1])));
}
