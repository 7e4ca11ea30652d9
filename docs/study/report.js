// docs/study/README.md and its plots: hand-written parts from text/, everything with a figure in it from the results.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cellsOf, isCurveOnly, labelOf, METHOD_NAMES, tableOf } from './cells.js';
import { chosenDirection, chosenPreset } from './choices.js';
import { CLAIMS, countedCells, countOf } from './claims.js';
import { CURVE, curveSplit } from './conditions.js';
import { DATASETS, higherIsBetter } from './datasets.js';
import { tableText } from './markdown-table.js';
import { METHODS, SEEDS } from './methods.js';
import { gainPlot, linePlot } from './plot.js';
import { PUBLISHED } from './published.js';
import { effectiveRobustness, relativeRobustness } from './robustness.js';
import { meanInterval, pairedGain } from './statistics.js';

/** @typedef {import('./cells.js').Table} Table */
/** @typedef {import('./cells.js').Cell} Cell */

const NONE = '–';
const others = METHOD_NAMES.filter((method) => method !== 'uniform');
const NAMES = /** @type {Record<string, string>} */ ({
	auroc: 'AUROC',
	auprc: 'AUPRC',
	mae: 'MAE',
	pearson: 'Pearson',
	accuracy: 'accuracy',
	loss: 'loss',
});
const nameOf = (/** @type {string} */ metric) => `${NAMES[metric]}${higherIsBetter(metric) ? '' : ' (lower is better)'}`;

/** Mean and half width; the number of seeds where it is not all of them. @param {ReadonlyMap<number, number>} values */
function levelText(values) {
	if (values.size === 0) return NONE;
	const { mean, half, n } = meanInterval([...values.values()]);
	return `${mean.toFixed(3)}${n > 1 ? ` ± ${half.toFixed(3)}` : ''}${n < SEEDS.length ? ` (${n})` : ''}`;
}

const signed = (/** @type {number} */ value, digits = 2) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
const MARKS = { better: ' ▲', worse: ' ▼', same: '' };
/** In hundredths of the metric. @param {import('./statistics.js').Gain | null} gain */
const gainText = (gain) => (gain === null ? NONE : `${signed(100 * gain.mean)} ± ${(100 * gain.half).toFixed(2)}${MARKS[gain.verdict]}`);

/** A row a method, a column a cell. @param {readonly Cell[]} cells @param {readonly string[]} methods @param {(cell: Cell, method: string) => string} entry */
const matrix = (cells, methods, entry) =>
	tableText([
		['method', ...cells.map(labelOf)],
		...methods.map((method) => [`\`${method}\``, ...cells.map((cell) => entry(cell, method))]),
	]);

/** @param {string} dataset @param {Table} table */
function publishedText(dataset, table) {
	const own = (/** @type {string} */ method, /** @type {readonly string[]} */ metrics) => [
		`here, \`${method}\`, clean`,
		...metrics.map((metric) => levelText(table.values({ dataset, condition: 'clean', split: 'test' }, method, metric))),
	];
	return PUBLISHED[dataset]
		.map(({ source, differs, metrics, rows }) =>
			[
				`From ${source}. What differs: ${differs}.`,
				tableText([
					['', ...metrics.map(nameOf)],
					...rows.map(([name, ...values]) => [name, ...values.map(String)]),
					own('uniform', metrics),
					own('consensus', metrics),
				]),
			].join('\n\n'),
		)
		.join('\n\n');
}

/** @param {string} dataset @param {Table} table */
function datasetText(dataset, table) {
	const { title, metrics, corrupted, unseen } = DATASETS[dataset];
	const [primary, ...secondary] = metrics;
	const cells = cellsOf(dataset).filter((cell) => !isCurveOnly(cell));
	const level = (/** @type {string} */ metric) =>
		matrix(cells, METHOD_NAMES, (cell, method) => levelText(table.values(cell, method, metric)));
	return [
		`### ${dataset}`,
		`${title}. Corrupted: ${corrupted}; not looked at while choosing: ${unseen}.`,
		`Gain over \`uniform\` in hundredths of ${NAMES[primary]}, paired by seed; positive is better.`,
		matrix(cells, others, (cell, method) => gainText(table.gain(cell, method))),
		`![gains on ${dataset}](plots/${dataset}.svg)`,
		`${nameOf(primary)}, mean ± half of the 95 % interval:`,
		level(primary),
		...secondary.flatMap((metric) => [`${nameOf(metric)}:`, level(metric)]),
		'Published figures:',
		publishedText(dataset, table),
	].join('\n\n');
}

