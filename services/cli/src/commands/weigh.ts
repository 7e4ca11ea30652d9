import { WEIGHTING_PRESETS, type WeightingPreset } from '@steelyard/contracts';
import { writeNumberTable } from '@steelyard/dataset';
import { type PredictionWeighting, predictionNeeds, type WeighedPredictions, weighPredictions } from '@steelyard/trainer';
import { summariseDivergence, summariseWeights, WeightingError, type WeightingTask } from '@steelyard/weighting';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { probability, wholeNumber } from '../numbers.js';
import { expectFolderOf, print, table, UsageError } from '../output.js';
import { looksLikeProbabilities, type NamedPredictions, readPredictions } from '../predictions.js';

const TASKS: readonly WeightingTask[] = ['binary', 'multiclass', 'multilabel', 'regression'];

type Options = {
	task: WeightingTask;
	fused: string;
	unimodal: ReadonlyMap<string, string>;
	mask?: ReadonlyMap<string, string>;
	labels?: string;
	preset: WeightingPreset;
	combine?: PredictionWeighting['combine'];
	direction?: PredictionWeighting['direction'];
	normalise?: PredictionWeighting['normalise'];
	renormalise?: PredictionWeighting['renormalise'];
	mutualInformation?: PredictionWeighting['mutual_information'];
	informationScale?: PredictionWeighting['information_scale'];
	sigma?: PredictionWeighting['sigma'];
	epsilon?: number;
	seed: number;
	out?: string;
};

/** Reads an option of the form `NAME=FILE`, in which each name may stand once. */
function named(text: string, before: ReadonlyMap<string, string> = new Map()): Map<string, string> {
	const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
	if (name === undefined || file === undefined) throw new InvalidArgumentError(`"${text}" is not of the form NAME=FILE.npy`);
	if (before.has(name)) throw new InvalidArgumentError(`the modality "${name}" is given twice`);
	return new Map([...before, [name, file]]);
}

const flagOf = (choice: string): string => `--${choice.replaceAll('_', '-')}`;

/** The preset and the choices that are given. Throws UsageError for a choice that the method of the preset does not read. */
function weightingOf(options: Options): PredictionWeighting {
	const { preset, combine, direction, normalise, renormalise, mutualInformation, informationScale, sigma, epsilon } = options;
	const weighting: PredictionWeighting = {
		preset,
		...(combine && { combine }),
		...(direction && { direction }),
		...(normalise && { normalise }),
		...(renormalise && { renormalise }),
		...(informationScale && { information_scale: informationScale }),
		...(mutualInformation && { mutual_information: mutualInformation }),
		...(sigma && { sigma }),
		...(epsilon !== undefined && { epsilon }),
	};
	const { stray, weighable } = predictionNeeds(weighting);
	if (stray !== null) throw new UsageError(`${flagOf(stray)}: the preset ${preset} has no such choice`);
	if (!weighable)
		throw new UsageError(`--preset ${preset}: it weighs gradients while a model trains, expected a preset that weighs predictions`);
	return weighting;
}

/** Throws UsageError where the method needs labels and none are given. */
function expectLabels({ task, labels }: NamedPredictions, weighting: PredictionWeighting): void {
	if (labels) return;
	const { fitsLabels, sigma } = predictionNeeds(weighting);
	if (fitsLabels) throw new UsageError(`the preset ${weighting.preset} is fitted to the labels: give --labels`);
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
	/** Of presets that are fitted to the labels. */
	statistics?: object;
};

/** Weighs the predictions. Throws UsageError where they do not fit the method. */
async function weighedBy(weighting: PredictionWeighting, predictions: NamedPredictions, seed: number): Promise<WeighedPredictions> {
	return weighPredictions(weighting, predictions, seed).catch((error: unknown) => {
		throw error instanceof WeightingError ? new UsageError(error.message) : error;
	});
}

async function weighed(
	weighting: PredictionWeighting,
	predictions: NamedPredictions,
	seed: number,
): Promise<{ flat: Float32Array; value: Weighed }> {
	const { modalities, rows, present } = predictions;
	const { divergence, information, weights, statistics } = await weighedBy(weighting, predictions, seed);
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
	if (out === '-') throw new UsageError('--out -: the weights cannot be written to standard output; expected a file');
	if (out !== undefined) await expectFolderOf(out);
	const weighting = weightingOf(options);
	const predictions = await readPredictions({ task, fused, unimodal, masks: mask, labels });
	expectLabels(predictions, weighting);
	if (looksLikeProbabilities(task, predictions.fused, predictions.classes))
		process.stderr.write(`${fused} looks like probabilities: expected logits, such as log p of classes, or log p − log(1 − p)\n`);
	const { flat, value } = await weighed(weighting, predictions, seed);
	if (out !== undefined) await writeNumberTable(out, [predictions.rows, value.modalities.length], flat);
	const text = shown(value, flat, predictions);
	print(json, value, out === undefined ? text : `${text}\n${out}  float32 (${predictions.rows}, ${value.modalities.length})`);
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
		.addOption(choice('--preset <name>', 'the method, and defaults of the choices below', WEIGHTING_PRESETS).default('btw'))
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
		.action(run);
}
