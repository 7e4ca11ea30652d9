import type { JobResult, Metrics, ModalityRobustness, Robustness } from '@steelyard/contracts';
import type { ModalityShape } from '@steelyard/family';
import { counterRandom, shuffle } from '@steelyard/random';
import { sizeOf } from '@steelyard/runtime';
import { type Examples, labelsOf, presence, taken, takenRows } from '../model/examples.js';
import { inMemory } from '../model/in-memory.js';
import type { Absence } from '../model/without.js';
import { denseWork } from '../model/work.js';
import { metricsOf } from '../report/metrics.js';
import { numbersOf, predictionsFrom } from '../report/predictions.js';
import { type BrokenRows, brokenModality, RUNS, SHUFFLES } from './broken-modality.js';
import type { Evaluation } from './evaluate.js';
import type { Judged } from './explanation-artifacts.js';
import type { Job } from './job.js';
import { lookedUp } from './looked-up.js';
import { mainMetricOf } from './metric-of.js';
import { EvaluationError } from './over-rows.js';
import { type JudgedUnimodal, withUnimodal } from './unimodal-stage.js';

/** The splits that it is measured on. */
const SPLITS = ['validation', 'test'];
/** Rows of a split that are run at most unless the spec says more, and those that say something at least. */
const MOST_ROWS = 1000;
const LEAST_ROWS = 20;
/** Values that are held at a time at most; noise holds those of a modality once more. */
const MOST_VALUES = 2 ** 23;
/** Passes of rows through the model that may be made, as a share of those of training, in which a backward pass counts as two. */
const SHARE_OF_TRAINING = 0.07;
/** Multiply-adds that may be made however short training was, about a tenth of a second; drawing the noise of a value counts as so many. */
const FREE_WORK = 1e9;
const WORK_OF_VALUE = 64;
/** Multiply-adds that may be made where fewer would leave less than the least rows: about a second. */
const WORK_OF_LEAST = 1e10;

/** What robustness is measured with. */
export type RobustnessInput = {
	/** Runs the exported model; `ranks` says whether auroc and auprc are wanted. */
	readonly judge: (examples: Examples, ranks: boolean) => Promise<Evaluation>;
	/** What it made of each split, validation among them. */
	readonly judged: readonly Judged[];
	/** Of the same job; null where its weighting trains no unimodal models. */
	readonly unimodal: JudgedUnimodal | null;
	/** That the fusion model was trained for. */
	readonly epochs: number;
};

/** The rows of a split that may be run, so that all runs take a small share of what training took, or as many as the spec says. */
function mostRows({ modalities, fusion, train, spec }: Job, splits: number, epochs: number): number {
	const sizes = modalities.map(({ shape }) => sizeOf(shape));
	const values = sizes.reduce((sum, size) => sum + size, 0);
	const held = MOST_VALUES / values;
	const asked = spec.evaluation?.robustness_rows;
	if (asked !== undefined) return Math.floor(Math.min(asked, held));
	const runs = splits * (1 + modalities.length * RUNS);
	const work = denseWork({ parameters: fusion.parameters, modalities, batch: 1 }) + WORK_OF_VALUE * values;
	const ofTraining = SHARE_OF_TRAINING * 3 * epochs * train.rows.length;
	const rows = Math.min(MOST_ROWS, held, Math.max(ofTraining, FREE_WORK / work) / runs);
	const least = LEAST_ROWS * runs * work > WORK_OF_LEAST ? 0 : Math.min(LEAST_ROWS, held);
	return Math.floor(Math.max(rows, least));
}

/** `count` of the places `0 … length − 1` in ascending order, drawn at random; all where there are no more. */
function drawnPlaces(length: number, count: number, seed: number, purpose: string): Uint32Array {
	const all = Uint32Array.from({ length }, (_, i) => i);
	return length <= count ? all : shuffle(all, counterRandom(seed, purpose)).slice(0, count).sort();
}

/** Whether a metric is made of the order of all rows, which takes most of the time of metrics. */
const isRanking = (metric: string): boolean => metric === 'auroc' || metric === 'auprc';

/** Those metrics by name; null where one is undefined or not finite. */
const shown = (metrics: Metrics, names: readonly string[]): Metrics =>
	Object.fromEntries(names.map((name) => [name, Number.isFinite(metrics[name]) ? (metrics[name] as number) : null]));

/** The metrics of late fusion, the mean output of the models of the modalities that a row has; of a row that has none 0, or the mean label. `outputs` are those of each model, `[N, outputs]`. */
function lateFusion(job: Job, examples: Examples, outputs: readonly Float32Array[], names: readonly string[]): Metrics {
	const { task, loss, modalities, scale } = job;
	const present = modalities.map((modality) => presence(examples, modality));
	const fused = (outputs[0] as Float32Array).map((_, at) => {
		const i = Math.floor(at / task.outputs);
		const having = outputs.filter((__, m) => present[m]?.[i] !== 0);
		return having.length === 0 ? scale.mean : having.reduce((sum, output) => sum + (output[at] as number), 0) / having.length;
	});
	return shown(metricsOf(task, predictionsFrom(task, fused), labelsOf(examples), loss, names.some(isRanking)), names);
}

