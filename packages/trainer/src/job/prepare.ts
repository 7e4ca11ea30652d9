import { checkTimeColumns, type JobSpec, ProblemError, type TaskProfile } from '@steelyard/contracts';
import { type Dataset, openDataset, standardisation, trainingRows } from '@steelyard/dataset';
import type { ModalityShape } from '@steelyard/family';
import { chooseProvider, type Devices, type Provider, probeDevices } from '@steelyard/runtime';
import { type Examples, labelsOf, presence, type TargetScale } from '../model/examples.js';
import type { Standardisation } from '../model/standardise.js';
import type { LossName } from '../step/loss.js';
import type { Weigher } from '../weighting/weigher.js';
import { weigherOf } from '../weighting/weigher-of.js';

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
	readonly weigher: Weigher<unknown>;
	readonly train: Examples;
	readonly validation: Examples;
	/** Further splits that are judged: test, and what the manifest names. */
	readonly others: readonly Examples[];
};

const allRows = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** The modalities of a job: those that it names, or that its graph takes, or all. */
function modalitiesOf(dataset: Dataset, { model, modalities }: JobSpec): ModalityShape[] {
	const known = dataset.profile.modalities;
	const taken = model.family === 'custom' ? Object.keys(model.inputs) : Object.keys(known);
	const field = modalities === undefined && model.family === 'custom' ? 'model.inputs' : 'modalities';
	return (modalities ?? taken).map((name) => {
		const profile = Object.hasOwn(known, name) ? known[name] : undefined;
		if (profile === undefined)
			throw new ProblemError('modality_not_found', `the dataset has no modality "${name}"; it has ${Object.keys(known).join(', ')}`, field);
		return { name, shape: profile.shape, maskedSteps: profile.masked && profile.shape.length === 2 };
	});
}

function standardisations(train: Examples, modalities: readonly ModalityShape[]): Map<string, Standardisation> {
	return new Map(modalities.map(({ name }) => [name, standardisation(train.split, name, train.rows)]));
}

function lossFor(spec: JobSpec, task: TaskProfile): LossName {
	const custom = spec.model.family === 'custom' ? spec.model.loss : undefined;
	const loss = custom ?? spec.training.loss;
	const regression = task.type === 'regression';
	if (loss !== 'auto' && (loss === 'cross_entropy') === regression)
		throw new ProblemError(
			'unsupported_task',
			`the loss ${loss} does not fit a ${task.type} task`,
			custom === undefined ? 'training.loss' : 'model.loss',
		);
	if (regression) return loss === 'mae' ? 'mae' : 'mse';
	return task.type === 'multiclass' ? 'cross_entropy' : 'binary_cross_entropy';
}

function scaleOf(train: Examples): TargetScale {
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
	const modalities = modalitiesOf(dataset, spec);
	if (spec.model.family === 'fuse-moe') checkTimeColumns(spec.model, dataset.profile.modalities);
	const { weighting } = spec;
	if (task.type === 'regression' && 'mutual_information' in weighting && weighting.mutual_information === 'argmax')
		throw new ProblemError(
			'unsupported_task',
			'argmax mutual information needs classes; use ksg for regression',
			'weighting.mutual_information',
		);
	const custom = spec.model.family === 'custom'; // raw values in, raw values out
	const standardise = !custom && (spec.training.standardize ?? true);
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
		standardisation: standardise ? standardisations(train, modalities) : new Map(),
		scale: custom || task.type !== 'regression' ? { mean: 0, deviation: 1 } : scaleOf(train),
		loss,
		weigher: weigherOf(weighting, task, spec.training.seed),
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
