// The valid files that mutants are made of.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openZip } from '../../packages/archive/dist/index.js';
import { arrayOf, firstRows } from './arrays.js';

const SAMPLE = fileURLToPath(new URL('../../services/cli/sample/spam-mail.zip', import.meta.url));
const VISITS = fileURLToPath(new URL('../../services/cli/sample/visits.csv', import.meta.url));
const EXPORTS = new URL('../fixtures/exports/', import.meta.url);
const EXTERNAL = new URL('../../packages/model-file/test/fixtures/external-data.json', import.meta.url);
/** Rows that are taken of each split of the sample: enough for some of both classes. */
const ROWS = 24;

/** The sample dataset, of a few rows: files by name. */
async function sample() {
	const archive = await openZip(SAMPLE, { entries: 100, ratio: 200 });
	const files = {};
	for (const [name, file] of archive.files) {
		const chunks = [];
		for await (const chunk of file.chunks()) chunks.push(chunk);
		const bytes = Buffer.concat(chunks);
		files[name] = name === 'manifest.json' ? bytes : firstRows(bytes, ROWS);
	}
	archive.close();
	const manifest = JSON.parse(files['manifest.json'].toString());
	files['manifest.json'] = JSON.stringify({ ...manifest, splits: { train: ROWS, valid: ROWS, test: ROWS } });
	return files;
}

const range = (rows, value) => Array.from({ length: rows }, (_, i) => value(i));

/** A dataset of every form: a vector with absent rows, a ragged sequence, a padded one with lengths, integers, groups, and three classes. */
function forms() {
	const files = {
		'manifest.json': JSON.stringify({
			name: 'forms',
			task: { type: 'multiclass', classes: ['a', 'b', 'c'] },
			modalities: { vector: { shape: [3], columns: ['x', 'y', 'z'] }, ragged: {}, padded: { shape: [4, 2] }, codes: {} },
			group: 'patient',
			splits: { winter: 6 },
		}),
	};
	for (const split of ['train', 'test', 'winter']) {
		const rows = split === 'winter' ? 6 : 12;
		files[`${split}_vector.npy`] = arrayOf('<f4', [rows, 3], Float32Array.from(range(rows * 3, (i) => Math.sin(i))));
		files[`${split}_vector_mask.npy`] = arrayOf('|u1', [rows], Uint8Array.from(range(rows, (i) => (i % 5 === 0 ? 0 : 1))));
		files[`${split}_ragged_values.npy`] = arrayOf('<f8', [rows * 2, 2], Float64Array.from(range(rows * 4, (i) => Math.cos(i))));
		files[`${split}_ragged_offsets.npy`] = arrayOf('<i8', [rows + 1], BigInt64Array.from(range(rows + 1, (i) => BigInt(i * 2))));
		files[`${split}_padded.npy`] = arrayOf('<f4', [rows, 4, 2], Float32Array.from(range(rows * 8, (i) => i / 7)));
		files[`${split}_padded_length.npy`] = arrayOf('<i4', [rows], Int32Array.from(range(rows, (i) => 1 + (i % 4))));
		files[`${split}_codes.npy`] = arrayOf('<i4', [rows, 2], Int32Array.from(range(rows * 2, (i) => i % 9)));
		files[`${split}_patient.npy`] = arrayOf('<i8', [rows], BigInt64Array.from(range(rows, (i) => BigInt(i >> 1))));
		files[`${split}_labels.npy`] = arrayOf('<i8', [rows], BigInt64Array.from(range(rows, (i) => BigInt(i % 3))));
	}
	return files;
}

/** A dataset of few bytes, with a float for each row. */
const regression = () =>
	Object.fromEntries(
		['train', 'test'].flatMap((split) => [
			[`${split}_x.npy`, arrayOf('<f4', [12, 2], Float32Array.from(range(24, (i) => Math.sin(i))))],
			[`${split}_labels.npy`, arrayOf('<f4', [12], Float32Array.from(range(12, (i) => i / 5)))],
		]),
	);

/** A dataset for the model of one layer that the worker's tests have: four numbers, and two labels for each row. */
export const fitting = () => ({
	'manifest.json': JSON.stringify({ task: { type: 'multilabel', classes: ['a', 'b'] }, modalities: { x: { shape: [4] } } }),
	...Object.fromEntries(
		['train', 'valid'].flatMap((split) => [
			[`${split}_x.npy`, arrayOf('<f2', [12, 4], Uint16Array.from(range(48, (i) => i)))],
			[`${split}_labels.npy`, arrayOf('|b1', [12, 2], Uint8Array.from(range(24, (i) => i % 2)))],
		]),
	),
});

/** Specs of jobs: on the sample, and on the dataset that fits a model, with that model. */
export const specs = ({ sample: dataset, fitting: other, model }) => [
	{ dataset, training: { epochs: 2, batch_size: 16 }, weighting: { preset: 'uniform' }, model: { hidden: 4 } },
	{
		dataset,
		model: { family: 'mlp-fusion', hidden: 8 },
		modalities: ['subject', 'body'],
		weighting: { preset: 'btw', refresh_epochs: 2 },
		training: {
			epochs: 3,
			batch_size: 8,
			seed: 7,
			validation_fraction: 0.2,
			threads: 1,
			early_stopping: { patience: 2, metric: 'auroc' },
			optimizer: { name: 'adamw', learning_rate: 0.001, weight_decay: 0.01, beta1: 0.9, beta2: 0.99 },
			schedule: { name: 'warmup-cosine', warmup_fraction: 0.1 },
		},
		device: 'cpu',
		priority: 1,
		max_seconds: 100,
		metadata: { a: 'b', n: '1' },
	},
	{
		dataset: other,
		model: { family: 'custom', model, inputs: { x: 'x' }, output: 'y' },
		weighting: { preset: 'uniform' },
		training: { epochs: 1 },
	},
];

/** The first rows of the sample table, as cells, the names of its columns first. */
const table = () =>
	readFileSync(VISITS, 'utf8')
		.split('\n')
		.slice(0, 1 + ROWS)
		.map((line) =>
			[...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].slice(0, 7).map(([, cell]) => cell.replace(/^"|"$/g, '').replaceAll('""', '"')),
		);

/** Everything that mutants are made of. */
export async function openSeeds() {
	const external = JSON.parse(readFileSync(EXTERNAL, 'utf8'));
	const models = readdirSync(EXPORTS)
		.filter((name) => name.endsWith('.onnx'))
		.sort()
		.map((name) => readFileSync(new URL(name, EXPORTS)));
	return {
		models,
		datasets: [await sample(), forms(), regression(), fitting()],
		table: table(),
		whole: readFileSync(SAMPLE),
		modelArchives: [
			{ 'net.onnx': Buffer.from(external.beside, 'base64'), 'net.onnx.data': Buffer.alloc(16, 1) },
			{ 'a/net.onnx': Buffer.from(external.long, 'base64'), 'a/net.onnx.data': Buffer.alloc(32, 1), 'a/README.md': 'a model' },
			{ 'net.onnx': models[0] },
		],
	};
}
