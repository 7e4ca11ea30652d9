import {
	admit,
	type DatasetProfile,
	isSingle,
	type JobSpec,
	type JobTask,
	jobTask,
	lossOf,
	type ModalityProfile,
	modalitiesOf,
	ProblemError,
	quantilesOf,
	TASK_LABELS,
} from '@steelyard/contracts';
import {
	type Dataset,
	type FeatureMoments,
	featureMoments,
	type Standardisation,
	standardisationOf,
	trainingRows,
} from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { type GraphFile, modelInterfaceOf } from '../custom/graph-file.js';
import { type Examples, labelsOf, presence, type TargetScale } from '../model/examples.js';
import { lossFor } from '../model/loss-for.js';
import { modalityShape } from '../model/modality-shape.js';
import type { Loss } from '../step/loss.js';
import { overMedian } from '../weighting/over-median.js';
import type { Weigher } from '../weighting/weigher.js';
import { weigherOf } from '../weighting/weigher-of.js';
import { classWeightsOf } from './class-weights.js';

/** What a job works on, before anything is trained. */
export type Prepared = {
	readonly dataset: Dataset;
	/** The uploaded graph; null for a built-in family. */
	readonly graphFile: GraphFile | null;
	readonly task: JobTask;
	readonly modalities: readonly ModalityShape[];
	/** Modalities that have masks. */
	readonly masked: ReadonlySet<string>;
	/** Mean and deviation of each feature of a modality over the training rows, taken where they are asked for first. */
	readonly moments: (modality: string) => FeatureMoments;
	readonly standardisation: ReadonlyMap<string, Standardisation>;
	readonly scale: TargetScale;
	readonly loss: Loss;
	/** How much each class counts in training; null where classes are not weighed. */
	readonly classWeights: readonly number[] | null;
	readonly weigher: Weigher<unknown>;
	readonly train: Examples;
	readonly validation: Examples;
	/** Further splits that are judged: test, and what the manifest names. */
	readonly others: readonly Examples[];
};

const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** The modalities that an admitted job uses, as the dataset has them. */
const shapesOf = (spec: JobSpec, { profile }: Dataset): ModalityShape[] =>
	modalitiesOf(spec, profile).map((name) => modalityShape(name, profile.modalities[name] as ModalityProfile));

/** No modality that the job uses, or compares an output with, is missing in every training row. */
function checkPresence({ model }: JobSpec, { profile }: Dataset, train: Examples, modalities: readonly ModalityShape[]): void {
	const check = (modality: ModalityShape, param: string): void => {
		if (presence(train, modality)?.includes(1) === false)
			throw new ProblemError('invalid_dataset', `The modality ${modality.name} is missing in every training row`, param);
	};
	for (const modality of modalities) check(modality, 'modalities');
	for (const [output, { labels }] of Object.entries((model.family === 'custom' && model.outputs) || {}))
		if (labels !== TASK_LABELS)
			check(modalityShape(labels, profile.modalities[labels] as ModalityProfile), `model.outputs.${output}.labels`);
}

function momentsIn({ split, rows }: Examples): Prepared['moments'] {
	const taken = new Map<string, FeatureMoments>();
	return (modality) => {
		const known = taken.get(modality) ?? featureMoments(split, modality, rows);
		taken.set(modality, known);
		return known;
	};
}

/** The standardisation of each modality but those whose values the dataset wants left as they are. */
function standardisations(
	moments: Prepared['moments'],
	modalities: readonly ModalityShape[],
	profile: DatasetProfile,
): Map<string, Standardisation> {
	const standardised = modalities.filter(({ name }) => profile.modalities[name]?.standardize !== false);
	return new Map(standardised.map(({ name }) => [name, standardisationOf(moments(name))]));
}

function scaleOf(train: Examples): TargetScale {
	const labels = labelsOf(train);
	const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
	const deviation = Math.sqrt(labels.reduce((sum, label) => sum + (label - mean) ** 2, 0) / labels.length);
	return { mean: Math.fround(mean), deviation: Math.fround(deviation > 0 ? deviation : 1) };
}

/**
 * Admits a job and derives all that training needs from its spec, its dataset and its graph (null for a built-in family). Throws ProblemError where these do not
 * fit each other.
 */
export function prepare(spec: JobSpec, dataset: Dataset, graphFile: GraphFile | null): Prepared {
	if (!isSingle(spec)) throw new RangeError('expected one weighting; a job with auto is trained as its candidates');
	const [problem] = admit(spec, dataset.profile, graphFile === null ? null : modelInterfaceOf(graphFile));
	if (problem !== undefined) throw problem;
	const chosen = lossOf(spec).loss;
	const quantiles = quantilesOf(chosen);
	const task = jobTask(dataset.profile.task, quantiles);
	const weigher = weigherOf(spec.weighting, dataset.profile.task, spec.training.seed);
	const modalities = shapesOf(spec, dataset);
	const custom = spec.model.family === 'custom'; // raw values in, raw values out
	const standardise = !custom && (spec.training.standardize ?? true);
	const parts = trainingRows(dataset, { fraction: spec.training.validation_fraction, seed: spec.training.seed });
	const examples = (name: string, split: string, rows: Uint32Array): Examples => ({ name, split: dataset.split(split), rows });
	const train = examples('train', parts.train.split, parts.train.rows);
	checkPresence(spec, dataset, train, modalities);
	const moments = momentsIn(train);
	return {
		dataset,
		graphFile,
		task,
		modalities,
		masked: new Set(modalities.filter(({ name }) => dataset.profile.modalities[name]?.masked).map(({ name }) => name)),
		moments,
		standardisation: standardise ? standardisations(moments, modalities, dataset.profile) : new Map(),
		scale: custom || task.type !== 'regression' ? { mean: 0, deviation: 1 } : scaleOf(train),
		loss: lossFor(chosen, task.type),
		classWeights: classWeightsOf(spec.training.class_weights, task, train),
		weigher: quantiles === null ? weigher : overMedian(weigher, quantiles),
		train,
		validation: examples('validation', parts.validation.split, parts.validation.rows),
		others: dataset.splitNames
			.filter((name) => name !== 'train' && name !== 'valid')
			.map((name) => examples(name, name, allRows(dataset.split(name).rows))),
	};
}
