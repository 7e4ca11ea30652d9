import type { Manifest } from '@steelyard/contracts';
import { MANIFEST_FILE } from './canonical-folder.js';
import type { Layout, SplitFiles } from './layout.js';
import type { Member } from './member.js';
import { encodeHeader, headerSpan, PREFIX_BYTES } from './npy-header.js';
import { refusal } from './refusal.js';

/** The most bytes of labels that are texts, which are read as a whole, and the most characters of one. */
const MOST_BYTES = 256 * 2 ** 20;
const LONGEST = 200;
/** The most classes. */
const MOST_CLASSES = 100_000;

const TEXTS = /'descr'\s*:\s*'([<>])U(\d+)'/;
const SHAPE = /'shape'\s*:\s*\(\s*(\d+)\s*,\s*\)/;

/** The bytes of a member up to a number. */
async function beginningOf({ chunks }: Member, most: number): Promise<Buffer> {
	const pieces: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of chunks()) {
		pieces.push(Uint8Array.from(chunk));
		bytes += chunk.length;
		if (bytes >= most) break;
	}
	return Buffer.concat(pieces).subarray(0, most);
}

/** The header of a member, as text; '' where it has none. */
async function headerOf(member: Member): Promise<{ text: string; end: number }> {
	const prefix = await beginningOf(member, PREFIX_BYTES);
	if (prefix.length < PREFIX_BYTES || prefix.subarray(1, 6).toString('latin1') !== 'NUMPY') return { text: '', end: 0 };
	const { start, bytes } = headerSpan(prefix, member.name);
	const end = start + bytes;
	return { text: (await beginningOf(member, end)).subarray(start).toString('latin1'), end };
}

/** The labels of a split that are texts (NumPy's `<U`), one per row; null for others. */
async function textsOf(member: Member): Promise<string[] | null> {
	const { text, end } = await headerOf(member);
	const [, order = '', width = ''] = TEXTS.exec(text) ?? [];
	if (order === '') return null;
	const [, rows = ''] = SHAPE.exec(text) ?? [];
	if (rows === '')
		throw refusal(member.name, 'shape (rows,) of labels that are texts', `the header ${JSON.stringify(text.trim().slice(0, 120))}`);
	const size = 4 * Number(width);
	const bytes = Number(rows) * size;
	if (bytes > MOST_BYTES) throw refusal(member.name, `at most ${MOST_BYTES} bytes of labels that are texts`, `${bytes}`);
	const all = await beginningOf(member, end + bytes + 1);
	if (all.length !== end + bytes)
		throw refusal(member.name, `${end + bytes} bytes, by its header`, `${all.length > end + bytes ? 'more' : all.length}`);
	const data = Uint8Array.from(all.subarray(end));
	if (order === '>') Buffer.from(data.buffer).swap32();
	const points = new Uint32Array(data.buffer);
	return Array.from({ length: Number(rows) }, (_, row) => {
		const from = row * Number(width);
		let length = Number(width);
		while (length > 0 && points[from + length - 1] === 0) length--;
		const own = points.subarray(from, from + length);
		if (own.some((point) => point > 0x10_ff_ff)) throw refusal(member.name, 'labels that are texts', 'other bytes', { row });
		return String.fromCodePoint(...own.subarray(0, LONGEST + 1));
	});
}

/** An array of class numbers in the place of labels that are texts. */
function numbered(member: Member, labels: readonly string[], classes: readonly string[]): Member {
	const numbers = new Map(classes.map((name, number) => [name, number]));
	const values = Int32Array.from(labels, (label, row) => {
		const number = numbers.get(label);
		if (number === undefined)
			throw refusal(
				member.name,
				`one of the classes ${classes
					.slice(0, 10)
					.map((name) => JSON.stringify(name))
					.join(', ')}${classes.length > 10 ? ', …' : ''}`,
				JSON.stringify(label.slice(0, 60)),
				{ row },
			);
		return number;
	});
	const bytes = Buffer.concat([encodeHeader('int32', [labels.length]), new Uint8Array(values.buffer)]);
	return {
		name: member.name,
		bytes: bytes.length,
		async *chunks() {
			yield bytes;
		},
	};
}

/** The classes that the labels of the training split name, in the order of the alphabet. */
function classesOf({ name }: Member, labels: readonly string[]): string[] {
	const classes = [...new Set(labels)].sort();
	if (classes.length > MOST_CLASSES) throw refusal(name, `at most ${MOST_CLASSES} classes`, `${classes.length}`);
	const bad = classes.find((label) => label === '' || label.length > LONGEST);
	if (bad !== undefined)
		throw refusal(name, `labels of 1 to ${LONGEST} characters`, JSON.stringify(bad.slice(0, 60)), { row: labels.indexOf(bad) });
	return classes;
}

/**
 * Where labels are texts, such as yes and no, the numbers of their classes in their place, and a manifest that names the classes: those of the manifest, else those of the
 * training split in the order of the alphabet. Labels of all splits are texts, or none.
 */
export async function withNumberedLabels(
	layout: Layout,
	manifest: Manifest | null,
): Promise<{ layout: Layout; manifest: Manifest | null }> {
	const [train] = layout.splits as [SplitFiles, ...SplitFiles[]];
	const texts = await textsOf(train.labels);
	if (texts === null) return { layout, manifest };
	const classes = manifest?.task.classes ?? classesOf(train.labels, texts);
	const type = manifest?.task.type ?? (classes.length === 2 ? 'binary' : 'multiclass');
	if (type === 'regression' || type === 'multilabel')
		throw refusal(MANIFEST_FILE, 'task.type binary or multiclass for labels that are texts', type);
	const splits: SplitFiles[] = [];
	for (const split of layout.splits) {
		const own = split === train ? texts : await textsOf(split.labels);
		if (own === null) throw refusal(split.labels.name, 'labels that are texts, as those of train are', 'numbers');
		splits.push({ ...split, labels: numbered(split.labels, own, classes) });
	}
	return { layout: { ...layout, splits }, manifest: { ...manifest, task: { ...manifest?.task, type, classes } } };
}
