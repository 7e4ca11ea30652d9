// The kinds of files and bodies that strangers send, and how a mutant of each is made. Everything is a function of the seed.
import { archiveOf, mutantArchive, written } from './archives.js';
import { mutantArray } from './arrays.js';
import { below, changedBytes, pick, random } from './bytes.js';
import { mutantJson } from './json.js';
import { mutantModel } from './models.js';
import { specs } from './seeds.js';
import { mutantCsv, mutantJsonLines, mutantParquet } from './tables.js';

/** One in so many archives is the whole sample with some bytes changed, which takes a hundred times as long to read. */
const WHOLE = 40;

function changedMember(files, next, isOne, change) {
	const name = pick(next, Object.keys(files).filter(isOne));
	return { ...files, [name]: change(files[name]) };
}

/**
 * By kind: where its mutants are sent to (`dataset`, `table`, `model` or `job`), what a table is called, and the bytes of one. `seeds`: what openSeeds gives; `ids`: datasets and a model that
 * there are; `outside`: the path of a folder that is not the service's.
 */
export const KINDS = {
	'zip of a dataset': {
		to: 'dataset',
		of: (next, { seeds, outside }) =>
			below(next, WHOLE) === 0
				? changedBytes(seeds.whole, next)
				: mutantArchive(archiveOf(pick(next, seeds.datasets), { deflated: next() < 0.7 }), next, outside),
	},
	'npy in a dataset': {
		to: 'dataset',
		of(next, { seeds }) {
			const isArray = (name) => name.endsWith('.npy');
			let files = pick(next, seeds.datasets);
			for (let n = 1 + below(next, 2); n > 0; n--)
				files = changedMember(files, next, isArray, (bytes) => {
					try {
						return mutantArray(bytes, next);
					} catch {
						return changedBytes(bytes, next); // it is a mutant already, and has no header
					}
				});
			return written(archiveOf(files, { deflated: false }));
		},
	},
	'manifest of a dataset': {
		to: 'dataset',
		of: (next, { seeds }) =>
			written(
				archiveOf(
					changedMember(
						pick(
							next,
							seeds.datasets.filter((files) => 'manifest.json' in files),
						),
						next,
						(name) => name === 'manifest.json',
						(text) => mutantJson(JSON.parse(text), next),
					),
				),
			),
	},
	'onnx model': { to: 'model', of: (next, { seeds }) => mutantModel(pick(next, seeds.models), below(next, 2 ** 32)) },
	'zip of a model': {
		to: 'model',
		of: (next, { seeds, outside }) => mutantArchive(archiveOf(pick(next, seeds.modelArchives)), next, outside),
	},
	'csv table': { to: 'table', filename: 'visits.csv', of: (next, { seeds }) => mutantCsv(seeds.table, next) },
	'json lines table': { to: 'table', filename: 'visits.jsonl', of: (next, { seeds }) => mutantJsonLines(seeds.table, next) },
	'parquet table': { to: 'table', filename: 'visits.parquet', of: (next, { seeds }) => mutantParquet(seeds.table, next) },
	'spec of a job': { to: 'job', of: (next, { ids }) => mutantJson(pick(next, specs(ids)), next) },
};

/** The bytes of a mutant. */
export const mutantOf = (kind, seed, parts) => KINDS[kind].of(random(seed), parts);
