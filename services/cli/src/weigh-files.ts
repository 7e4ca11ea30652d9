import type { WeightingPreset } from '@steelyard/contracts';
import { writeNumberTable } from '@steelyard/dataset';
import { type PredictionWeighting, predictionNeeds, type WeighedPredictions, weighPredictions } from '@steelyard/trainer';
import { summariseDivergence, summariseWeights, WeightingError, type WeightingTask } from '@steelyard/weighting';
import type { Command } from 'commander';
import { expectFolderOf, print, table, UsageError } from './output.js';
import { looksLikeProbabilities, type NamedPredictions, readPredictions } from './predictions.js';

/** The options of `steelyard weigh`. */
export type WeighOptions = {
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

const flagOf = (choice: string): string => `--${choice.replaceAll('_', '-')}`;

/** The preset and the choices that are given. Throws UsageError for a choice that the method of the preset does not read. */
function weightingOf(options: WeighOptions): PredictionWeighting {
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

/** Weighs the predictions in files, and prints what came out. Throws UsageError where they do not fit the method. */
export async function weighFiles(options: WeighOptions, command: Command): Promise<void> {
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
