import type { Loss } from '../step/loss.js';
import type { Job } from './job.js';

/** A loss with its choices. */
function lossWords(loss: Loss): string {
	const { name, ...choices } = typeof loss === 'string' ? { name: loss } : loss;
	const chosen = Object.entries(choices).flatMap(([choice, value]) =>
		value === null
			? []
			: [`${choice === 'labelSmoothing' ? 'label_smoothing' : choice} ${Array.isArray(value) ? value.join(', ') : value}`],
	);
	return [name.replace('binary_', ''), ...(chosen.length === 0 ? [] : [`(${chosen.join(', ')})`])].join(' ');
}

/** What training minimised, and of which logits. */
export function lossText({ loss, classWeights, fusion: { probabilities, ownLoss, auxiliary } }: Job): string {
	if (ownLoss !== null) return `the output "${ownLoss.output}" of the graph`;
	const text = lossWords(loss);
	const ofTask =
		probabilities === null ? text : `${text} of the logits before the ${probabilities.operator} of the output "${probabilities.output}"`;
	const weighed = classWeights === null ? ofTask : `${ofTask}, weighed by class in training`;
	return [weighed, ...auxiliary.map((one) => `${one.weight} · ${lossWords(one.loss)} of the output "${one.name}"`)].join(' + ');
}
