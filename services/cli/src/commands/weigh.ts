import type { WeightingPreset } from '@steelyard/contracts';
import type { WeightingTask } from '@steelyard/weighting';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { probability, wholeNumber } from '../numbers.js';
import type { WeighOptions } from '../weigh-files.js';

const TASKS: readonly WeightingTask[] = ['binary', 'multiclass', 'multilabel', 'regression'];

/** All presets, named here so that help does not wait for the schemas; the compiler holds the list complete. */
const PRESETS = Object.keys({
	uniform: true,
	mi: true,
	'btw-kl': true,
	btw: true,
	paper: true,
	consensus: true,
	'consensus-weighted': true,
	qmf: true,
	'ogm-ge': true,
} satisfies Record<WeightingPreset, true>);

/** Reads an option of the form `NAME=FILE`, in which each name may stand once. */
function named(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
	const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
	if (name === undefined || file === undefined) throw new InvalidArgumentError(`"${text}" is not of the form NAME=FILE.npy`);
	if (before.has(name)) throw new InvalidArgumentError(`the modality "${name}" is given twice`);
	return new Map([...before, [name, file]]);
}

export function weigh(command: Command): void {
	const choice = (flags: string, description: string, choices: readonly string[]): Option =>
		new Option(flags, description).choices(choices);
	command
		.description(
			'compute how much each modality of each instance counts, from the predictions of any models\n\n' +
				'Predictions are .npy files: logits (rows, classes) or (rows, 1) for classes, values (rows, 1) for a regression. ' +
				'The weights are those of a single refresh, so nothing is smoothed. Mutual information and divergence are both taken against the given predictions of the multimodal model. ' +
				'The preset consensus is fitted to the labels; give it unimodal predictions of models that were not trained on the row that they predict.',
		)
		.addOption(choice('--task <task>', 'what the models predict', TASKS).makeOptionMandatory())
		.requiredOption('--fused <file>', 'predictions of the multimodal model')
		.requiredOption('--unimodal <name=file...>', 'predictions of one model per modality', named)
		.option('--mask <name=file...>', '1 where an instance has the modality, 0 where it is missing: (rows,)', named)
		.option('--labels <file>', 'targets: classes, 0 and 1, or values; needed by consensus, and by a regression unless --sigma fixed')
		.addOption(choice('--preset <name>', 'the method, and defaults of the choices below', PRESETS).default('btw'))
		.addOption(choice('--combine <parts>', 'the parts that a weight is made of', ['none', 'mi', 'kl', 'kl+mi']))
		.addOption(choice('--direction <way>', 'whether a weight grows with the divergence or with the agreement', ['divergence', 'agreement']))
		.addOption(
			choice('--normalise <over>', 'scale divergences over the instances of a modality, or over the modalities of an instance', [
				'minmax',
				'row',
			]),
		)
		.addOption(choice('--renormalise <scale>', 'what the weights of an instance sum up to', ['none', 'sum1', 'mean1']))
		.addOption(choice('--mutual-information <estimator>', 'estimator of the mutual information', ['ksg', 'argmax']))
		.addOption(choice('--information-scale <scale>', 'mutual information in nats, or as shares of its sum', ['none', 'sum']))
		.addOption(
			choice('--sigma <of>', 'standard deviations of a regression; oracle takes the residual of each instance', [
				'fixed',
				'residual',
				'oracle',
			]),
		)
		.option('--epsilon <probability>', 'prior probability that consensus cannot trust a modality', probability)
		.option('--seed <integer>', 'seed of the noise with which ksg breaks ties', wholeNumber(0), 0)
		.option('-o, --out <file>', 'write the weights to an .npy file, float32 (rows, modalities)')
		.action(async (options: WeighOptions, command: Command) => (await import('../weigh-files.js')).weighFiles(options, command));
}