/** The shares and cells of the curve. @param {string} dataset */
const curveOf = (dataset) => CURVE.map((share) => ({ share, cell: { dataset, condition: 'clean', split: curveSplit(share) } }));

/**
 * A number made of the whole curve, by seed. Of a metric of which less is better the negative is taken.
 * @param {Table} table @param {string} dataset @param {string} method @param {'relative' | 'effective'} kind
 */
function robustness(table, dataset, method, kind) {
	const sign = higherIsBetter(DATASETS[dataset].metrics[0]) ? 1 : -1;
	const curve = curveOf(dataset);
	const shares = curve.map(({ share }) => share);
	const own = curve.map(({ cell }) => table.values(cell, method));
	const late = curve.map(({ cell }) => table.values(cell, 'late-average'));
	const found = new Map();
	for (const seed of own[0].keys()) {
		const [performance, base] = [own, late].map((points) => points.map((values) => sign * (values.get(seed) ?? Number.NaN)));
		const value = kind === 'relative' ? relativeRobustness(shares, performance) : effectiveRobustness(shares, performance, base);
		if (Number.isFinite(value)) found.set(seed, value);
	}
	return found;
}

/** @param {string} dataset @param {Table} table */
function curveText(dataset, table) {
	const { metrics, corrupted } = DATASETS[dataset];
	const curve = curveOf(dataset);
	const numbers = METHOD_NAMES.map((method) => {
		const [relative, effective] = /** @type {const} */ (['relative', 'effective']).map((kind) => robustness(table, dataset, method, kind));
		const gain = pairedGain(relative, robustness(table, dataset, 'uniform', 'relative'), true);
		return [`\`${method}\``, levelText(relative), method === 'uniform' ? NONE : gainText(gain), levelText(effective)];
	});
	return [
		`${nameOf(metrics[0])} of ${dataset} against the share of test rows in which ${corrupted} is shuffled; models trained on clean data.`,
		`![curve](plots/curve.svg)`,
		tableText([
			['method', ...curve.map(({ share }) => `${Math.round(100 * share)} %`)],
			...METHOD_NAMES.map((method) => [`\`${method}\``, ...curve.map(({ cell }) => levelText(table.values(cell, method)))]),
		]),
		'Gain over `uniform` in hundredths:',
		tableText([
			['method', ...curve.map(({ share }) => `${Math.round(100 * share)} %`)],
			...others.map((method) => [`\`${method}\``, ...curve.map(({ cell }) => gainText(table.gain(cell, method)))]),
		]),
		'Relative robustness is the area under the curve, effective robustness the area between the curve and that of `late-average` moved to the same clean value (see the protocol).',
		tableText([['method', 'relative robustness', 'its gain over `uniform`, hundredths', 'effective robustness'], ...numbers]),
	].join('\n\n');
}

/** @param {Table} table @param {string} reference */
function countText(table, reference) {
	const methods = METHOD_NAMES.filter((method) => method !== reference);
	return tableText([
		['method', 'cells', 'better', 'worse', 'better after Holm', 'worse after Holm'],
		...methods.map((method) => {
			const { cells, better, worse, betterHolm, worseHolm } = countOf(table, method, reference);
			return [`\`${method}\``, ...[cells, better, worse, betterHolm, worseHolm].map(String)];
		}),
	]);
}

const claimText = (/** @type {Table} */ table) =>
	tableText([
		['sentence', 'rule, fixed before the runs', 'verdict', 'figures'],
		...CLAIMS.map(({ sentence, rule, judge }) => {
			const { verdict, figures } = judge(table);
			return [sentence, rule, `**${verdict}**`, figures];
		}),
	]);

/** @param {Table} table @param {number} planned */
function costText({ results }, planned) {
	const seconds = (/** @type {readonly import('./results.js').Result[]} */ some) => some.reduce((sum, result) => sum + result.seconds, 0);
	const datasets = Object.keys(DATASETS);
	return [
		`${results.length} of ${planned} jobs; ${(seconds(results) / 3600).toFixed(1)} hours of training, one thread each, two at a time. Mean seconds a job:`,
		tableText([
			['method', ...datasets],
			...Object.keys(METHODS).map((method) => [
				`\`${method}\``,
				...datasets.map((dataset) => {
					const some = results.filter((result) => result.dataset === dataset && result.method === method);
					return some.length === 0 ? NONE : (seconds(some) / some.length).toFixed(1);
				}),
			]),
		]),
	].join('\n\n');
}