/** How a modality is taken from the rows: by its mask where the model takes one. */
function absenceIn(job: Job, ids: ReadonlySet<string>): (modality: ModalityShape) => Absence {
	const { model } = job.spec;
	const masks = model.family === 'custom' && !job.weighted ? new Set(Object.keys(model.masks ?? {})) : job.masked;
	return ({ name }) => (masks.has(name) ? 'mask' : ids.has(name) || job.masked.has(name) ? 'zeros' : 'mean');
}

/** The rows of a split that are run, and what the model and the unimodal models make of them as they are. */
type DrawnRows = Pick<BrokenRows, 'examples' | 'clean'> & {
	readonly of: number;
	/** `[N, outputs]` of each unimodal model; null where there is no late fusion. */
	readonly outputs: readonly Float32Array[] | null;
};

/**
 * What the exported model does on validation and test where a modality is missing, shuffled among the rows, or noisy. Runs no more rows than take a small share of the
 * training, unless the spec says how many. A function of what the job is one of.
 */
export async function robustnessOf(job: Job, { judge, judged, unimodal, epochs }: RobustnessInput): Promise<Robustness> {
	const { modalities, spec, fusion, task } = job;
	const { seed } = spec.training;
	const splits = judged.filter(({ examples }) => SPLITS.includes(examples.name));
	const metric = mainMetricOf(spec, (splits[0] as Judged).evaluation.metrics);
	const names = [...new Set([metric, 'loss'])];
	const head = { object: 'robustness' as const, metric, shuffles: SHUFFLES };
	const most = mostRows(job, splits.length, epochs);
	if (splits.every(({ examples: { rows } }) => most < Math.min(LEAST_ROWS, rows.length))) {
		const reason = `training was so short, or rows are so large, that only ${most} rows of a split could be run for each way in which a modality breaks, and less than ${LEAST_ROWS} say nothing; evaluation.robustness_rows asks for more`;
		return { ...head, reason, splits: {} };
	}
	const measure = async (examples: Examples): Promise<Metrics> => {
		const { metrics, predictions } = await judge(examples, isRanking(metric));
		const numbers = predictions === null ? [] : numbersOf(predictions);
		if (!numbers.every(Number.isFinite)) throw new EvaluationError(examples, null, 'not all of its outputs there are finite');
		return shown(metrics, names);
	};

	const inputs = [...modalities, ...fusion.auxiliary.flatMap(({ target }) => target ?? [])];
	const drawn: DrawnRows[] = [];
	for (const { examples, evaluation } of splits) {
		const of = examples.rows.length;
		const places = drawnPlaces(of, most, seed, `robustness/rows/${examples.name}`);
		const own = inMemory(taken(examples, places), inputs);
		const clean = places.length === of ? shown(evaluation.metrics, names) : await measure(own);
		const outputs = (evaluation.predictions !== null && unimodal?.outputs.get(examples.name)) || null;
		drawn.push({ examples: own, clean, of, outputs: outputs?.map((output) => takenRows(output, task.outputs, places)) ?? null });
	}

	const ids = lookedUp(job);
	const absenceOf = absenceIn(job, ids);
	const found = drawn.map((): Record<string, ModalityRobustness> => ({}));
	for (const [m, modality] of modalities.entries()) {
		const { name, dtype } = modality;
		if (fusion.auxiliary.some(({ target }) => target?.name === name)) {
			const failed = 'an output of the graph is compared with this modality, and would be compared with the broken one';
			for (const each of found) each[name] = { failed, missing: null, shuffled: null, noisy: null };
			continue;
		}
		const breakable = { modality, absence: absenceOf(modality), replaced: ids.has(name) || dtype === 'bool', moments: job.moments(name) };
		/** `alone` gives the outputs of the models of this modality. */
		const ofSplits = async (alone: ((examples: Examples) => Promise<Float32Array>) | null): Promise<void> => {
			for (const [i, { examples, clean, outputs }] of drawn.entries()) {
				const late =
					alone === null || outputs === null
						? null
						: async (changed: Examples) => lateFusion(job, changed, outputs.with(m, await alone(changed)), names);
				(found[i] as (typeof found)[number])[name] = await brokenModality(breakable, { examples, clean, measure, late, seed });
			}
		};
		await (unimodal === null ? ofSplits(null) : withUnimodal(job, m, ofSplits));
	}
	const named = drawn.map(({ examples, clean, of }, i) => [
		examples.name,
		{ rows: examples.rows.length, of, clean, modalities: found[i] as Record<string, ModalityRobustness> },
	]);
	return { ...head, reason: null, splits: Object.fromEntries(named) as Robustness['splits'] };
}

/** The part of it that a result shows, of one split; null where that was not measured. */
export function shownRobustness({ metric, splits }: Robustness, split: string): Required<JobResult>['robustness'] | null {
	const found = splits[split];
	if (found === undefined) return null;
	const { rows, clean, modalities } = found;
	const drops = Object.entries(modalities).map(([name, { missing, shuffled, noisy }]) => [
		name,
		{
			missing: missing?.drop[metric] ?? null,
			shuffled: shuffled?.drop[metric] ?? null,
			noisy: (noisy?.levels ?? []).map(({ drop }) => drop[metric] ?? null),
		},
	]);
	return { split, metric, rows, clean: clean[metric] ?? null, modalities: Object.fromEntries(drops) };
}
