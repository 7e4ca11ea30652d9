import type { Explanation, JobCurves, JobTask, TrustedInstance } from '@steelyard/contracts';
import { type Decisions, decisionsOf } from './decisions.js';
import { divergenceOf, type ExplainedSplit, isPresent } from './explained-split.js';
import { explanationTable } from './explanation-table.js';

export type ExplanationInput = {
	readonly task: JobTask;
	readonly modalities: readonly string[];
	readonly splits: readonly ExplainedSplit[];
	readonly refreshes: JobCurves['weights'];
	/** Name of the split whose instances are shown. */
	readonly reported: string;
};

/** Instances shown at either end. */
const SHOWN = 10;

function instance(split: ExplainedSplit, decisions: Decisions, M: number, m: number, i: number): TrustedInstance {
	const cell = (values: ArrayLike<number>): number | number[] =>
		decisions.width === 1
			? (values[i] as number)
			: Array.from({ length: decisions.width }, (_, k) => values[i * decisions.width + k] as number);
	return {
		row: split.rows[i] as number,
		weight: split.weights[i * M + m] as number,
		divergence: divergenceOf(split, M, m, i),
		prediction: cell(decisions.predicted),
		probability: decisions.probability === null ? null : cell(decisions.probability),
		label: cell(split.labels),
	};
}

/** The instances with the highest weight of modality m and those with the lowest, the most extreme first; of equal ones the earlier first. None where all weights are equal, and where there are no decisions. */
function trusted(split: ExplainedSplit, decisions: Decisions | null, M: number, m: number): Explanation['instances'][string] {
	const weight = (i: number): number => split.weights[i * M + m] as number;
	const having = [...split.rows.keys()].filter((i) => isPresent(split.present[m], i));
	const falling = having.toSorted((a, b) => weight(b) - weight(a) || a - b);
	const rising = having.toSorted((a, b) => weight(a) - weight(b) || a - b);
	const differ = having.length > 0 && weight(falling[0] as number) > weight(rising[0] as number);
	const shown = (order: number[]): TrustedInstance[] =>
		differ && decisions !== null ? order.slice(0, SHOWN).map((i) => instance(split, decisions, M, m, i)) : [];
	return { most_trusted: shown(falling), least_trusted: shown(rising) };
}

/** The explanation artifacts of a job: `explanation.parquet` and `explanation.json`. Throws RangeError where `reported` is none of the splits. */
export function explain({ task, modalities, splits, refreshes, reported }: ExplanationInput): { parquet: Uint8Array; json: Explanation } {
	const shown = splits.find(({ name }) => name === reported);
	if (shown === undefined)
		throw new RangeError(`the reported split: expected one of ${splits.map(({ name }) => name).join(', ')}, found ${reported}`);
	const decisions = shown.predictions && decisionsOf(task, shown.predictions);
	return {
		parquet: explanationTable(task, modalities, splits),
		json: {
			object: 'explanation',
			modalities: [...modalities],
			classes: [...task.classes],
			refreshes,
			files: Object.fromEntries(splits.map(({ name, file }) => [name, file])),
			split: reported,
			instances: Object.fromEntries(modalities.map((name, m) => [name, trusted(shown, decisions, modalities.length, m)])),
		},
	};
}
