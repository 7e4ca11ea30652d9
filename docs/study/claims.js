// The sentences of the first study, each with the rule that decides whether this study confirms it. The rules were fixed before the runs.
import { allCells, isCurveOnly } from './cells.js';
import { curveSplit, SHUFFLED } from './conditions.js';
import { DATASETS } from './datasets.js';
import { SEEDS } from './methods.js';
import { holm } from './statistics.js';

/** @typedef {import('./cells.js').Table} Table */
/** @typedef {{sentence: string, rule: string, judge: (table: Table) => {verdict: 'confirmed' | 'refuted' | 'undecided', figures: string}}} Claim */

/** Cells that count; those that exist for the curve alone do not. */
export const countedCells = () => allCells().filter((cell) => !isCurveOnly(cell));

/**
 * In how many cells a method is better and worse than another by its interval, and how many of these stand after Holm's correction over them all.
 * @param {Table} table
 * @param {string} method
 * @param {string} [reference]
 */
export function countOf(table, method, reference = 'uniform', cells = countedCells()) {
	const gains = cells.map((cell) => table.gain(cell, method, reference)).filter((gain) => gain !== null);
	const stands = holm(gains.map(({ p }) => p));
	const count = (/** @type {string} */ verdict) => gains.filter((gain) => gain.verdict === verdict).length;
	const standing = (/** @type {number} */ sign) => gains.filter((gain, i) => stands[i] && Math.sign(gain.mean) === sign).length;
	return { cells: gains.length, better: count('better'), worse: count('worse'), betterHolm: standing(1), worseHolm: standing(-1) };
}

const told = (/** @type {ReturnType<typeof countOf>} */ { better, worse, cells }) => `${better} better, ${worse} worse of ${cells}`;
const points = (/** @type {number} */ value) => `${value >= 0 ? '+' : '−'}${Math.abs(100 * value).toFixed(2)}`;
const shown = (/** @type {import('./statistics.js').Gain | null} */ gain) =>
	gain === null ? 'not run' : `${points(gain.mean)} ± ${(100 * gain.half).toFixed(2)}`;
const verdictOf = (/** @type {boolean} */ complete, /** @type {boolean} */ holds) =>
	/** @type {const} */ (complete ? (holds ? 'confirmed' : 'refuted') : 'undecided');

const onTest = (/** @type {string} */ dataset, /** @type {string} */ split) => ({ dataset, condition: 'clean', split });
const brokenAtTest = Object.keys(DATASETS).map((dataset) => onTest(dataset, curveSplit(SHUFFLED)));
const cleanCells = Object.keys(DATASETS).map((dataset) => onTest(dataset, 'test'));

/** Better than `uniform` where one modality breaks at test time.
 * @param {string} preset @param {string} [whose] @returns {Claim} */
const betterWhereOneBreaks = (preset, whose = '') => ({
	sentence: `${whose}\`${preset}\` is better when one modality breaks at test time only.`,
	rule: `With the informative modality shuffled in 40 % at test time only, \`${preset}\` is better than \`uniform\` on at least three of the four datasets.`,
	judge(table) {
		const gains = brokenAtTest.map((cell) => table.gain(cell, preset));
		return {
			verdict: verdictOf(!gains.includes(null), gains.filter((gain) => gain?.verdict === 'better').length >= 3),
			figures: brokenAtTest.map(({ dataset }, i) => `${dataset} ${shown(gains[i])}`).join('; '),
		};
	},
});

/** Worse than `uniform` in no cell.
 * @param {string} preset @param {string} [whose] @returns {Claim} */
const worseNowhere = (preset, whose = '') => ({
	sentence: `${whose}\`${preset}\` is worse in no cell.`,
	rule: `In no cell of the study, those of the curve and of the modality that was not looked at among them, is \`${preset}\` worse than \`uniform\`.`,
	judge(table) {
		const count = countOf(table, preset, 'uniform', allCells());
		return { verdict: verdictOf(count.cells === allCells().length, count.worse === 0), figures: told(count) };
	},
});

