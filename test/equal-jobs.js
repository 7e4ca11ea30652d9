// Trains twelve small jobs and prints what each came to as SHA-256, one line per job: of the model file, of the parameters in it, of the explanation table, of the curves
// and of the reported figures. Two checkouts whose lines are equal train alike to the last bit on this machine:
//
//   node test/equal-jobs.js > after.txt    in each of the two, after `npm run setup`; then compare the files
//   node test/equal-jobs.js --resume       also stops every job now and then, resumes it, and checks that it ends the same
//
// The bits depend on the processor, so no hash of another machine is of use here.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJobSpec } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { decodeModel } from '@steelyard/onnx';
import { train } from '@steelyard/trainer';

const STEPS = 5;
const LABELS = 3;
const LONG = { epochs: 9, batch_size: 16 };
const resume = process.argv.includes('--resume');

const uploaded = (/** @type {string} */ name) => fileURLToPath(new URL(`fixtures/uploaded/${name}`, import.meta.url));
const custom = (/** @type {object} */ fields) => ({ family: 'custom', model: 'mdl_1', ...fields });

/** @type {Record<string, { task: string, model?: string, spec: object }>} */
const JOBS = {
	uniform: { task: 'binary', spec: { training: { ...LONG, clip_norm: 0.5, schedule: { name: 'plateau', patience: 1 } } } },
	btw: { task: 'multiclass', spec: { weighting: { preset: 'btw', refresh_epochs: 3 }, training: { ...LONG, modality_dropout: 0.2 } } },
	paper: { task: 'regression', spec: { weighting: { preset: 'paper', refresh_steps: 20 }, training: LONG } },
	consensus: { task: 'multiclass', spec: { weighting: { preset: 'consensus', folds: 3 }, training: LONG } },
	'consensus-weighted': { task: 'regression', spec: { weighting: { preset: 'consensus-weighted', folds: 2 }, training: LONG } },
	qmf: {
		task: 'multiclass',
		spec: { weighting: { preset: 'qmf' }, training: { ...LONG, optimizer: { name: 'momentum', learning_rate: 0.01 } } },
	},
	'ogm-ge': { task: 'binary', spec: { weighting: { preset: 'ogm-ge' }, model: { fusion: 'gated', dropout: 0.1 }, training: LONG } },
	multilabel: {
		task: 'multilabel',
		spec: { weighting: { preset: 'btw-kl', refresh: 'on-improvement' }, model: { fusion: 'cross-attention', hidden: 32 }, training: LONG },
	},
	'mmim-moe': {
		task: 'binary',
		spec: {
			model: { family: 'mmim-moe', width: 16, experts: 4, expert_hidden: 24, sequence: { hidden: 8 } },
			weighting: { preset: 'btw', refresh_epochs: 2 },
			training: { ...LONG, epochs: 4 },
		},
	},
	'fuse-moe': {
		task: 'binary',
		spec: {
			model: { family: 'fuse-moe', width: 16, heads: 2, layers: 2, time_width: 8, experts: 4, expert_hidden: 24, time_columns: { b: 1 } },
			weighting: { preset: 'mi', refresh_epochs: 2 },
			training: { ...LONG, epochs: 4, modality_dropout: 0.2 },
		},
	},
	custom: {
		task: 'binary',
		model: 'fusion.onnx',
		spec: { modalities: ['a', 'b'], model: custom({ inputs: { a: 'a', b: 'b' }, output: 'logits' }), training: LONG },
	},
	'custom-masked': {
		task: 'binary',
		model: 'masked.onnx',
		spec: {
			model: custom({
				inputs: { a: 'a', b: 'b', c: 'c' },
				masks: { b: 'present' },
				output: 'logit',
				frozen: ['encoder.c.*', 'head.bias'],
			}),
			training: { ...LONG, modality_dropout: 0.2 },
		},
	},
};

/** Uniform numbers over [0, 1) that depend on nothing but the seed (xorshift32). */
function uniforms(/** @type {number} */ seed) {
	let state = seed;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return (state >>> 0) / 2 ** 32;
	};
}

function npy(/** @type {string} */ type, /** @type {number[]} */ shape, /** @type {Float32Array | Uint8Array | Int32Array} */ data) {
	const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
	const header = Buffer.from(`${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`);
	const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 255, header.length >> 8]);
	return Buffer.concat([start, header, new Uint8Array(data.buffer)]);
}

