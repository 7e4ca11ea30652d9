// Results by cell: one dataset, trained under one condition, judged on one split.
import { CONDITIONS, CURVE, curveSplit, judgedSplits, SHUFFLED } from './conditions.js';
import { DATASETS, higherIsBetter } from './datasets.js';
import { BEST_UNIMODAL, METHODS } from './methods.js';
import { pairedGain } from './statistics.js';

/** @typedef {import('./results.js').Result} Result */
/** @typedef {{dataset: string, condition: string, split: string}} Cell */

export const METHOD_NAMES = [...Object.keys(METHODS), BEST_UNIMODAL];

/** Every cell of a dataset, those of the curve last. */
export function cellsOf(/** @type {string} */ dataset) {
	/** @type {Cell[]} */
	const all = CONDITIONS.flatMap((condition) => judgedSplits(dataset, condition).map((split) => ({ dataset, condition, split })));
	return [...all.filter((cell) => !isCurveOnly(cell)), ...all.filter(isCurveOnly)];
}

const CURVE_ONLY = new Set(CURVE.filter((share) => share !== 0 && share !== SHUFFLED).map(curveSplit));
/** Whether a cell is there for the curve alone. It is left out of counts, in which one dataset's curve would weigh as much as a dataset. */
export const isCurveOnly = (/** @type {Cell} */ { split }) => CURVE_ONLY.has(split);

export const allCells = () => Object.keys(DATASETS).flatMap(cellsOf);

/** What a cell is called in the report. */
export function labelOf(/** @type {Cell} */ { dataset, condition, split }) {
	const { corrupted, unseen } = DATASETS[dataset];
	if (condition === 'shuffled') return `${corrupted} shuffled in 40 %, training too`;
	if (condition === 'missing') return `${corrupted} missing in 30 %, training too`;
	if (split === 'test') return 'clean';
	if (split === 'testconflict') return 'conflict';
	if (split.startsWith('testmissing')) return `${corrupted} missing in 30 %, test only`;
	return `${split.endsWith('b') ? unseen : corrupted} shuffled in ${Number(/\d+/.exec(split)?.[0])} %, test only`;
}

/** The method whose unimodal models stand for those of every job of the same seed; others are asked only where it is not there. */
const UNIMODAL_FROM = ['btw', ...Object.keys(METHODS)];

/** @param {readonly Result[]} results */
export function tableOf(results) {
	/** @type {Map<string, Map<number, Result>>} */
	const bySeed = new Map();
	for (const result of results) {
		const name = `${result.dataset}/${result.condition}/${result.method}`;
		bySeed.set(name, (bySeed.get(name) ?? new Map()).set(result.seed, result));
	}
	const jobsOf = (/** @type {string} */ dataset, /** @type {string} */ condition, /** @type {string} */ method) =>
		bySeed.get(`${dataset}/${condition}/${method}`) ?? new Map();

	/** @returns {Map<number, Result>} */
	function withUnimodal(/** @type {string} */ dataset, /** @type {string} */ condition) {
		const found = new Map();
		for (const method of UNIMODAL_FROM)
			for (const [seed, result] of jobsOf(dataset, condition, method))
				if (!found.has(seed) && Object.keys(result.unimodal).length > 0) found.set(seed, result);
		return found;
	}

	/** The modality whose unimodal model is best on validation by the primary metric. */
	function bestModality(/** @type {Result} */ { dataset, unimodal }) {
		const metric = DATASETS[dataset].metrics[0];
		const score = (/** @type {string} */ modality) =>
			(higherIsBetter(metric) ? 1 : -1) * (unimodal[modality].validation[metric] ?? Number.NEGATIVE_INFINITY);
		return Object.keys(unimodal).reduce((best, modality) => (score(modality) > score(best) ? modality : best));
	}

	/**
	 * Values of a metric by seed.
	 * @param {Cell} cell
	 * @param {string} method
	 * @param {string} [metric] the dataset's primary one unless given
	 * @returns {Map<number, number>}
	 */
	function values({ dataset, condition, split }, method, metric = DATASETS[dataset].metrics[0]) {
		const best = method === BEST_UNIMODAL;
		const jobs = best ? withUnimodal(dataset, condition) : jobsOf(dataset, condition, method);
		const found = new Map();
		for (const [seed, result] of jobs) {
			const value = (best ? result.unimodal[bestModality(result)] : result.metrics)[split]?.[metric];
			if (typeof value === 'number') found.set(seed, value);
		}
		return found;
	}

	return {
		values,
		/**
		 * How much better a method is than another in a cell, by the primary metric unless another is given; positive is better.
		 * @param {Cell} cell
		 * @param {string} method
		 * @param {string} [reference]
		 * @param {string} [metric]
		 */
		gain: (cell, method, reference = 'uniform', metric = DATASETS[cell.dataset].metrics[0]) =>
			pairedGain(values(cell, method, metric), values(cell, reference, metric), higherIsBetter(metric)),
		/** Unimodal models of a condition by seed, for questions about them alone. */
		withUnimodal,
		results,
	};
}

/** @typedef {ReturnType<typeof tableOf>} Table */
