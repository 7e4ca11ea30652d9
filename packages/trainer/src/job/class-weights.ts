import type { ClassWeights, TaskProfile } from '@steelyard/contracts';
import { type Examples, eachLabel } from '../model/examples.js';

/** n / (k · n_c) by class, with n labels of which n_c are of the class, and k classes that occur: as compute_class_weight of scikit-learn; 1 for a class that does not occur. */
function balanced(classes: number, train: Examples): number[] {
	const counts = new Float64Array(classes);
	eachLabel(train, false, (label) => void (counts[label] = (counts[label] as number) + 1));
	const labels = counts.reduce((sum, count) => sum + count, 0);
	const occurring = counts.reduce((sum, count) => sum + Math.min(count, 1), 0);
	return Array.from(counts, (count) => (count === 0 ? 1 : labels / (occurring * count)));
}

/** How much each class counts in training, by its number; null where classes are not weighed. */
export function classWeightsOf(
	given: ClassWeights | undefined,
	{ type, outputs, classes }: TaskProfile,
	train: Examples,
): readonly number[] | null {
	if (given === undefined) return null;
	const count = type === 'binary' ? 2 : outputs;
	if (given === 'balanced') return balanced(count, train);
	return Array.from({ length: count }, (_, c) => {
		const name = classes[c];
		return name !== undefined && Object.hasOwn(given, name) ? (given[name] as number) : 1;
	});
}
