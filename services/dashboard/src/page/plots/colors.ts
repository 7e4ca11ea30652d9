/** What a style that is written with variables of the theme comes to now, as `rgb(…)`: a canvas knows no variables. */
export function colorNow(style: string): string {
	const probe = document.createElement('span');
	probe.style.color = style;
	document.body.append(probe);
	const { color } = getComputedStyle(probe);
	probe.remove();
	return color;
}

/** The colour of the series with this number, from 0; after eight they repeat. */
export const seriesColor = (number: number): string => colorNow(`var(--series-${number % 8})`);

/** A colour `rgb(r, g, b)` that lets through what is behind it. */
export const withAlpha = (color: string, alpha: number): string =>
	color.replace(/^rgba?\((\d+), (\d+), (\d+).*$/, `rgba($1, $2, $3, ${alpha})`);
