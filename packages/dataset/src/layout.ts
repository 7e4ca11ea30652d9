import { type Manifest, NAME_PATTERN } from '@steelyard/contracts';
import { groupFile, labelsFile, maskFile, modalityFile } from './canonical-folder.js';
import type { Limits } from './limits.js';
import type { Member, Source } from './member.js';
import { refusal } from './refusal.js';

/**
 * The files of a modality in one split: its values and, unless all of them are there, what says which are: a mask, the offsets at which the rows of a ragged array
 * begin, or the length of each padded row.
 */
export type ModalityFiles = {
	readonly values: Member;
	readonly presence: { readonly by: 'mask' | 'offsets' | 'length'; readonly member: Member } | null;
};

/** Which files make up one split. */
export type SplitFiles = {
	readonly name: string;
	readonly labels: Member;
	readonly modalities: ReadonlyMap<string, ModalityFiles>;
	readonly group: Member | null;
	/** The number of rows in the manifest; null where it gives none. */
	readonly rows: number | null;
};

/** Which files of a source are read, and as what; `ignored` are the first of the arrays that are not. */
export type Layout = {
	readonly modalities: readonly string[];
	readonly splits: readonly SplitFiles[];
	readonly ignored: readonly { readonly file: string; readonly reason: string }[];
};

/** The most ignored arrays that are listed, and the most characters of the name of one. */
const MOST_IGNORED = 100;
const LONGEST_NAME = 200;

/** The standard splits, each with the names that its files may begin with. */
const STANDARD_SPLITS: ReadonlyMap<string, readonly string[]> = new Map([
	['train', ['train']],
	['valid', ['valid', 'validation', 'val', 'dev']],
	['test', ['test']],
]);

/** The values of a ragged modality, one row after the other, and where each row begins. */
const raggedFiles = (split: string, modality: string): [values: string, offsets: string] => [
	modalityFile(split, `${modality}_values`),
	modalityFile(split, `${modality}_offsets`),
];

/**
 * The modalities where no manifest names them: every `train_<name>.npy`, except labels, masks, the group, and what belongs to a modality of steps: the values and
 * offsets of a ragged one are together a modality, and lengths belong to the array beside them.
 */
function discoverModalities({ members }: Source, group: string | undefined): string[] {
	const found = new Set<string>();
	for (const member of members.values()) {
		const name = /^train_(.+)\.npy$/s.exec(member.name)?.[1];
		if (name === undefined || name === 'labels' || name === group || name.endsWith('_mask')) continue;
		const [, whole, part] = /^(.+)_(values|offsets|length)$/s.exec(name) ?? [];
		const isRagged = whole !== undefined && raggedFiles('train', whole).every((file) => members.has(file));
		if (part === 'length' && whole !== undefined && members.has(modalityFile('train', whole))) continue;
		const modality = isRagged && part !== 'length' ? whole : name;
		if (!new RegExp(NAME_PATTERN).test(modality))
			throw refusal(member.name, `a modality's name that fits ${NAME_PATTERN}`, JSON.stringify(modality));
		found.add(modality);
	}
	if (found.size === 0) throw refusal('The dataset', 'at least one modality, a file train_<name>.npy', 'none');
	return [...found].sort();
}

/** The files that a split may have under one of its names. */
const possibleFiles = (alias: string, modalities: readonly string[], group: string | undefined): string[] => [
	labelsFile(alias),
	...modalities.flatMap((modality) => [modalityFile(alias, modality), maskFile(alias, modality)]),
	...(group === undefined ? [] : [groupFile(alias, group)]),
];

function declaredRows(manifest: Manifest | null, aliases: readonly string[]): number | null {
	for (const alias of aliases) {
		const splits = manifest?.splits;
		const rows = splits !== undefined && Object.hasOwn(splits, alias) ? splits[alias] : undefined;
		if (typeof rows === 'number') return rows;
	}
	return null;
}

/** Refuses a file that would have two meanings: `a_b` of split `train` and `b` of split `train_a` share one, as do a modality `a_mask` and the mask of `a`. */
function claim(claimed: Set<string>, files: readonly string[]): void {
	for (const file of files) {
		if (claimed.has(file)) throw refusal(file, 'one meaning of this name', 'two, by the names of splits, modalities and group');
		claimed.add(file);
	}
}

/** The files of a modality of a split. A file that is a modality by its own name belongs to no other. */
function modalityFiles(
	{ members }: Source,
	take: (file: string, why: string) => Member,
	split: string,
	modality: string,
	modalities: readonly string[],
): ModalityFiles {
	const partOf = (part: string): Member | undefined =>
		modalities.includes(`${modality}_${part}`) ? undefined : members.get(modalityFile(split, `${modality}_${part}`));
	const [ragged, offsets, length] = ['values', 'offsets', 'length'].map(partOf);
	const mask = members.get(maskFile(split, modality));
	const dense = members.get(modalityFile(split, modality));
	const [valuesName, offsetsName] = raggedFiles(split, modality);
	const isRagged = ragged !== undefined && offsets !== undefined;
	if (dense !== undefined && isRagged) throw refusal(dense.name, `this file, or ${valuesName} with ${offsetsName}`, 'both');
	if (dense === undefined && ragged !== undefined) take(offsetsName, `the offset at which each row of ${valuesName} begins`);
	if (dense === undefined && offsets !== undefined) take(valuesName, `the values to which ${offsetsName} belongs`);
	const presences = [
		...(mask === undefined ? [] : [{ by: 'mask', member: mask } as const]),
		...(isRagged ? [{ by: 'offsets', member: offsets } as const] : []),
		...(length === undefined ? [] : [{ by: 'length', member: length } as const]),
	];
	const [presence = null, second] = presences;
	if (presence !== null && second !== undefined)
		throw refusal(second.member.name, `one file that says what is there of modality ${modality}`, `also ${presence.member.name}`);
	return { values: isRagged ? ragged : take(modalityFile(split, modality), `modality ${modality} of split ${split}`), presence };
}

