// docs/study/tables.md: what is written by hand in text/tables.md, and the figures of results.json.
import { readFile } from 'node:fs/promises';
import { tableText } from '../markdown-table.js';

/** @typedef {{ name: string, from: string, what: string, label: string, rows: { train: number, test: number }, kinds: Record<string, number>, metric: string, ours: Record<string, number>, peers: Record<string, Record<string, number>>, best: string, interval: [number, number], seconds: number }} Studied */

const NAMES = /** @type {Record<string, string>} */ ({ accuracy: 'accuracy', rmse: 'RMSE (lower is better)' });
const figure = (/** @type {number} */ value) => value.toPrecision(4);

/** Where our figure lies: within the interval of the best peer, or beyond it. @param {Studied} studied */
export function verdictOf({ metric, ours, interval: [low, high] }) {
	const own = ours[metric];
	if (own >= low && own <= high) return 'inside';
	return own > high === (metric === 'accuracy') ? '**better**' : '**worse**';
}

/** @param {Studied} studied */
const kindsText = ({ kinds }) =>
	Object.entries(kinds)
		.map(([kind, count]) => `${count} ${kind}`)
		.join(', ');

/** The page. @param {{ date: string, tables: readonly Studied[] }} results */
export async function pageOf({ date, tables }) {
	const [what, found] = (await readFile(new URL('../text/tables.md', import.meta.url), 'utf8')).split('\n<!-- figures -->\n');
	const sources = tableText([
		['table', 'from', 'what is predicted', 'rows: train, test', 'columns'],
		...tables.map((one) => [one.name, one.from, `\`${one.label}\`: ${one.what}`, `${one.rows.train}, ${one.rows.test}`, kindsText(one)]),
	]);
	const figures = tableText([
		['table', 'metric', 'Steelyard', 'linear', 'boosted trees', 'best, with 95 % interval', 'Steelyard is'],
		...tables.map((one) => [
			one.name,
			NAMES[one.metric],
			figure(one.ours[one.metric]),
			...['linear', 'boosted trees'].map((peer) => figure(one.peers[peer][one.metric])),
			`${one.best}, ${figure(one.interval[0])}–${figure(one.interval[1])}`,
			verdictOf(one),
		]),
	]);
	return `${[what.trim(), sources, `Measured on ${date}.`, figures, found.trim()].join('\n\n')}\n`;
}
