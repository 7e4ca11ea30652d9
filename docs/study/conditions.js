// The datasets that are made of one: what is corrupted in training, and the further test splits on which the clean one is judged.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chosenRows, donors, groupsIn, withoutRows, withRowsFrom } from './corrupt.js';
import { DATASETS } from './datasets.js';
import { rowsOf } from './npy.js';

export const SHUFFLED = 0.4;
export const MISSING = 0.3;
export const CURVE = [0, 0.2, 0.4, 0.6, 0.8, 1];
export const CONDITIONS = ['clean', 'shuffled', 'missing'];

/** @typedef {{name: string, kind: 'shuffle' | 'missing', modality: string, share: number}} Corruption of a copy of the test split */
/** @typedef {{manifest: Record<string, any>, files: ReadonlyMap<string, Buffer>}} Source */

const percent = (/** @type {number} */ share) => String(Math.round(share * 100)).padStart(2, '0');

/** The split of a share of the curve: 0 is the test split as it is. */
export const curveSplit = (/** @type {number} */ share) => (share === 0 ? 'test' : `testshuffle${percent(share)}`);

/**
 * Corrupted copies of the test split on which the models that were trained on clean data are judged.
 * @param {string} dataset
 * @returns {Corruption[]}
 */
export function testCorruptions(dataset) {
	const { corrupted, unseen, curve } = DATASETS[dataset];
	const shares = curve ? CURVE.filter((share) => share > 0) : [SHUFFLED];
	return [
		...shares.map((share) => /** @type {Corruption} */ ({ name: curveSplit(share), kind: 'shuffle', modality: corrupted, share })),
		{ name: `${curveSplit(SHUFFLED)}b`, kind: 'shuffle', modality: unseen, share: SHUFFLED },
		{ name: `testmissing${percent(MISSING)}`, kind: 'missing', modality: corrupted, share: MISSING },
	];
}

/**
 * The splits on which the models of a condition are judged.
 * @param {string} dataset
 * @param {string} condition
 */
export const judgedSplits = (dataset, condition) =>
	condition === 'clean' ? ['test', ...(DATASETS[dataset].own ?? []), ...testCorruptions(dataset).map(({ name }) => name)] : ['test'];

/**
 * Reads what a job needs of a dataset's folder: the manifest, and of every split labels, modalities and groups.
 * @param {string} folder
 * @returns {Promise<Source>}
 */
export async function readSource(folder) {
	const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
	const parts = ['labels', ...Object.keys(manifest.modalities), ...(manifest.group ? [manifest.group] : [])];
	const names = Object.keys(manifest.splits).flatMap((split) => parts.map((part) => `${split}_${part}.npy`));
	const files = await Promise.all(names.map(async (name) => /** @type {const} */ ([name, await readFile(join(folder, name))])));
	return { manifest, files: new Map(files) };
}

/**
 * Corrupts one modality of one split. The rows follow from the seed, the modality and the split that is corrupted, not from the share.
 * @param {Source} source
 * @param {{split: string, kind: 'shuffle' | 'missing', modality: string, share: number, seed: number}} how
 * @returns {{values: Buffer, mask: Buffer | null}}
 */
export function corruptSplit({ manifest, files }, { split, kind, modality, share, seed }) {
	const file = `${split}_${modality}.npy`;
	const values = files.get(file);
	if (values === undefined) throw new RangeError(`${file} is not in the dataset ${manifest.name}`);
	const chosen = chosenRows(rowsOf(values, file).rows, share, seed, `${manifest.name}/${kind}/${split}/${modality}`);
	if (kind === 'missing') return withoutRows(values, chosen, file);
	const group = `${split}_${manifest.group}.npy`;
	return { values: withRowsFrom(values, donors(chosen, groupsIn(files.get(group), group)), file), mask: null };
}

/**
 * The files of a dataset under a condition.
 * @param {Source} source
 * @param {string} dataset
 * @param {string} condition
 * @param {number} seed of the corruption
 * @returns {Map<string, Buffer>}
 */
export function conditionFiles(source, dataset, condition, seed) {
	const { manifest } = source;
	const splits =
		condition === 'clean' ? Object.keys(manifest.splits) : ['train', 'valid', 'test'].filter((name) => name in manifest.splits);
	const ofSplit = (/** @type {string} */ split) => [...source.files].filter(([name]) => name.startsWith(`${split}_`));
	const files = new Map(splits.flatMap(ofSplit));
	const put = (/** @type {string} */ split, /** @type {string} */ modality, /** @type {{values: Buffer, mask: Buffer | null}} */ made) => {
		files.set(`${split}_${modality}.npy`, made.values);
		if (made.mask !== null) files.set(`${split}_${modality}_mask.npy`, made.mask);
	};
	const kept = Object.fromEntries(splits.map((split) => [split, manifest.splits[split]]));
	if (condition === 'clean')
		for (const { name, ...how } of testCorruptions(dataset)) {
			for (const [file, bytes] of ofSplit('test')) files.set(file.replace('test', name), bytes);
			put(name, how.modality, corruptSplit(source, { split: 'test', seed, ...how }));
			kept[name] = manifest.splits.test;
		}
	else {
		const how = condition === 'shuffled' ? { kind: 'shuffle', share: SHUFFLED } : { kind: 'missing', share: MISSING };
		const modality = DATASETS[dataset].corrupted;
		for (const split of splits)
			put(split, modality, corruptSplit(source, { split, modality, seed, .../** @type {{kind: 'shuffle', share: number}} */ (how) }));
	}
	const { name, task, modalities, group } = manifest;
	const described = { name: `${name}-${condition}-${seed}`, task, modalities, splits: kept, ...(group ? { group } : {}) };
	files.set('manifest.json', Buffer.from(JSON.stringify(described)));
	return files;
}
