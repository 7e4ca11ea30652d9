import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { estimateOf, type JobSpec, parseJobSpec } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROWS = 300;
const TRAINER = fileURLToPath(new URL('fixtures/trainer-peak.mjs', import.meta.url));
/** What a worker starts its trainers with, so that freed memory is kept. */
const MEMORY = { MALLOC_MMAP_THRESHOLD_: '2000000000', MALLOC_TRIM_THRESHOLD_: '4000000000' };

let root: string;
let profile: Awaited<ReturnType<typeof ingest>>['profile'];

function npy(descr: string, shape: readonly number[], data: Float32Array | Int32Array): Buffer {
	const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
	const header = Buffer.from(`${text.padEnd(117)}\n`);
	return Buffer.concat([
		Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]),
		header,
		Buffer.from(data.buffer as ArrayBuffer),
	]);
}

beforeAll(async () => {
	root = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	const [source, folder] = [join(root, 'source'), join(root, 'dataset')];
	for (const made of [source, folder]) await mkdir(made);
	const waves = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
	await writeFile(join(source, 'train_labs.npy'), npy('<f4', [ROWS, 12], waves(ROWS * 12)));
	await writeFile(join(source, 'train_text.npy'), npy('<f4', [ROWS, 20, 8], waves(ROWS * 160)));
	const labels = Int32Array.from({ length: ROWS }, (_, i) => i % 2);
	await writeFile(join(source, 'train_labels.npy'), npy('<i4', [ROWS], labels));
	({ profile } = await ingest(source, folder));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Trains in a process of its own, into a folder of that name; `stops`: only the first epoch of the fusion model. */
async function trained(spec: JobSpec, name: string, stops = false): Promise<{ peak: number; output: string }> {
	const output = join(root, name.replaceAll(' ', '-'));
	await mkdir(output);
	const trainer = fork(TRAINER, [], { execArgv: [], env: { ...process.env, ...MEMORY } });
	const answer = once(trainer, 'message');
	const exit = once(trainer, 'exit');
	trainer.send({ order: { spec, dataset: join(root, 'dataset'), output }, stops });
	const [{ peak }] = await answer;
	await exit;
	return { peak, output };
}

// What a process takes is read from /proc.
describe.skipIf(process.platform !== 'linux')(
	'the estimate of the memory of a job is within a factor of 2 of what its trainer takes',
	() => {
		it.each([
			['of a small model', {}, {}],
			['of many parameters, with the state of adamw', { hidden: 900 }, {}],
			['of many more', { hidden: 1500 }, {}],
			['of large batches of sequences', { hidden: 256 }, { batch_size: 240 }],
			['of large batches in a lower precision', { hidden: 256 }, { batch_size: 240, precision: 'float16' }],
			['of experts', { family: 'mmim-moe' }, { batch_size: 256 }],
			['of cross-modal layers', { family: 'fuse-moe', layers: 2 }, { batch_size: 256 }],
		])('%s', { timeout: 120_000 }, async (name, model, training) => {
			const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', model, training: { epochs: 1, batch_size: 64, ...training } });
			const { peak } = await trained(spec, name);
			const { memory } = estimateOf(spec, profile, null);
			expect(memory / peak).toBeGreaterThan(0.5);
			expect(memory / peak).toBeLessThan(2);
		});
	},
);

it.each([
	['with the state of adamw', {}],
	['with that of momentum', { training: { optimizer: { name: 'momentum' } } }],
	['with the models of the modalities', { weighting: { preset: 'btw' } }],
	['of experts', { model: { family: 'mmim-moe' } }],
])('the estimate of the bytes of checkpoints %s is that of three as they are written', async (name, given) => {
	const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', ...given });
	const { output } = await trained(spec, `checkpoints ${name}`, true);
	const sizes = (await readdir(join(output, 'checkpoints'))).map(async (file) => (await stat(join(output, 'checkpoints', file))).size);
	const largest = Math.max(...(await Promise.all(sizes)));
	const { checkpoints } = estimateOf(spec, profile, null);
	// The parameters before the first weights are counted where a method gives weights, and not there in a job whose weights helped at once.
	expect(checkpoints / 3 / largest).toBeGreaterThan(0.95);
	expect(checkpoints / 3 / largest).toBeLessThan(1.3);
});