function checkNumber(what: 'modalities' | 'splits', found: number, limits: Limits): void {
	if (found > limits[what]) throw refusal('The dataset', `at most ${limits[what]} ${what}`, `${found}`);
}

/** Decides which files are read, without reading data. Refuses what is missing, ambiguous, would have two meanings, or is too much. */
export function layOut(source: Source, manifest: Manifest | null, limits: Limits): Layout {
	const { members } = source;
	const group = manifest?.group;
	const modalities = manifest?.modalities === undefined ? discoverModalities(source, group) : Object.keys(manifest.modalities);
	const named = Object.keys(manifest?.splits ?? {});
	checkNumber('modalities', modalities.length, limits);
	checkNumber('splits', named.length, limits);
	const standardNames = [...STANDARD_SPLITS.values()].flat();
	const candidates = [...STANDARD_SPLITS, ...named.filter((name) => !standardNames.includes(name)).map((name) => [name, [name]] as const)];

	const splits: SplitFiles[] = [];
	const read = new Set<string>();
	const written = new Set<string>();
	for (const [name, aliases] of candidates) {
		const beginsWith = (alias: string): boolean =>
			[...possibleFiles(alias, modalities, group), ...modalities.flatMap((modality) => raggedFiles(alias, modality))].some((file) =>
				members.has(file),
			);
		const present = aliases.filter(beginsWith);
		const [alias = aliases.find((other) => named.includes(other)), second] = present;
		if (second !== undefined) throw refusal(labelsFile(second), `one ${name} split`, `files of both ${alias} and ${second}`);
		if (alias === undefined && name !== 'train') continue;
		const prefix = alias ?? name;
		claim(read, possibleFiles(prefix, modalities, group));
		claim(written, possibleFiles(name, modalities, group));
		const take = (file: string, why: string): Member => {
			const member = members.get(file);
			if (member === undefined) throw refusal(file, why, 'no such file');
			return member;
		};
		const labels = take(labelsFile(prefix), name === 'train' ? 'a train split, with its labels' : `the labels of split ${prefix}`);
		const files: SplitFiles = {
			name,
			labels,
			modalities: new Map(modalities.map((modality) => [modality, modalityFiles(source, take, prefix, modality, modalities)])),
			group:
				group === undefined
					? null
					: name === 'train'
						? take(groupFile(prefix, group), 'the groups that the manifest names')
						: (members.get(groupFile(prefix, group)) ?? null),
			rows: declaredRows(manifest, aliases),
		};
		splits.push(files);
		claim(
			read,
			filesOf({ splits: [files] })
				.map((member) => member.name)
				.filter((file) => !possibleFiles(prefix, modalities, group).includes(file)),
		);
	}
	return { modalities, splits, ignored: leftOver(source, manifest, splits) };
}

/**
 * The arrays that are not read, where the manifest says which modalities to read. Without that, an array that would be left out in silence is refused.
 */
function leftOver({ members }: Source, manifest: Manifest | null, splits: readonly SplitFiles[]): Layout['ignored'] {
	const read = new Set(filesOf({ splits }).map(({ name }) => name));
	const names = [...members.keys()].filter((name) => name.endsWith('.npy') && !read.has(name)).sort();
	const [first] = names;
	if (first !== undefined && manifest?.modalities === undefined)
		throw refusal(
			first,
			`arrays {split}_{modality}.npy, with {split}_{modality}_mask.npy or {split}_{modality}_length.npy, {split}_{modality}_values.npy with {split}_{modality}_offsets.npy, and {split}_labels.npy of the splits ${splits.map(({ name }) => name).join(', ')}, or a manifest.json whose "modalities" and "splits" say what to read`,
			'an array that belongs to none of them',
		);
	const prefixes = splits.map(({ labels }) => labels.name.slice(0, -'labels.npy'.length));
	return names.slice(0, MOST_IGNORED).map((file) => ({
		file: file.slice(0, LONGEST_NAME),
		reason: prefixes.some((prefix) => file.startsWith(prefix))
			? 'manifest.json names no modality or group of this name'
			: 'of no split that is read',
	}));
}

/** Every file that is read. */
export const filesOf = ({ splits }: Pick<Layout, 'splits'>): Member[] =>
	splits.flatMap(({ labels, modalities, group }) => [
		labels,
		...[...modalities.values()].flatMap(({ values, presence }) => (presence === null ? [values] : [values, presence.member])),
		...(group === null ? [] : [group]),
	]);
