import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A fenced block of code: its language and its lines. */
export type Block = { readonly language: string; readonly text: string };

const FENCE = /^```(\S*)\n([\s\S]*?)^```$/gm;

export const blocksOf = (markdown: string): Block[] =>
	[...markdown.matchAll(FENCE)].map(([, language = '', text = '']) => ({ language, text }));

const withoutBlocks = (markdown: string): string => markdown.replace(FENCE, '');

/** The rows of every table as their cells, heads left out. */
export const rowsOf = (markdown: string): string[][] =>
	withoutBlocks(markdown)
		.split('\n')
		.filter((line, at, lines) => line.startsWith('|') && !/^\|[\s|-]+\|$/.test(line) && !/^\|[\s|-]+\|$/.test(lines[at + 1] ?? ''))
		.map((line) =>
			line
				.split(/(?<!\\)\|/)
				.slice(1, -1)
				.map((cell) => cell.trim()),
		);

/** The names by which links reach the headings of a document, as forges make them. */
function anchorsOf(markdown: string): Set<string> {
	const anchors = new Set<string>();
	for (const [, heading = ''] of withoutBlocks(markdown).matchAll(/^#+ (.+)$/gm)) {
		const slug = heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\s_-]/gu, '')
			.trim()
			.replaceAll(' ', '-');
		let anchor = slug;
		for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
		anchors.add(anchor);
	}
	return anchors;
}

/** The links of a document that lead to no file or heading: `document: target`. Addresses of the web are not followed. */
export function deadLinks(root: string, file: string): string[] {
	const path = join(root, file);
	const prose = withoutBlocks(readFileSync(path, 'utf8')).replace(/`[^`]*`/g, '');
	const dead: string[] = [];
	for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
		if (/^[a-z]+:/.test(target)) continue;
		const [to = '', anchor] = target.split('#');
		const found = to === '' ? path : join(dirname(path), to);
		const there = existsSync(found) && !relative(root, found).startsWith('..');
		if (!there || (anchor !== undefined && !(statSync(found).isFile() && anchorsOf(readFileSync(found, 'utf8')).has(anchor))))
			dead.push(`${file}: ${target}`);
	}
	return dead;
}

/** The pictures that a document shows: where each is, from the root, and what is said in its place. */
export const picturesOf = (root: string, file: string): { path: string; text: string }[] =>
	[...withoutBlocks(readFileSync(join(root, file), 'utf8')).matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, text = '', target = '']) => ({
		path: relative(root, join(root, dirname(file), target)),
		text,
	}));
