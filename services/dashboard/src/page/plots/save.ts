import { render, type VNode } from 'preact';

/** Properties of style that a picture needs outside of this page. */
const STYLES = [
	'fill',
	'fill-opacity',
	'stroke',
	'stroke-width',
	'stroke-dasharray',
	'stroke-opacity',
	'opacity',
	'font-size',
	'font-weight',
	'font-family',
];

/** An svg element as a file of its own: with the colours that the theme gives it now, and a background. */
export function svgText(drawn: SVGSVGElement): string {
	const copy = drawn.cloneNode(true) as SVGSVGElement;
	const [, , width = '640', height = '280'] = (drawn.getAttribute('viewBox') ?? '').split(' ');
	const sources = [drawn, ...drawn.querySelectorAll('*')];
	[copy, ...copy.querySelectorAll('*')].forEach((element, i) => {
		const style = getComputedStyle(sources[i] as Element);
		for (const name of STYLES) {
			const value = style.getPropertyValue(name);
			if (value !== '' && value !== 'normal') element.setAttribute(name, value);
		}
		element.removeAttribute('class');
	});
	copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
	copy.setAttribute('width', width);
	copy.setAttribute('height', height);
	const background = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
	background.setAttribute('width', '100%');
	background.setAttribute('height', '100%');
	background.setAttribute('fill', getComputedStyle(document.body).backgroundColor);
	copy.prepend(background);
	return new XMLSerializer().serializeToString(copy);
}

/** Draws a picture outside of what is seen, and gives its text. */
export function svgOf(picture: VNode): string {
	const aside = document.createElement('div');
	aside.className = 'aside-picture';
	document.body.append(aside);
	try {
		render(picture, aside);
		return svgText(aside.querySelector('svg') as SVGSVGElement);
	} finally {
		render(null, aside);
		aside.remove();
	}
}

/** Gives the user a file to keep. */
export function saveFile(name: string, content: Blob): void {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(content);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** A picture as PNG, twice as many pixels as its size. Rejects where the browser cannot draw it. */
export async function pngOf(svg: string): Promise<Blob> {
	const image = new Image();
	image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
	await image.decode();
	const canvas = document.createElement('canvas');
	canvas.width = image.naturalWidth * 2;
	canvas.height = image.naturalHeight * 2;
	canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
	return new Promise((resolve, reject) => {
		canvas.toBlob(
			(blob) => (blob === null ? reject(new Error('The browser could not make a PNG of the picture')) : resolve(blob)),
			'image/png',
		);
	});
}

/** A file name made of a title. */
export const fileNameOf = (title: string, ending: string): string =>
	`${title
		.toLowerCase()
		.replace(/[^\p{L}\p{N}]+/gu, '-')
		.replace(/^-+|-+$/g, '')}.${ending}`;
