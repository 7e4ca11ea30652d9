import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeNumberTable } from '@steelyard/dataset';
import {
	type ConsensusStatistics,
	summariseDivergence,
	summariseWeights,
	WEIGHTING_PRESET_NAMES,
	type WeighedPredictions,
	type WeightingConfig,
	WeightingError,
	type WeightingPresetName,
	type WeightingTask,
	weighPredictions,
	weightingPreset,
} from '@steelyard/weighting';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { print, table, UsageError } from '../output.js';
import { looksLikeProbabilities, type NamedPredictions, readPredictions } from '../predictions.js';

const TASKS: readonly WeightingTask[] = ['binary', 'multiclass', 'multilabel', 'regression'];

/** Choices that are read by BTW alone, and those of any method; divergence and mutual information are told for all. */
type OfBtw = Partial<Pick<WeightingConfig, 'combine' | 'direction' | 'normalise' | 'renormalise' | 'informationScale'>>;
type OfAny = Partial<Pick<WeightingConfig, 'sigma'>> & { mutualInformation?: 'ksg' | 'argmax' };

type Options = OfBtw &
	OfAny & {
		task: WeightingTask;
		fused: string;
		unimodal: ReadonlyMap<string, string>;
		mask?: ReadonlyMap<string, string>;
		labels?: string;
		preset: WeightingPresetName;
		epsilon?: number;
		seed: number;
		out?: string;
	};

/** `NAME=FILE`, each name once. */
function named(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
	const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
	if (name === undefined || file === undefined) throw new InvalidArgumentError(`"${text}" is not of the form NAME=FILE.npy`);
	if (before.has(name)) throw new InvalidArgumentError(`the modality "${name}" is given twice`);
	return new Map([...before, [name, file]]);
}

function parseSeed(text: string): number {
	if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw new InvalidArgumentError(`"${text}" is no integer of at least 0`);
	return Number(text);
}

function parseEpsilon(text: string): number {
	if (!(Number(text) > 0 && Number(text) < 1)) throw new InvalidArgumentError(`"${text}" is no number between 0 and 1`);
	return Number(text);
}

const flagOf = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The preset with what replaces its choices. A choice that its method does not read is refused rather than left aside. */
function configuration({ preset, combine, direction, normalise, renormalise, informationScale, ...others }: Options): WeightingConfig {
	const { sigma, mutualInformation, epsilon } = others;
	const base = weightingPreset(preset);
	const ofBtw: OfBtw = {
		...(combine && { combine }),
		...(direction && { direction }),
		...(normalise && { normalise }),
		...(renormalise && { renormalise }),
		...(informationScale && { informationScale }),
	};
	const [stray] = [
		...(base.method === 'btw' ? [] : Object.keys(ofBtw)),
		...(epsilon === undefined || base.method === 'consensus' ? [] : ['epsilon']),
	];
	if (stray !== undefined) throw new UsageError(`${flagOf(stray)}: the preset ${preset} has no such choice`);
	if (base.method === 'ogm-ge')
		throw new UsageError('--preset ogm-ge: it weighs gradients while a model trains, expected a preset that weighs predictions');
	return { ...base, ...ofBtw, sigma: sigma ?? base.sigma, mi: mutualInformation ?? base.mi, epsilon: epsilon ?? base.epsilon };
}

/** What needs the labels is told by the option that would give them. */
function expectLabels({ task, labels }: NamedPredictions, { method, sigma }: WeightingConfig): void {
	if (labels) return;
	if (method === 'consensus') throw new UsageError('the preset consensus is fitted to the labels: give --labels');
	if (task === 'regression' && sigma !== 'fixed')
		throw new UsageError(
			`the divergence of a regression takes its standard deviations from residuals (sigma ${sigma}): give --labels, or --sigma fixed`,
		);
}

type Weighed = {
	modalities: readonly string[];
	divergence: Record<string, ReturnType<typeof summariseDivergence>>;
	mutual_information: Record<string, number>;
	weights: number[][];
	/** Of the preset consensus alone. */
	statistics?: ConsensusStatistics;
};

/** What the arithmetic says against the predictions is a refusal of what was given. */
function arithmetic(config: WeightingConfig, predictions: NamedPredictions, seed: number): WeighedPredictions {
	try {
		return weighPredictions(config, predictions, seed);
	} catch (error) {
		throw error instanceof WeightingError ? new UsageError(error.message) : error;
	}
}

