// Which messages belong together, and how groups are dealt out to splits.

import { fnv1a } from './words.mjs';

const SHINGLE = 4;
const BANDS = 12;
const ROWS = 3;

/**
 * Groups messages that share a thread (the same subject of three words or more) or are near-duplicates: MinHash of word 4-grams,
 * 12 bands of 3 (Broder 1997), which joins two bodies of Jaccard similarity 0.5 with probability 0.8 and 0.8 with 0.9998.
 * @param {{ subjectWords: string[], bodyWords: string[] }[]} mails
 * @returns {number[]} for each mail the index of its group's first mail
 */
export function groupNearDuplicates(mails) {
	const parent = mails.map((_, i) => i);
	const root = (i) => {
		while (parent[i] !== i) {
			parent[i] = parent[parent[i]];
			i = parent[i];
		}
		return i;
	};
	const firstWith = new Map();
	const join = (key, i) => {
		const first = firstWith.get(key);
		if (first === undefined) firstWith.set(key, i);
		else {
			const [low, high] = [root(first), root(i)].sort((a, b) => a - b);
			parent[high] = low;
		}
	};
	mails.forEach((mail, i) => {
		const thread = mail.subjectWords.filter((word) => word !== 're' && word !== 'fwd' && word !== 'fw');
		if (thread.length >= 3) join(`subject ${thread.join(' ')}`, i);
		signature(mail.bodyWords).forEach((band, b) => {
			join(`body ${b} ${band}`, i);
		});
	});
	return parent.map((_, i) => root(i));
}

function signature(words) {
	const shingles = new Set();
	for (let i = 0; i < Math.max(1, words.length - SHINGLE + 1); i++) shingles.add(fnv1a(words.slice(i, i + SHINGLE).join(' ')));
	const bands = [];
	for (let b = 0; b < BANDS; b++) {
		const minima = [];
		for (let r = 0; r < ROWS; r++) {
			const salt = Math.imul(b * ROWS + r + 1, 0x9e3779b1);
			let minimum = 0xffffffff;
			for (const shingle of shingles) {
				let mixed = Math.imul(shingle ^ salt, 0x85ebca6b);
				mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
				minimum = Math.min(minimum, (mixed ^ (mixed >>> 13)) >>> 0);
			}
			minima.push(minimum);
		}
		bands.push(minima.join(' '));
	}
	return bands;
}

/**
 * Deals whole groups out to splits, large groups first and equal ones in seeded order, each to the split that lacks the most rows of
 * the group's prevailing label.
 * @param {number[]} groups group of each row
 * @param {number[]} labels label of each row
 * @param {Record<string, number>} shares share of each split, summing to 1
 * @param {() => number} random uniform in [0, 1)
 * @returns {Record<string, number[]>} rows of each split, in seeded order
 */
export function dealGroups(groups, labels, shares, random) {
	const members = new Map();
	groups.forEach((group, row) => {
		members.set(group, [...(members.get(group) ?? []), row]);
	});
	const order = shuffle([...members.values()], random).sort((a, b) => b.length - a.length);
	const classes = [...new Set(labels)];
	const total = new Map(classes.map((label) => [label, labels.filter((value) => value === label).length]));
	const splits = Object.entries(shares).map(([name, share]) => ({
		name,
		rows: [],
		lacking: new Map(classes.map((label) => [label, share * total.get(label)])),
	}));
	for (const rows of order) {
		const tally = (label) => rows.filter((row) => labels[row] === label).length;
		const prevailing = classes.reduce((best, label) => (tally(label) > tally(best) ? label : best));
		const target = splits.reduce((best, split) => (split.lacking.get(prevailing) > best.lacking.get(prevailing) ? split : best));
		target.rows.push(...rows);
		for (const row of rows) target.lacking.set(labels[row], target.lacking.get(labels[row]) - 1);
	}
	return Object.fromEntries(splits.map((split) => [split.name, shuffle(split.rows, random)]));
}

/** Uniform numbers in [0, 1) from a 32-bit seed (mulberry32). */
export function seededRandom(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

function shuffle(items, random) {
	const shuffled = [...items];
	for (let i = shuffled.length - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
	}
	return shuffled;
}