/** @type {Claim[]} */
export const CLAIMS = [
	{
		sentence: '`paper` and `divergence` lose badly.',
		rule: '`paper` and `btw-divergence` are each better than `uniform` in no cell, and worse in more than half of the cells.',
		judge(table) {
			const counts = ['paper', 'btw-divergence'].map((method) => countOf(table, method));
			const figures = `paper: ${told(counts[0])}; btw-divergence: ${told(counts[1])}`;
			return {
				verdict: verdictOf(
					counts.every(({ cells }) => cells > 0),
					counts.every(({ better, worse, cells }) => better === 0 && worse > cells / 2),
				),
				figures,
			};
		},
	},
	{
		sentence: '`agreement` is uniform plus noise, with the modality weight rather worse.',
		rule: '`btw-kl` and `btw` are each better than `uniform` in at most a tenth of the cells, and `btw` is worse in at least as many as `btw-kl`.',
		judge(table) {
			const [kl, both] = ['btw-kl', 'btw'].map((method) => countOf(table, method));
			return {
				verdict: verdictOf(
					kl.cells > 0 && both.cells > 0,
					[kl, both].every(({ better, cells }) => better <= cells / 10) && both.worse >= kl.worse,
				),
				figures: `btw-kl: ${told(kl)}; btw: ${told(both)}`,
			};
		},
	},
	{
		sentence: 'MI hurts under shift, because it favours the modality that later breaks.',
		rule: 'With the informative modality shuffled in 40 % at test time only, `mi` is worse than `uniform` on at least two datasets and better on none.',
		judge(table) {
			const gains = brokenAtTest.map((cell) => table.gain(cell, 'mi'));
			const count = (/** @type {string} */ verdict) => gains.filter((gain) => gain?.verdict === verdict).length;
			return {
				verdict: verdictOf(!gains.includes(null), count('worse') >= 2 && count('better') === 0),
				figures: brokenAtTest.map(({ dataset }, i) => `${dataset} ${shown(gains[i])}`).join('; '),
			};
		},
	},
	{
		sentence:
			'Unimodal models that are judged on their training rows are over-confident (rosmap methylation: 0.96 on train, 0.72 outside).',
		rule: 'On rosmap, clean, the accuracy of the methylation model on train is at least 0.1 above that on test in every seed.',
		judge(table) {
			const accuracies = [...table.withUnimodal('rosmap', 'clean').values()].map(({ unimodal }) => unimodal.methylation);
			const gaps = accuracies.map(({ train, test }) => Number(train?.accuracy) - Number(test.accuracy));
			const mean = (/** @type {string} */ split) =>
				accuracies.reduce((sum, splits) => sum + Number(splits[split]?.accuracy), 0) / accuracies.length;
			return {
				verdict: verdictOf(
					gaps.length === SEEDS.length,
					gaps.every((gap) => gap >= 0.1),
				),
				figures: gaps.length > 0 ? `train ${mean('train').toFixed(3)}, test ${mean('test').toFixed(3)}` : 'not run',
			};
		},
	},
	betterWhereOneBreaks('consensus-weighted'),
	worseNowhere('consensus-weighted'),
	{
		sentence: 'On p12, `consensus-weighted` gains about one point of AUROC when one modality breaks at test time only.',
		rule: 'The 95 % interval of its gain over `uniform` on p12_icu, vitals shuffled in 40 %, test only, lies above 0 and holds 1.0.',
		judge(table) {
			const gain = table.gain(onTest('p12_icu', curveSplit(SHUFFLED)), 'consensus-weighted');
			const holds = gain !== null && gain.mean - gain.half > 0 && gain.mean - gain.half <= 0.01 && gain.mean + gain.half >= 0.01;
			return { verdict: verdictOf(gain !== null, holds), figures: shown(gain) };
		},
	},
	{
		sentence: 'On clean data `consensus-weighted` gives nothing beyond what ensembling gives.',
		rule: 'On the clean test split `consensus-weighted` is not better than `late-average` on more than one dataset.',
		judge(table) {
			const gains = cleanCells.map((cell) => table.gain(cell, 'consensus-weighted', 'late-average'));
			return {
				verdict: verdictOf(!gains.includes(null), gains.filter((gain) => gain?.verdict === 'better').length <= 1),
				figures: cleanCells.map(({ dataset }, i) => `${dataset} ${shown(gains[i])}`).join('; '),
			};
		},
	},
	betterWhereOneBreaks('consensus', 'Aim of this study, not of the first: '),
	worseNowhere('consensus', 'Aim of this study, not of the first: '),
];
