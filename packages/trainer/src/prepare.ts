import { type JobSpec, ProblemError, type TaskProfile } from '@steelyard/contracts';
import { type Dataset, openDataset, standardisation, trainingRows } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/mlp-fusion';
import { chooseProvider, type Devices, type Provider, probeDevices } from '@steelyard/runtime';
import type { WeightingConfig } from '@steelyard/weighting';
import { type Examples, labelsOf, presence, type TargetScale } from './examples.js';
import type { LossName } from './loss.js';
import type { Standardisation } from './standardise.js';
import { weightingConfig } from './weigher.js';

/** What a job works on, before anything is trained. */
export type Prepared = {
	readonly dataset: Dataset;
	readonly task: TaskProfile;
	readonly modalities: readonly ModalityShape[];
	/** Modalities that have masks. */
	readonly masked: ReadonlySet<string>;
	readonly standardisation: ReadonlyMap<string, Standardisation>;
	readonly scale: TargetScale;
	readonly loss: LossName;
	readonly config: WeightingConfig;
	readonly train: Examples;
	readonly validation: Examples;
	/** Further splits that are judged: test, and what the manifest names. */
	readonly others: readonly Examples[];
};

const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

function modalitiesOf(dataset: Dataset, wanted: readonly string[] | undefined): ModalityShape[] {
	const known = dataset.profile.modalities;
	return (wanted ?? Object.keys(known)).map((name) => {
		const profile = known[name];
		if (profile === undefined)
			throw new ProblemError(
				'modality_not_found',
				`the dataset has no modality "${name}"; it has ${Object.keys(known).join(', ')}`,
				'modalities',
			);
		return { name, shape: profile.shape, maskedSteps: profile.masked && profile.shape.length === 2 };
	});
}

function standardisations(train: Examples, modalities: readonly ModalityShape[]): Map<string, Standardisation> {
	return new Map(
		modalities.map(({ name }) => {
			const { mean, scale } = standardisation(train.split, name, train.rows);
			return [name, { mean, inverse: scale.map((deviation) => 1 / deviation) }];
		}),
	);
}

function lossFor(spec: JobSpec, task: TaskProfile): LossName {
	const { loss } = spec.training;
	const regression = task.type === 'regression';
	if (task.type === 'multilabel') throw new ProblemError('unsupported_task', 'multilabel datasets cannot be trained yet', 'dataset');
	if (loss !== 'auto' && (loss === 'cross_entropy') === regression)
		throw new ProblemError('unsupported_task', `the loss ${loss} does not fit a ${task.type} task`, 'training.loss');
	if (regression) return loss === 'mae' ? 'mae' : 'mse';
	return task.type === 'binary' ? 'binary_cross_entropy' : 'cross_entropy';
}

function scaleOf(task: TaskProfile, train: Examples): TargetScale {
	if (task.type !== 'regression') return { mean: 0, deviation: 1 };
	const labels = labelsOf(train);
	const mean = labels.reduce((sum, label) => sum + label, 0) / labels.length;
	const deviation = Math.sqrt(labels.reduce((sum, label) => sum + (label - mean) ** 2, 0) / labels.length);
	return { mean: Math.fround(mean), deviation: Math.fround(deviation > 0 ? deviation : 1) };
}

/** Opens the dataset and derives all that training needs from it and the spec. Throws ProblemError where the two do not fit. */
export function prepare(spec: JobSpec, folder: string): Prepared {
	const dataset = openDataset(folder);
	const { task } = dataset.profile;
	const loss = lossFor(spec, task);
	const modalities = modalitiesOf(dataset, spec.modalities);
	const config = weightingConfig(spec.weighting);
	if (task.type === 'regression' && config.mi === 'argmax')
		throw new ProblemError(
			'unsupported_task',
			'argmax mutual information needs classes; use ksg for regression',
			'weighting.mutual_information',
		);
	const parts = trainingRows(dataset, { fraction: spec.training.validation_fraction, seed: spec.training.seed });
	const examples = (name: string, split: string, rows: Uint32Array): Examples => ({ name, split: dataset.split(split), rows });
	const train = examples('train', parts.train.split, parts.train.rows);
	for (const modality of modalities)
		if (presence(train, modality)?.includes(1) === false)
			throw new ProblemError('invalid_dataset', `the modality "${modality.name}" is missing in every training row`, 'modalities');
	return {
		dataset,
		task,
		modalities,
		masked: new Set(modalities.filter(({ name }) => dataset.profile.modalities[name]?.masked).map(({ name }) => name)),
		standardisation: (spec.training.standardize ?? true) ? standardisations(train, modalities) : new Map(),
		scale: scaleOf(task, train),
		loss,
		config,
		train,
		validation: examples('validation', parts.validation.split, parts.validation.rows),
		others: dataset.splitNames
			.filter((name) => name !== 'train' && name !== 'valid')
			.map((name) => examples(name, name, allRows(dataset.split(name).rows))),
	};
}

/** The provider for a job. Throws ProblemError `device_unavailable` with the provider's own words. */
export async function deviceFor(wish: JobSpec['device']): Promise<{ provider: Provider; note: string | null }> {
	const devices: Devices = wish === 'cpu' ? { cpu: { available: true }, cuda: { available: false, note: null } } : await probeDevices();
	const { provider, note } = chooseProvider(wish, devices);
	if (provider === null) throw new ProblemError('device_unavailable', `cuda is not available here: ${note}`, 'device');
	return { provider, note };
}
