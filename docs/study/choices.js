// What the rules of the protocol choose: the direction of BTW and the recommended preset.
import { countedCells, countOf } from './claims.js';

/** @typedef {import('./cells.js').Table} Table */

/** Methods that are presets of the service as they are, cheaper ones first. */
const PRESETS = ['ogm-ge', 'mi', 'btw-kl', 'btw', 'paper', 'qmf', 'consensus-weighted', 'consensus'];
/** Largest share of cells in which a preset that is recommended may be worse than `uniform`. */
const MAY_BE_WORSE = 1 / 20;

/** @param {Table} table */
export function chosenDirection(table) {
	const { better, worse, cells } = countOf(table, 'btw', 'btw-divergence');
	if (cells < countedCells().length) return `undecided, ${cells} of ${countedCells().length} cells have run.`;
	const words = `\`btw\` (agreement) is better than \`btw-divergence\` in ${better} and worse in ${worse} of ${cells} cells`;
	return `**${better >= worse ? 'agreement' : 'divergence'}**; ${words}.`;
}

/** @param {Table} table */
export function chosenPreset(table) {
	const counts = PRESETS.map((preset) => ({ preset, ...countOf(table, preset) }));
	const lacking = counts.filter(({ cells }) => cells < countedCells().length).map(({ preset }) => preset);
	if (lacking.length > 0) return `undecided, cells of ${lacking.join(', ')} are lacking.`;
	const fit = counts.filter(({ better, worse, cells }) => better > worse && worse <= cells * MAY_BE_WORSE);
	if (fit.length === 0) return '**uniform**; no preset is better in more cells than worse and worse in no more than one in twenty.';
	const best = fit.reduce((first, next) => (next.better - next.worse > first.better - first.worse ? next : first));
	return `**${best.preset}**, better in ${best.better} and worse in ${best.worse} of ${best.cells} cells.`;
}
