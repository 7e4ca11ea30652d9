// Words of a text, and their hashed TF-IDF.

import { isCollectorWord } from './collector.mjs';

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ', apos: "'" };

/** The text that a reader of an HTML page sees. Block ends become line ends. */
export function htmlToText(html) {
	return html
		.replace(/<!--[\s\S]*?(-->|$)/g, '')
		.replace(/<(script|style|title)\b[\s\S]*?(<\/\1\s*>|$)/gi, ' ')
		.replace(/<(br|\/p|\/div|\/tr|\/li|\/h\d)\b[^>]*>/gi, '\n')
		.replace(/<\/?[a-z!][^>]*>?/gi, '')
		.replace(/&#(\d{1,6});?/g, (_, code) => (Number(code) <= 0x10ffff ? String.fromCodePoint(Number(code)) : ' '))
		.replace(/&([a-z]{2,6});?/gi, (whole, name) => ENTITIES[name.toLowerCase()] ?? ' ');
}

/** Lower-case words of 2 to 20 letters. Addresses, links, quotation lines and whatever names the collector are left out. */
export function wordsOf(text) {
	const prose = text
		.replace(/^.*\b(wrote|writes|said):\s*$/gm, ' ')
		.replace(/(https?|ftp):\/\/\S+|www\.\S+|[\w.+-]+@[\w.-]+/gi, ' ')
		.toLowerCase()
		.normalize('NFKD')
		.replace(/[\u0300-\u036f]/g, '');
	return (prose.match(/\p{L}+(?:'\p{L}+)?/gu) ?? []).filter((word) => word.length >= 2 && word.length <= 20 && !isCollectorWord(word));
}

/**
 * TF-IDF by feature hashing (Weinberger et al. 2009): the sign comes from the hash too, so that collisions cancel on average.
 * Document frequencies are those of the texts given here, which must be those of the training split alone.
 * @param {string[][]} texts words of each training text
 * @param {number} width columns
 * @param {number} [minimum] a word in fewer training texts than this is ignored
 * @returns {(words: string[]) => Float64Array} a row of `width` values and length 1, or 0 for a text without known words
 */
export function fitHashedTfIdf(texts, width, minimum = 3) {
	const frequency = new Map();
	for (const words of texts) for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
	return (words) => {
		const counts = new Map();
		for (const word of words) if ((frequency.get(word) ?? 0) >= minimum) counts.set(word, (counts.get(word) ?? 0) + 1);
		const row = new Float64Array(width);
		for (const [word, count] of counts) {
			const hash = fnv1a(word);
			const weight = (1 + Math.log(count)) * (1 + Math.log((1 + texts.length) / (1 + frequency.get(word))));
			row[hash % width] += hash & 0x80000000 ? -weight : weight;
		}
		const length = Math.hypot(...row);
		return length > 0 ? row.map((value) => value / length) : row;
	};
}

/** 32-bit FNV-1a over UTF-16 units, finished with the mixer of MurmurHash3, since its low bits alone are uneven. */
export function fnv1a(text) {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}
