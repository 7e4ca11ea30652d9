import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Diagnostics, EvaluationFigures, Explanation, fieldErrors, JobCurves, JobResult, parseJobSpec } from '@steelyard/contracts';
import { openDataset } from '@steelyard/dataset';
import { decodeModel, parametersOf } from '@steelyard/onnx';
import { createSession, type Tensor, tensor } from '@steelyard/runtime';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { train } from '../src/job/train.js';
import { smallDataset } from './small-dataset.js';
import { weightingBy } from './weighting-by.js';

type Kind = Parameters<typeof smallDataset>[0];
const remove: Array<() => Promise<void>> = [];
afterAll(async () => {
	for (const each of remove) await each();
});

/** A short job on the small dataset, and its artifacts read back, each of which fits its schema. */
async function job(kind: Kind, spec: object) {
	const dataset = await smallDataset(kind);
	const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	remove.push(dataset.remove, () => rm(output, { recursive: true }));
	const outcome = await train({
		spec: parseJobSpec({
			dataset: 'ds_1',
			device: 'cpu',
			model: { hidden: 8 },
			training: { epochs: 5, batch_size: 16, optimizer: { learning_rate: 0.01 } },
			...spec,
		}),
		dataset: dataset.folder,
		output,
		emit: () => {},
		stopped: () => false,
	});
	if (outcome.status !== 'done') throw new Error('stopped');
	const json = async <T>(name: string): Promise<T> => JSON.parse(await readFile(join(output, name), 'utf8')) as T;
	const bytes = await readFile(join(output, 'explanation.parquet'));
	const explanation = await json<Explanation>('explanation.json');
	const curves = await json<JobCurves>('metrics.json');
	const diagnostics = outcome.artifacts.includes('diagnostics.json') ? await json<Diagnostics>('diagnostics.json') : null;
	const figures = await json<EvaluationFigures>('evaluation.json');
	expect(fieldErrors(JobResult, outcome.result)).toEqual([]);
	expect(fieldErrors(EvaluationFigures, figures)).toEqual([]);
	expect(fieldErrors(Explanation, explanation)).toEqual([]);
	expect(fieldErrors(JobCurves, curves)).toEqual([]);
	if (diagnostics !== null) expect(fieldErrors(Diagnostics, diagnostics)).toEqual([]);
	return {
		folder: dataset.folder,
		outcome,
		model: join(output, 'model.onnx'),
		bytes,
		rows: await parquetReadObjects({ file: new Uint8Array(bytes).buffer }),
		explanation,
		curves,
		diagnostics,
		figures,
	};
}

/** What the downloaded model says of every row of a split, and the labels and presence of these. */
async function ask(folder: string, model: string, splitName: string) {
	const dataset = openDataset(folder);
	const split = dataset.split(splitName);
	const count = split.rows;
	const all = Uint32Array.from({ length: count }, (_, i) => i);
	const feeds: Record<string, Tensor> = {};
	for (const [name, shape] of [
		['a', [6]],
		['b', [3, 2]],
		['c', [2]],
	] as const) {
		const data = new Float32Array(count * shape.reduce((product, axis) => product * axis, 1));
		split.gather(name, all, data);
		feeds[`x.${name}`] = tensor('float32', [count, ...shape], data);
	}
	feeds['mask.b'] = tensor('float32', [count, 3], Float32Array.from(split.mask('b')!));
	feeds['mask.c'] = tensor('float32', [count], Float32Array.from(split.mask('c')!));
	const session = await createSession(model);
	const outputs = await session.run(feeds);
	await session.release();
	dataset.close();
	const numbers = (name: string) => Array.from((outputs[name]?.data ?? []) as ArrayLike<number | bigint>, Number);
	return {
		weights: numbers('modality_weights'),
		divergence: numbers('modality_divergence'),
		prediction: numbers('prediction'),
		probabilities: numbers('probabilities'),
		labels: [...split.labels],
		missing: Array.from(split.mask('c')!, (there) => there === 0),
	};
}

const JOBS = [
	['binary', 'btw'],
	['multiclass', 'btw-kl'],
	['regression', 'btw'],
	['multiclass', 'mi'],
	['binary', 'uniform'],
	['multiclass', 'consensus'],
] as const;

