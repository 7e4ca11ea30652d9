import type { JobCurves } from '@steelyard/contracts';
import { table } from './output.js';
import { sparkline } from './sparkline.js';

type Epoch = JobCurves['epochs'][number];

const figure = (value: number): string => (Math.abs(value) >= 1000 ? value.toPrecision(5) : value.toFixed(4));

/** One curve: what it is, its first value, its form, and its last one. */
const curve = (name: string, values: readonly number[]): string[] => [
	`  ${name}`,
	figure(values[0] as number),
	sparkline(values),
	figure(values.at(-1) as number),
];

const isThere = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

/** The curves of one model, with a heading that says which epoch was best. */
function modelRows(model: string, epochs: readonly Epoch[]): string[][] {
	const best = epochs.findLast((epoch) => epoch.best);
	const metrics = [...new Set(epochs.flatMap(({ validation }) => Object.keys(validation)))];
	const bestText =
		best === undefined ? '' : `, best in epoch ${best.epoch + 1}: validation loss ${figure(best.validation['loss'] ?? Number.NaN)}`;
	return [
		[`${model}, ${epochs.length} epochs${bestText}`],
		curve(
			'train loss',
			epochs.map(({ train_loss: loss }) => loss),
		),
		...metrics.flatMap((name) => {
			const values = epochs.map(({ validation }) => validation[name]).filter(isThere);
			return values.length === 0 ? [] : [curve(`validation ${name}`, values)];
		}),
	];
}

/** The mean weight of each modality over the refreshes. */
function weightRows(weights: JobCurves['weights']): string[][] {
	const modalities = Object.keys(weights.at(-1)?.modality_weights ?? {});
	if (modalities.length === 0) return [];
	return [
		[`weights, ${weights.length} refreshes`],
		...modalities.map((modality) => curve(modality, weights.map((one) => one.modality_weights[modality]).filter(isThere))),
	];
}

/** The curves of a job, one line for each: its first value, its form from its least to its largest value, and its last one. Epochs are counted from 1. */
export function curvesText({ epochs, weights }: JobCurves): string {
	const models = [...new Set(epochs.map(({ model }) => model))];
	const parts = [
		...models.map((model) =>
			modelRows(
				model,
				epochs.filter((epoch) => epoch.model === model),
			),
		),
		weightRows(weights),
	];
	const isHeading = (row: readonly string[]): boolean => row.length === 1;
	const aligned = table(parts.flat().filter((row) => !isHeading(row))).split('\n');
	return parts
		.filter((rows) => rows.length > 0)
		.map((rows) => rows.map((row) => (isHeading(row) ? row[0] : aligned.shift())).join('\n'))
		.join('\n\n');
}