/** Modalities `a` [6], `b` [3, 2] with masked steps and `c` [2] that rows lack; `a` and `b` tell of the label, `c` is noise. */
async function makeDataset(/** @type {string} */ task, /** @type {string} */ root) {
	const [source, folder] = [join(root, `${task}-source`), join(root, task)];
	await mkdir(source);
	await mkdir(folder);
	const uniform = uniforms(2_463_534_242);
	const noise = () => uniform() + uniform() + uniform() - 1.5;
	for (const [split, rows] of Object.entries({ train: 90, valid: 30, test: 40 })) {
		const label = (/** @type {number} */ i) =>
			task === 'regression' ? 10 + 3 * noise() : task === 'multilabel' ? Number(uniform() < 0.4) : i % (task === 'binary' ? 2 : 3);
		const labels = Array.from({ length: rows * (task === 'multilabel' ? LABELS : 1) }, (_, i) => label(i));
		const signal = (/** @type {number} */ i, /** @type {number} */ k) =>
			task === 'multilabel' ? 2 * labels[i * LABELS + k] - 1 : task === 'regression' ? (labels[i] - 10) / 3 : labels[i] * (k - 0.5);
		const values = (/** @type {number} */ width, /** @type {number} */ strength) =>
			Float32Array.from({ length: rows * width }, (_, at) => strength * signal(Math.floor(at / width), at % LABELS) + noise() + 2);
		const put = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => writeFile(join(source, `${split}_${name}.npy`), bytes);
		const classes = task === 'binary' || task === 'multiclass';
		await put('a', npy('<f4', [rows, 6], values(6, 1)));
		await put('b', npy('<f4', [rows, 3, 2], values(6, 0.5)));
		await put(
			'b_mask',
			npy(
				'|u1',
				[rows, 3],
				Uint8Array.from({ length: rows * 3 }, (_, at) => Number(at % 3 === 0 || uniform() < 0.7)),
			),
		);
		await put('c', npy('<f4', [rows, 2], values(2, 0)));
		await put(
			'c_mask',
			npy(
				'|u1',
				[rows],
				Uint8Array.from({ length: rows }, (_, i) => Number(i % 5 !== 0)),
			),
		);
		await put(
			'labels',
			classes
				? npy('<i4', [rows], Int32Array.from(labels))
				: npy('<f4', task === 'multilabel' ? [rows, LABELS] : [rows], Float32Array.from(labels)),
		);
	}
	if (task === 'multilabel') {
		const manifest = { task: { type: task, classes: ['x', 'y', 'z'] }, modalities: { a: {}, b: {}, c: {} } };
		await writeFile(join(source, 'manifest.json'), JSON.stringify(manifest));
	}
	await ingest(source, folder);
	return folder;
}

const sha256 = (/** @type {string | Uint8Array} */ content) => createHash('sha256').update(content).digest('hex').slice(0, 16);
const timeless = (/** @type {unknown} */ value) => JSON.stringify(value, (name, inner) => (name === 'seconds' ? 0 : inner));

/** The trained parameters of an exported model; the constants of its graph have made-up names. */
function numbersOf(/** @type {Uint8Array} */ bytes) {
	const hash = createHash('sha256');
	const parameters = [...decodeModel(bytes).graph.initializers].filter(([name]) => !name.startsWith('model/'));
	for (const [name, { data }] of parameters.sort(([a], [b]) => (a < b ? -1 : 1)))
		hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
	return hash.digest('hex').slice(0, 16);
}

async function trained(
	/** @type {any} */ spec,
	/** @type {string} */ dataset,
	/** @type {string | undefined} */ model,
	/** @type {string} */ root,
	/** @type {boolean} */ stops,
) {
	/** @type {string[]} */
	const earlier = [];
	for (;;) {
		const output = await mkdtemp(join(root, 'attempt-'));
		let asked = 0;
		const stopped = () => stops && ++asked > STEPS;
		const outcome = await train({ spec, dataset, ...(model === undefined ? {} : { model }), output, earlier, emit: () => {}, stopped });
		if (outcome.status === 'stopped') {
			earlier.unshift(output);
			continue;
		}
		const read = (/** @type {string} */ name) => readFile(join(output, name));
		const onnx = await read('model.onnx');
		return {
			file: sha256(onnx),
			numbers: numbersOf(onnx),
			explanation: sha256(await read('explanation.parquet')),
			curves: sha256(timeless(JSON.parse((await read('metrics.json')).toString()))),
			result: sha256(timeless(outcome.result)),
		};
	}
}

const root = await mkdtemp(join(tmpdir(), 'steelyard-equal-jobs-'));
try {
	/** @type {Map<string, string>} */
	const datasets = new Map();
	for (const [name, { task, model, spec }] of Object.entries(JOBS)) {
		const dataset = datasets.get(task) ?? (await makeDataset(task, root));
		datasets.set(task, dataset);
		const file = model === undefined ? undefined : uploaded(model);
		const parsed = parseJobSpec({ dataset: 'ds_1', device: 'cpu', ...spec });
		const whole = await trained(parsed, dataset, file, root, false);
		const line = Object.entries(whole).map(([what, hash]) => `${what} ${hash}`);
		process.stdout.write(`${name.padEnd(20)} ${line.join('  ')}\n`);
		if (!resume) continue;
		const inParts = await trained(parsed, dataset, file, root, true);
		const other = Object.entries(whole).filter(([what, hash]) => inParts[what] !== hash);
		if (other.length > 0) {
			process.stdout.write(`${name}: resumed, it differs in ${other.map(([what]) => what).join(', ')}\n`);
			process.exitCode = 1;
		}
	}
} finally {
	await rm(root, { recursive: true, force: true });
}
