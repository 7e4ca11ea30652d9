import type { Explanation, JobCurves, TaskProfile, TrustedInstance } from '@steelyard/contracts';
import { divergenceOf, explanationTable, isThere } from './explanation-table.js';
import type { Predictions } from './metrics.js';
import { type Said, saidBy } from './said.js';

/** What a model said of the N examples of a split, and whom it trusted. */
export type ExplainedSplit = {
	readonly name: string;
	/** Split of the dataset that the rows are of. */
	readonly file: string;
	/** Row of each example in that split, `[N]`. */
	readonly rows: Uint32Array;
	/** `[N, M]` */
	readonly weights: Float32Array;
	/** `[N, M]`, nats; null where the weighting has none. */
	readonly divergence: Float32Array | null;
	/** One a modality, `[N]`; null where it is always there. */
	readonly present: ReadonlyArray<Uint8Array | null>;
	readonly predictions: Predictions;
	/** Raw, `[N]` or `[N, labels]`. */
	readonly labels: Float64Array;
};

export type ExplanationInput = {
	readonly task: TaskProfile;
	readonly modalities: readonly string[];
	readonly splits: readonly ExplainedSplit[];
	readonly refreshes: JobCurves['weights'];
	/** Name of the split whose instances are shown. */
	readonly reported: string;
};

/** Instances shown at either end. */
const SHOWN = 10;

function instance(split: ExplainedSplit, said: Said, M: number, m: number, i: number): TrustedInstance {
	const cell = (values: ArrayLike<number>): number | number[] =>
		said.width === 1 ? (values[i] as number) : Array.from({ length: said.width }, (_, k) => values[i * said.width + k] as number);
	return {
		row: split.rows[i] as number,
		weight: split.weights[i * M + m] as number,
		divergence: divergenceOf(split, M, m, i),
		prediction: cell(said.predicted),
		probability: said.probability === null ? null : cell(said.probability),
		label: cell(split.labels),
	};
}

/** The instances of modality m with the highest weight and those with the lowest, each from the outermost inwards, the earlier of equals first. */
function trusted(split: ExplainedSplit, said: Said, M: number, m: number): Explanation['instances'][string] {
	const weight = (i: number): number => split.weights[i * M + m] as number;
	const there = [...split.rows.keys()].filter((i) => isThere(split.present[m], i));
	const falling = there.toSorted((a, b) => weight(b) - weight(a) || a - b);
	const rising = there.toSorted((a, b) => weight(a) - weight(b) || a - b);
	const differ = there.length > 0 && weight(falling[0] as number) > weight(rising[0] as number);
	const shown = (order: number[]): TrustedInstance[] => (differ ? order.slice(0, SHOWN).map((i) => instance(split, said, M, m, i)) : []);
	return { most_trusted: shown(falling), least_trusted: shown(rising) };
}

/** The explanation artifacts of a job: `explanation.parquet` and `explanation.json`. Throws RangeError where `reported` is none of the splits. */
export function explain({ task, modalities, splits, refreshes, reported }: ExplanationInput): { parquet: Uint8Array; json: Explanation } {
	const shown = splits.find(({ name }) => name === reported);
	if (shown === undefined)
		throw new RangeError(`the reported split: expected one of ${splits.map(({ name }) => name).join(', ')}, found ${reported}`);
	const said = saidBy(task, shown.predictions);
	return {
		parquet: explanationTable(task, modalities, splits),
		json: {
			object: 'explanation',
			modalities: [...modalities],
			classes: [...task.classes],
			refreshes,
			files: Object.fromEntries(splits.map(({ name, file }) => [name, file])),
			split: reported,
			instances: Object.fromEntries(modalities.map((name, m) => [name, trusted(shown, said, modalities.length, m)])),
		},
	};
}