/** Cells whose numbers of seeds differ from the plan are named by their own entries; here only whether there are any. */
const stateText = (/** @type {number} */ done, /** @type {number} */ planned) =>
	done === planned
		? ''
		: `**This is not the whole study: ${done} of ${planned} jobs have run.** A number in brackets says how many seeds an entry has.\n\n`;

const written = (/** @type {string} */ name) => readFile(new URL(`text/${name}.md`, import.meta.url), 'utf8').then((words) => words.trim());

/** What people conclude is written after the runs, from the figures; until then the report has no such part. */
async function conclusions() {
	if (!existsSync(new URL('text/conclusions.md', import.meta.url))) return [];
	return ['## What was found', await written('conclusions')];
}

const hundredfold = (/** @type {import('./statistics.js').Gain | null} */ gain) =>
	gain === null ? null : { ...gain, mean: 100 * gain.mean, half: 100 * gain.half };

const CURVE_SHOWN = ['uniform', 'btw', 'consensus', 'late-average', 'best-unimodal'];

/** @param {string} folder @param {Table} table */
async function writePlots(folder, table) {
	await mkdir(join(folder, 'plots'), { recursive: true });
	for (const [dataset, { metrics, curve }] of Object.entries(DATASETS)) {
		const panels = cellsOf(dataset)
			.filter((cell) => !isCurveOnly(cell))
			.map((cell) => ({ label: labelOf(cell), gains: others.map((method) => hundredfold(table.gain(cell, method))) }));
		const title = `${dataset}: gain over uniform, hundredths of ${NAMES[metrics[0]]}, 95 % intervals`;
		await writeFile(join(folder, 'plots', `${dataset}.svg`), gainPlot(title, panels, others));
		if (!curve) continue;
		const series = CURVE_SHOWN.map((name) => ({
			name,
			points: curveOf(dataset).flatMap(({ share, cell }) => {
				const values = [...table.values(cell, name).values()];
				return values.length === 0 ? [] : [{ x: Math.round(100 * share), ...meanInterval(values) }];
			}),
		})).filter(({ points }) => points.length > 0);
		if (series.length === 0) continue;
		const axes = { x: `% of test rows with ${DATASETS[dataset].corrupted} shuffled`, y: NAMES[metrics[0]] };
		await writeFile(join(folder, 'plots', 'curve.svg'), linePlot(`${dataset}: how far each method falls`, axes, series));
	}
}

/**
 * Writes README.md and plots/.
 * @param {readonly import('./results.js').Result[]} results
 * @param {{folder: string, planned: number}} where
 */
export async function writeReport(results, { folder, planned }) {
	const table = tableOf(results);
	await writePlots(folder, table);
	const curveDataset = Object.keys(DATASETS).find((name) => DATASETS[name].curve) ?? '';
	const parts = [
		'# When does weighting modalities help? A study',
		`${stateText(results.length, planned)}${await written('introduction')}`,
		...(await conclusions()),
		'## The sentences of the first study',
		claimText(table),
		'### What the rules choose',
		`- Direction of BTW: ${chosenDirection(table)}\n- Recommended preset: ${chosenPreset(table)}`,
		`### In how many of the ${countedCells().length} cells`,
		'Better and worse than `uniform` by the paired 95 % interval; after Holm: by the paired t test, corrected over the cells of the row, at 0.05. Cells of the curve alone are left out.',
		countText(table, 'uniform'),
		'Against `late-average`, to see what is beyond ensembling:',
		countText(table, 'late-average'),
		'## Protocol',
		await written('protocol'),
		'## Every cell',
		'▲ better and ▼ worse than `uniform` by the paired 95 % interval over seeds.',
		...Object.keys(DATASETS).map((dataset) => datasetText(dataset, table)),
		'## The curve',
		curveText(curveDataset, table),
		'## Cost',
		costText(table, planned),
		'## Limits',
		await written('limits'),
	];
	await writeFile(join(folder, 'README.md'), `${parts.join('\n\n')}\n`);
}