function weighed(config: WeightingConfig, predictions: NamedPredictions, seed: number): { flat: Float32Array; value: Weighed } {
	const { modalities, rows, present } = predictions;
	const { divergence, information, weights, statistics } = arithmetic(config, predictions, seed);
	const byName = <T>(of: (m: number) => T): Record<string, T> => Object.fromEntries(modalities.map((name, m) => [name, of(m)]));
	const width = modalities.length;
	return {
		flat: weights,
		value: {
			modalities,
			divergence: byName((m) => summariseDivergence(divergence[m] as Float64Array, present?.[m] ?? null)),
			mutual_information: byName((m) => information[m] as number),
			weights: Array.from({ length: rows }, (_, i) => [...weights.subarray(i * width, (i + 1) * width)]),
			...(statistics && { statistics }),
		},
	};
}

const figure = (value: number | undefined): string => (value === undefined ? '–' : value.toPrecision(4));

function shown({ modalities, divergence, mutual_information }: Weighed, flat: Float32Array, { rows, present }: NamedPredictions): string {
	const weights = summariseWeights(flat, { rows, modalities: modalities.length }, present);
	return table([
		['modality', 'KL mean', 'p10', 'p90', 'mutual information', 'weight mean', 'p10', 'p90'],
		...modalities.map((name, m) => {
			const kl = divergence[name] ?? undefined;
			const weight = weights[m];
			return [
				name,
				...[kl?.mean, kl?.p10, kl?.p90, mutual_information[name], weight?.mean, weight?.p10, weight?.p90].map((value) => figure(value)),
			];
		}),
	]);
}

async function run(options: Options, command: Command): Promise<void> {
	const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
	const { out, task, fused, unimodal, mask = new Map(), labels, seed } = options;
	if (out !== undefined && !(await stat(dirname(out)).catch(() => null))?.isDirectory())
		throw new UsageError(`there is no folder ${dirname(out)} to write to`);
	const config = configuration(options);
	const predictions = await readPredictions({ task, fused, unimodal, masks: mask, labels });
	expectLabels(predictions, config);
	if (looksLikeProbabilities(task, predictions.fused, predictions.classes))
		process.stderr.write(`${fused} looks like probabilities: expected logits, such as log p of classes, or log p − log(1 − p)\n`);
	const { flat, value } = weighed(config, predictions, seed);
	if (out !== undefined) await writeNumberTable(out, [predictions.rows, value.modalities.length], flat);
	const text = shown(value, flat, predictions);
	print(json, value, out === undefined ? text : `${text}\n${out}  float32 (${predictions.rows}, ${value.modalities.length})`);
}

export function weigh(program: Command): void {
	const choice = (flags: string, description: string, choices: readonly string[]): Option =>
		new Option(flags, description).choices(choices);
	program
		.command('weigh')
		.description(
			"how much each modality of each instance counts, from predictions of anyone's models. Files are .npy: logits for classes, (rows, classes) or (rows, 1); values for regression. " +
				'One refresh without history, so nothing is smoothed; there is no second pass, so the fused prediction given is the one that both mutual information and divergence are taken against. ' +
				'consensus is fitted to the labels, by unimodal predictions that should each come from a model that was not trained on that row.',
		)
		.addOption(choice('--task <task>', 'what the models predict', TASKS).makeOptionMandatory())
		.requiredOption('--fused <file>', 'predictions of the multimodal model')
		.requiredOption('--unimodal <name=file...>', 'predictions of one model a modality', named)
		.option('--mask <name=file...>', '1 where an instance has the modality, 0 where it is missing: (rows,)', named)
		.option('--labels <file>', 'targets: classes, 0 and 1, or values; read by consensus, and by regression unless --sigma fixed')
		.addOption(choice('--preset <name>', 'where the choices below begin', WEIGHTING_PRESET_NAMES).default('btw'))
		.addOption(choice('--combine <parts>', 'what a weight is made of', ['none', 'mi', 'kl', 'kl+mi']))
		.addOption(choice('--direction <way>', 'whether it grows with the divergence or falls', ['divergence', 'agreement']))
		.addOption(choice('--normalise <over>', 'the divergence: by modality, or by instance', ['minmax', 'row']))
		.addOption(choice('--renormalise <scale>', 'the weights of an instance', ['none', 'sum1', 'mean1']))
		.addOption(choice('--mutual-information <estimator>', 'of the modality weights', ['ksg', 'argmax']))
		.addOption(choice('--information-scale <scale>', 'of the modality weights: nats, or shares', ['none', 'sum']))
		.addOption(
			choice('--sigma <of>', 'standard deviations of a regression; oracle takes those of each instance', ['fixed', 'residual', 'oracle']),
		)
		.option('--epsilon <probability>', 'a priori, that consensus cannot trust a modality', parseEpsilon)
		.option('--seed <integer>', 'of the noise by which ksg breaks ties', parseSeed, 0)
		.option('-o, --out <file>', 'write the weights as float32 (rows, modalities)')
		.action(run);
}
