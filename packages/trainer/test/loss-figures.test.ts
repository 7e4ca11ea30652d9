import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Diagnostics, type JobCurves, type JobEventBody, type JobResult, parseJobSpec, type TaskProfile } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { counterRandom } from '@steelyard/random';
import { createSession, tensor } from '@steelyard/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { arrayDataset, type Npy } from './array-dataset.js';

type Kind = 'binary' | 'multiclass' | 'multilabel';
const CLASSES = 3;
const FUSION = fileURLToPath(new URL('../../../test/fixtures/uploaded/fusion.onnx', import.meta.url));

const remove: Array<() => Promise<void>> = [];
afterAll(async () => {
	for (const each of remove) await each();
});

/** Modalities `a` [6] and `b` [3, 2] that tell the label in training; rows that are judged lie 40 times as far out, and every tenth label of theirs is wrong. */
async function farOut(kind: Kind) {
	const random = counterRandom(3, kind);
	const arrays: Record<string, Npy> = {};
	for (const [split, [rows, scale]] of Object.entries({ train: [120, 1], valid: [60, 40], test: [30, 40] } as const)) {
		const labels = Array.from({ length: rows }, () => Math.floor(random.uniform() * (kind === 'binary' ? 2 : CLASSES)));
		const values = () =>
			Float32Array.from({ length: rows * 6 }, (_, at) => scale * ((at % CLASSES === labels[Math.floor(at / 6)] ? 2 : 0) + random.normal()));
		arrays[`${split}_a`] = { shape: [rows, 6], data: values() };
		arrays[`${split}_b`] = { shape: [rows, 3, 2], data: values() };
		const given = labels.map((label, i) => (scale > 1 && i % 10 === 0 ? (label + 1) % (kind === 'binary' ? 2 : CLASSES) : label));
		arrays[`${split}_labels`] =
			kind === 'multilabel'
				? {
						shape: [rows, CLASSES],
						data: Float32Array.from({ length: rows * CLASSES }, (_, at) => Number(given[Math.floor(at / CLASSES)] === at % CLASSES)),
					}
				: { shape: [rows], data: Int32Array.from(given) };
	}
	const dataset = await arrayDataset(
		arrays,
		kind === 'multilabel' ? { task: { type: kind, classes: ['x', 'y', 'z'] }, modalities: { a: {}, b: {} } } : null,
	);
	remove.push(dataset.remove);
	return dataset.folder;
}

/** The loss on a split by a downloaded model whose output `logits` is read. */
async function lossOf(
	model: string,
	folder: string,
	splitName: string,
	task: TaskProfile,
	names: Record<'a' | 'b', string>,
): Promise<number> {
	const dataset = openDataset(folder);
	const split = dataset.split(splitName);
	const x = (name: string, shape: number[]) => {
		const data = new Float32Array(split.rows * 6);
		split.gather(name, [...Array(split.rows).keys()], data);
		return tensor('float32', [split.rows, ...shape], data);
	};
	const session = await createSession(model);
	const { logits } = await session.run({ [names.a]: x('a', [6]), [names.b]: x('b', [3, 2]) }, ['logits']);
	await session.release();
	const z = [...(logits!.data as Float32Array)];
	const labels = [...split.labels];
	dataset.close();
	const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
	if (task.type !== 'multiclass')
		return mean(z.map((value, i) => Math.log1p(Math.exp(-Math.abs(value))) + Math.max(0, labels[i] === 1 ? -value : value)));
	return mean(
		labels.map((label, i) => {
			const row = z.slice(i * CLASSES, (i + 1) * CLASSES).map((value) => value - z[i * CLASSES + label]!);
			const top = Math.max(...row);
			return top + Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0));
		}),
	);
}

const CUSTOM = { model: { family: 'custom', model: 'mdl_1', inputs: { a: 'a', b: 'b' }, output: 'logits' } };
const JOBS = [
	['binary', 'uniform', {}],
	['binary', 'btw', { weighting: { preset: 'btw', refresh_epochs: 2 } }],
	['binary', 'a custom graph', CUSTOM],
	['multiclass', 'uniform', {}],
	['multiclass', 'btw', { weighting: { preset: 'btw', refresh_epochs: 2 } }],
	['multilabel', 'uniform', {}],
	['multilabel', 'qmf', { weighting: { preset: 'qmf' } }],
] as const;

describe('the loss of a job whose probabilities are 0 and 1 in float32', () => {
	for (const [kind, title, spec] of JOBS)
		it(`is one figure, of the logits, wherever it is told: ${kind}, ${title}`, async () => {
			const folder = await farOut(kind);
			const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
			remove.push(() => rm(output, { recursive: true }));
			const events: JobEventBody[] = [];
			const custom = spec === CUSTOM;
			const outcome = await train({
				spec: parseJobSpec({
					dataset: 'ds_1',
					device: 'cpu',
					training: { epochs: 8, batch_size: 16, optimizer: { learning_rate: 0.03 }, early_stopping: { metric: 'accuracy', patience: 8 } },
					...spec,
				}),
				dataset: folder,
				...(custom ? { model: FUSION } : {}),
				output,
				emit: (event) => events.push(event),
				stopped: () => false,
			});
			if (outcome.status !== 'done') throw new Error('stopped');
			const { result } = outcome;
			const json = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(output, name), 'utf8')) as T;
			const curves = await json<JobCurves>('metrics.json');
			const report = await json<{ result: JobResult; dataset: { task: TaskProfile } }>('report.json');
			const diagnostics = await json<Diagnostics>('diagnostics.json');
			const reported = result.metrics['validation']!['loss']!;
			expect(reported).toBeGreaterThan(custom ? 0.5 : 1); // a wrong row costs its logit, which a clipped probability does not know; tanh holds those of the graph
			const isBest = ({ stage, epoch }: { stage: string; epoch: number }) => stage === 'fusion' && epoch === result.best_epoch;
			const names = custom ? { a: 'a', b: 'b' } : { a: 'x.a', b: 'x.b' };
			const task = report.dataset.task;
			const gain = diagnostics.fusion_gain?.['validation']?.gain['loss'];
			const alone = diagnostics.best_unimodal && result.unimodal[diagnostics.best_unimodal.modality]!['validation']!['loss']!;
			const told = {
				curve: curves.epochs.find(isBest)!.validation['loss']!,
				event: events.flatMap((event) => (event.type === 'epoch' && isBest(event) ? [event.validation['loss']!] : []))[0]!,
				report: report.result.metrics['validation']!['loss']!,
				download: await lossOf(join(output, 'model.onnx'), folder, 'valid', task, names),
				...(typeof gain === 'number' ? { gain: alone! - gain } : {}),
			};
			for (const [where, loss] of Object.entries(told)) expect(Math.abs(loss / reported - 1), where).toBeLessThan(1e-6);
			const test = result.metrics['test']!['loss']!;
			expect(Math.abs((await lossOf(join(output, 'model.onnx'), folder, 'test', task, names)) / test - 1)).toBeLessThan(1e-6);
		});
});
