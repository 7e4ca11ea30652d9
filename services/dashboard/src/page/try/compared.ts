import type { Prediction } from '@steelyard/contracts';

/** Numbers of one thing, such as the probability of each class: as the row is, and where something is left out of it. */
export type Compared = { readonly name: string; readonly values: readonly [number | null, number | null] };

type Numbers = Readonly<Record<string, number>>;

/** Numbers of two predictions by name, in the order of the first. */
export function compared(before: Numbers | undefined, after: Numbers | undefined): Compared[] {
	const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
	return [...names].map((name) => ({ name, values: [before?.[name] ?? null, after?.[name] ?? null] }));
}

/** The most likely classes of two predictions, at most `most`, the most likely first, and how many are left out. */
export function likeliest(before: Prediction, after: Prediction | null, most: number): { classes: Compared[]; more: number } {
	const all = compared(before.probabilities, after?.probabilities);
	const top = ({ values }: Compared): number => Math.max(values[0] ?? 0, values[1] ?? 0);
	const classes = all.length <= most ? all : all.toSorted((a, b) => top(b) - top(a)).slice(0, most);
	return { classes, more: all.length - classes.length };
}

/** What a prediction says, as text. */
export function predictionText({ prediction }: Prediction): string | number | null {
	if (prediction === undefined) return null;
	if (!Array.isArray(prediction)) return prediction;
	return prediction.length === 0 ? 'none' : prediction.join(', ');
}

/** Whether a prediction is the label; null where that cannot be said, as of a number. */
export function isRight({ prediction }: Prediction, label: unknown): boolean | null {
	if (prediction === undefined || label === null || label === undefined) return null;
	if (Array.isArray(prediction))
		return Array.isArray(label) && label.length === prediction.length && label.every((one) => prediction.includes(String(one)));
	return typeof prediction === 'number' ? null : prediction === String(label);
}