describe('the explanation of a job', () => {
	for (const [kind, preset] of JOBS)
		it(`tells of ${kind} weighed by ${preset} what model.onnx gives when it is run`, async () => {
			const { outcome, folder, model, rows, explanation, curves, diagnostics } = await job(kind, {
				weighting: weightingBy(preset, 2),
			});
			expect(outcome.artifacts).toEqual(expect.arrayContaining(['explanation.parquet', 'explanation.json', 'diagnostics.json']));
			expect(rows.map(({ split }) => split)).toEqual([
				...Array<string>(90).fill('train'),
				...Array<string>(30).fill('validation'),
				...Array<string>(40).fill('test'),
			]);
			const trainable = parametersOf(decodeModel(await readFile(model))).filter((parameter) => parameter.trainable);
			expect(trainable.map(({ name }) => name.split('/')[0])).toEqual(
				trainable.map(() => expect.stringMatching(/^(fusion|unimodal\..*)$/)),
			);
			const found = await ask(folder, model, 'test');
			const close = (told: unknown, given: number) => expect(told).toBeCloseTo(given, 5); // another batch size, in float32
			const test = rows.filter(({ split }) => split === 'test');
			test.forEach((row, i) => {
				expect(row['row']).toBe(i);
				expect(row['label']).toBe(found.labels[i]);
				expect([row['present.a'], row['present.c']]).toEqual([true, !found.missing[i]]);
				['a', 'b', 'c'].forEach((name, m) => {
					close(row[`weight.${name}`], found.weights[3 * i + m]!);
					if (found.divergence.length === 0 || (name === 'c' && found.missing[i])) expect(row[`divergence.${name}`]).toBeNull();
					else close(row[`divergence.${name}`], found.divergence[3 * i + m]!);
				});
				if (found.missing[i]) expect([row['weight.c'], found.divergence[3 * i + 2] ?? 0]).toEqual([0, 0]);
				if (kind === 'regression') close(row['prediction'], found.prediction[i]!);
				else {
					expect(row['prediction']).toBe(found.prediction[i]);
					const classes = found.probabilities.length / 40;
					close(row['probability'], found.probabilities[i * classes + found.prediction[i]!]!);
				}
			});
			expect(found.divergence).toHaveLength(preset.startsWith('btw') ? 120 : 0);
			expect(explanation).toMatchObject({ split: 'test', files: { train: 'train', validation: 'valid', test: 'test' } });
			expect(explanation.refreshes).toEqual(curves.weights);
			expect(explanation.refreshes.length).toBe(preset === 'uniform' ? 0 : preset === 'consensus' ? 1 : 2);
			const heaviest = test.filter((row) => row['present.c']).reduce((a, b) => (b['weight.c'] > a['weight.c'] ? b : a));
			const shown = explanation.instances['c']!.most_trusted[0];
			if (shown === undefined) expect(['uniform', 'mi']).toContain(preset);
			else expect(shown).toMatchObject({ row: heaviest['row'], weight: heaviest['weight.c'], label: heaviest['label'] });
			if (preset === 'uniform')
				expect(diagnostics).toMatchObject({ unimodal: null, reason: expect.stringContaining('no unimodal models') });
			else expect(diagnostics!.unimodal).toEqual(outcome.result.unimodal);
		});

	for (const kind of ['binary', 'multiclass', 'multilabel', 'regression'] as const)
		it(`has figures for pictures that agree with the result and with the rows: ${kind}`, async () => {
			const { outcome, rows, figures } = await job(kind, { weighting: { preset: 'btw', refresh_epochs: 2 } });
			expect(Object.keys(figures.splits)).toEqual(Object.keys(outcome.result.metrics));
			for (const [split, of] of Object.entries(figures.splits)) {
				const metrics = outcome.result.metrics[split]!;
				const own = rows.filter((row) => row['split'] === split);
				expect(of.rows).toBe(own.length);
				const share = of.weights['a']!.right.count / of.rows;
				if (kind === 'regression') {
					expect(of.values!.sample.label).toEqual(own.map(({ label }) => label));
					expect(of.values!.sample.prediction).toEqual(own.map(({ prediction }) => prediction));
				} else expect(share).toBeCloseTo((kind === 'multilabel' ? metrics['subset_accuracy'] : metrics['accuracy'])!, 12);
				const areas = of.curves.map(({ auroc }) => auroc!);
				if (areas.length > 0) expect(areas.reduce((sum, area) => sum + area, 0) / areas.length).toBeCloseTo(metrics['auroc']!, 12);
				const having = own.filter((row) => row['present.c']);
				for (const [name, found] of [['weight.c', of.weights['c']!] as const, ['divergence.c', of.divergence!['c']!] as const]) {
					expect(found.right.count + found.wrong.count).toBe(having.length);
					expect(found.to).toBe(Math.max(...having.map((row) => row[name] as number)));
				}
			}
		});

	it('has gains that are the difference of the figures reported, and decompositions of every pair', async () => {
		const { outcome, diagnostics } = await job('multiclass', { weighting: { preset: 'btw', refresh_epochs: 2 } });
		const { metrics, unimodal } = outcome.result;
		const { modality } = diagnostics!.best_unimodal!;
		expect(modality).toBe('a'); // the one that knows the label
		for (const split of ['train', 'validation', 'test']) {
			const { rows, gain } = diagnostics!.fusion_gain![split]!; // a is never missing, so over all rows
			expect(rows).toBe({ train: 90, validation: 30, test: 40 }[split]);
			expect(gain['loss']).toBeCloseTo(unimodal[modality]![split]!['loss']! - metrics[split]!['loss']!, 10);
			expect(gain['accuracy']).toBeCloseTo(metrics[split]!['accuracy']! - unimodal[modality]![split]!['accuracy']!, 10);
		}
		const pairs = diagnostics!.partial_information!.pairs;
		expect(pairs.map(({ modalities }) => modalities.join(' '))).toEqual(['a b', 'a c', 'b c']);
		for (const { modalities, splits } of pairs) {
			expect(Object.keys(splits)).toEqual(['validation', 'test']);
			expect(splits['test']!.rows).toBe(modalities.includes('c') ? 32 : 40); // every fifth row lacks c
		}
		const { unique } = pairs[1]!.splits['test']!;
		expect(unique['a']).toBeGreaterThan(unique['c']!);
	});

	it('tells of every label of a multilabel task what model.onnx gives', async () => {
		const { folder, model, rows, diagnostics } = await job('multilabel', { weighting: { preset: 'btw', refresh_epochs: 2 } });
		const found = await ask(folder, model, 'test');
		const width = found.probabilities.length / 40;
		rows
			.filter(({ split }) => split === 'test')
			.forEach((row, i) => {
				for (let k = 0; k < width; k++) {
					expect([row[`prediction.${k}`], row[`label.${k}`]]).toEqual([found.prediction[i * width + k], found.labels[i * width + k]]);
					expect(row[`probability.${k}`]).toBeCloseTo(found.probabilities[i * width + k]!, 5);
				}
			});
		expect(width).toBeGreaterThan(1);
		expect(diagnostics!.partial_information!.pairs).toHaveLength(3);
	});

	it('explains a job of one modality, which has no diagnostics', async () => {
		const { outcome, rows, explanation } = await job('binary', { modalities: ['a'], weighting: { preset: 'btw', refresh_epochs: 2 } });
		expect(outcome.artifacts).not.toContain('diagnostics.json');
		expect(Object.keys(rows[0]!)).toEqual(['split', 'row', 'weight.a', 'divergence.a', 'present.a', 'prediction', 'probability', 'label']);
		expect(rows.every((row) => row['weight.a'] === 1)).toBe(true);
		expect(explanation.instances).toEqual({ a: { most_trusted: [], least_trusted: [] } });
	});

	it('has the same bytes for the same job', async () => {
		const [one, two] = [await job('regression', {}), await job('regression', {})];
		expect(one.bytes.equals(two.bytes)).toBe(true);
		expect(one.explanation).toEqual(two.explanation);
		expect(one.figures).toEqual(two.figures);
	});
});
