// Small SVG drawings: gains with their intervals by cell, and curves.

const escaped = (/** @type {string} */ text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const at = (/** @type {number} */ value) => Number(value.toFixed(1));
const line = (
	/** @type {number} */ x1,
	/** @type {number} */ y1,
	/** @type {number} */ x2,
	/** @type {number} */ y2,
	style = 'stroke="#bbb"',
) => `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" ${style}/>`;
const text = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ words, style = '') =>
	`<text x="${at(x)}" y="${at(y)}" ${style}>${escaped(words)}</text>`;
const dot = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ color) =>
	`<circle cx="${at(x)}" cy="${at(y)}" r="3.2" fill="${color}"/>`;

/** @param {number} width @param {number} height @param {string} title @param {readonly string[]} parts */
const drawing = (width, height, title, parts) =>
	[
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
		`<title>${escaped(title)}</title>`,
		`<rect width="${width}" height="${height}" fill="#fff"/>`,
		...parts,
		'</svg>',
		'',
	].join('\n');

/** Round numbers that span a range, about `count` of them. */
export function ticks(/** @type {number} */ low, /** @type {number} */ high, count = 4) {
	const raw = (high - low) / count;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10);
	const first = Math.ceil(low / step - 1e-9);
	return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(10)));
}

export const COLORS = { better: '#1a7f37', worse: '#cf222e', same: '#57606a' };

const PANEL = { width: 235, row: 17, head: 40, foot: 24, across: 4, names: 118 };

/**
 * A panel a cell, a row a method: the mean gain and its interval around a line at 0.
 * @param {string} title
 * @param {readonly {label: string, gains: readonly (import('./statistics.js').Gain | null)[]}[]} panels gains in the order of `methods`, in the unit to show
 * @param {readonly string[]} methods
 */
export function gainPlot(title, panels, methods) {
	const height = PANEL.head + PANEL.foot + methods.length * PANEL.row;
	const rows = Math.ceil(panels.length / PANEL.across);
	const parts = [text(8, 16, title, 'font-size="13" font-weight="bold"')];
	for (const [i, { label, gains }] of panels.entries()) {
		const left = PANEL.names + (i % PANEL.across) * PANEL.width;
		const top = 22 + Math.floor(i / PANEL.across) * height;
		const right = left + PANEL.width - 18;
		const ends = gains.flatMap((gain) => (gain === null ? [] : [gain.mean - gain.half, gain.mean + gain.half])).filter(Number.isFinite);
		const reach = Math.max(0.1, ...ends.map(Math.abs)) * 1.05;
		const x = (/** @type {number} */ value) => left + ((value + reach) / (2 * reach)) * (right - left);
		const y = (/** @type {number} */ row) => top + PANEL.head + (row + 0.5) * PANEL.row;
		const bottom = top + PANEL.head + methods.length * PANEL.row;
		parts.push(text(left, top + 26, label, 'font-weight="bold" font-size="10.5"'), line(left, bottom, right, bottom, 'stroke="#888"'));
		for (const value of ticks(-reach, reach))
			parts.push(
				line(x(value), top + PANEL.head, x(value), bottom, value === 0 ? 'stroke="#333"' : 'stroke="#e4e4e4"'),
				text(x(value), bottom + 14, String(value), 'text-anchor="middle" fill="#555"'),
			);
		for (const [row, method] of methods.entries()) {
			if (i % PANEL.across === 0) parts.push(text(PANEL.names - 8, y(row) + 4, method, 'text-anchor="end"'));
			const gain = gains[row];
			if (!gain) continue;
			const color = COLORS[gain.verdict];
			parts.push(line(x(gain.mean - gain.half), y(row), x(gain.mean + gain.half), y(row), `stroke="${color}" stroke-width="1.6"`));
			parts.push(dot(x(gain.mean), y(row), color));
		}
	}
	return drawing(PANEL.names + PANEL.across * PANEL.width, 28 + rows * height, title, parts);
}

const LINES = ['#57606a', '#bf8700', '#0969da', '#1a7f37', '#8250df', '#cf222e'];

/**
 * Lines with intervals.
 * @param {string} title
 * @param {{x: string, y: string}} axes
 * @param {readonly {name: string, points: readonly {x: number, mean: number, half: number}[]}[]} series
 */
export function linePlot(title, axes, series) {
	const box = { left: 64, top: 34, right: 560, bottom: 320 };
	const points = series.flatMap((one) => one.points);
	const halfOf = (/** @type {{half: number}} */ { half }) => (Number.isFinite(half) ? half : 0);
	const low = Math.min(...points.map((point) => point.mean - halfOf(point)));
	const high = Math.max(...points.map((point) => point.mean + halfOf(point)));
	const room = (high - low || 1) * 0.05;
	const most = Math.max(...points.map((point) => point.x));
	const x = (/** @type {number} */ value) => box.left + 12 + (value / most) * (box.right - box.left - 24);
	const y = (/** @type {number} */ value) => box.bottom - ((value - low + room) / (high - low + 2 * room)) * (box.bottom - box.top);
	const parts = [text(8, 18, title, 'font-size="13" font-weight="bold"')];
	for (const value of ticks(low - room, high + room, 5))
		parts.push(
			line(box.left, y(value), box.right, y(value), 'stroke="#e4e4e4"'),
			text(box.left - 6, y(value) + 4, String(value), 'text-anchor="end"'),
		);
	for (const value of new Set(points.map((point) => point.x)))
		parts.push(text(x(value), box.bottom + 16, String(value), 'text-anchor="middle"'));
	parts.push(
		line(box.left, box.bottom, box.right, box.bottom, 'stroke="#888"'),
		text((box.left + box.right) / 2, box.bottom + 34, axes.x, 'text-anchor="middle"'),
		text(16, (box.top + box.bottom) / 2, axes.y, `text-anchor="middle" transform="rotate(-90 16 ${(box.top + box.bottom) / 2})"`),
	);
	for (const [i, { name, points: own }] of series.entries()) {
		const color = LINES[i % LINES.length];
		const shift = (i - (series.length - 1) / 2) * 3; // so that intervals do not cover each other
		const path = own.map((point, k) => `${k === 0 ? 'M' : 'L'}${at(x(point.x) + shift)} ${at(y(point.mean))}`).join('');
		parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="1.6"/>`);
		for (const point of own) {
			const middle = x(point.x) + shift;
			parts.push(
				line(middle, y(point.mean - halfOf(point)), middle, y(point.mean + halfOf(point)), `stroke="${color}"`),
				dot(middle, y(point.mean), color),
			);
		}
		parts.push(
			line(box.right + 14, 44 + i * 18, box.right + 34, 44 + i * 18, `stroke="${color}" stroke-width="2"`),
			text(box.right + 40, 48 + i * 18, name),
		);
	}
	return drawing(700, 370, title, parts);
}
