import { type Manifest, NAME_PATTERN } from '@steelyard/contracts';
import { groupFile, labelsFile, maskFile, modalityFile } from './canonical-folder.js';
import type { Member, Source } from './member.js';
import { readNpy } from './npy-reader.js';
import { refusal } from './refusal.js';

/** Which files make up one split. */
export type SplitFiles = {
	readonly name: string;
	readonly labels: Member;
	readonly modalities: ReadonlyMap<string, { readonly values: Member; readonly mask: Member | null }>;
	readonly group: Member | null;
	/** The number of rows in the manifest; null where it gives none. */
	readonly rows: number | null;
};

/** Which files of a source are read, and as what; every other file is ignored. */
export type Layout = { readonly modalities: readonly string[]; readonly splits: readonly SplitFiles[] };

/** The standard splits, each with the names that its files may begin with. */
const STANDARD_SPLITS: ReadonlyMap<string, readonly string[]> = new Map([
	['train', ['train']],
	['valid', ['valid', 'validation', 'val', 'dev']],
	['test', ['test']],
]);

/** The modalities of a dataset without a manifest: every `train_<name>.npy` of floats, except labels and masks. */
async function discoverModalities({ members }: Source): Promise<string[]> {
	const found: string[] = [];
	for (const member of members.values()) {
		const name = /^train_(.+)\.npy$/.exec(member.name)?.[1];
		if (name === undefined || name === 'labels' || name.endsWith('_mask')) continue;
		if ((await readNpy(member, async ({ header }) => header.element.kind)) !== 'float') continue;
		if (!new RegExp(NAME_PATTERN).test(name))
			throw refusal(member.name, `a modality's name that fits ${NAME_PATTERN}`, JSON.stringify(name));
		found.push(name);
	}
	if (found.length === 0) throw refusal('The dataset', 'at least one modality, a file train_<name>.npy of floats', 'none');
	return found.sort();
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

/** Decides which files are read, without reading data. Refuses what is missing, ambiguous, or would have two meanings. */
export async function layOut(source: Source, manifest: Manifest | null): Promise<Layout> {
	const { members } = source;
	const group = manifest?.group;
	const modalities = manifest === null ? await discoverModalities(source) : Object.keys(manifest.modalities);
	const named = Object.keys(manifest?.splits ?? {});
	const standardNames = [...STANDARD_SPLITS.values()].flat();
	const candidates = [...STANDARD_SPLITS, ...named.filter((name) => !standardNames.includes(name)).map((name) => [name, [name]] as const)];

	const splits: SplitFiles[] = [];
	const read = new Set<string>();
	const written = new Set<string>();
	for (const [name, aliases] of candidates) {
		const present = aliases.filter((alias) => possibleFiles(alias, modalities, group).some((file) => members.has(file)));
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
			modalities: new Map(
				modalities.map((modality) => {
					const values = take(modalityFile(prefix, modality), `modality ${modality} of split ${prefix}`);
					return [modality, { values, mask: members.get(maskFile(prefix, modality)) ?? null }];
				}),
			),
			group:
				group === undefined
					? null
					: name === 'train'
						? take(groupFile(prefix, group), 'the groups that the manifest names')
						: (members.get(groupFile(prefix, group)) ?? null),
			rows: declaredRows(manifest, aliases),
		};
		splits.push(files);
	}
	return { modalities, splits };
}

/** Every file that is read. */
export const filesOf = ({ splits }: Layout): Member[] =>
	splits.flatMap(({ labels, modalities, group }) => [
		labels,
		...[...modalities.values()].flatMap(({ values, mask }) => (mask === null ? [values] : [values, mask])),
		...(group === null ? [] : [group]),
	]);
