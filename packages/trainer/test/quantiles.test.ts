import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	Diagnostics,
	fieldErrors,
	type JobCurves,
	JobResult,
	jobTask,
	type Metrics,
	parseJobSpec,
	type TaskProfile,
	WEIGHTING_PRESETS,
	type WeightingPreset,
} from '@steelyard/contracts';
import { type Dataset, openDataset } from '@steelyard/dataset';
import { decodeModel, encodeModel } from '@steelyard/onnx';
import { createSession, type Session, type Tensor, tensor } from '@steelyard/runtime';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { exportModel } from '../src/job/export-graph.js';
import { train } from '../src/job/train.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { layOut, packed, parametersByName } from '../src/model/parameter-layout.js';
import { metricsOf } from '../src/report/metrics.js';
import { predictionsFrom } from '../src/report/predictions.js';
import { uniformWeigher } from '../src/weighting/uniform/uniform.js';
import { deviationAt, noisyDataset } from './noisy-dataset.js';
import { weightingBy } from './weighting-by.js';

const remove: Array<() => Promise<void>> = [];
afterAll(async () => {
	for (const each of remove) await each();
});

const regression: TaskProfile = { type: 'regression', classes: [], outputs: 1 };
const data = (value: Tensor | undefined): number[] => Array.from((value as Tensor).data as Float32Array);

/** A job on quantiles of a dataset whose noise grows with `b`, and what it left. */
async function job(rows: Parameters<typeof noisyDataset>[0], { training = {}, ...more }: { training?: object; [field: string]: unknown }) {
	const dataset = await noisyDataset(rows);
	const output = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	remove.push(dataset.remove, () => rm(output, { recursive: true }));
	const spec = parseJobSpec({
		dataset: 'ds_1',
		device: 'cpu',
		model: { hidden: 16 },
		training: { loss: 'quantile', epochs: 30, batch_size: 32, optimizer: { learning_rate: 0.01 }, ...training },
		...more,
	});
	const outcome = await train({ spec, dataset: dataset.folder, output, emit: () => {}, stopped: () => false });
	if (outcome.status !== 'done') throw new Error('stopped');
	const file = (name: string) => readFile(join(output, name));
	const json = async <T>(name: string): Promise<T> => JSON.parse((await file(name)).toString()) as T;
	return { ...outcome, folder: dataset.folder, model: join(output, 'model.onnx'), file, json };
}

/** What the downloaded model says of the rows of a split, these rows, and their labels. */
async function downloaded(model: string, folder: string, name: string) {
	const dataset = openDataset(folder);
	const split = dataset.split(name);
	const rows = split.rows;
	const values = (modality: string) => {
		const numbers = new Float32Array(rows * 2);
		split.gather(modality, [...Array(rows).keys()], numbers);
		return numbers;
	};
	const [a, b] = [values('a'), values('b')];
	const session = await createSession(model);
	const outputs = await session.run({ 'x.a': tensor('float32', [rows, 2], a), 'x.b': tensor('float32', [rows, 2], b) });
	await session.release();
	const labels = Float64Array.from(split.labels);
	dataset.close();
	return { rows, b, labels, names: session.outputs.map((output) => output.name), outputs };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a job on quantiles', () => {
	for (const preset of ['uniform', 'btw', 'consensus'] as const)
		it(`covers what it says, with wider intervals where there is more noise, and exports a model that says so: ${preset}`, async () => {
			const levels = [0.05, 0.25, 0.5, 0.95];
			const made = await job(
				{ train: 1500, valid: 500, test: 1000 },
				{ training: { loss: { name: 'quantile', quantiles: levels } }, weighting: weightingBy(preset, 3) },
			);
			const { result } = made;
			expect(fieldErrors(JobResult, result)).toEqual([]);
			const reported = result.metrics['test'] as Metrics;
			// four binomial deviations of 1,000 rows are 0.038, and the quantiles are learnt from 1,500
			expect(Math.abs((reported['coverage'] as number) - 0.9)).toBeLessThan(0.06);

			const { rows, b, labels, names, outputs } = await downloaded(made.model, made.folder, 'test');
			expect(names.slice(0, 3)).toEqual(['prediction', 'quantiles', 'modality_weights']);
			const quantiles = data(outputs['quantiles']);
			expect(outputs['quantiles']?.shape).toEqual([rows, 4]);
			expect(outputs['prediction']?.shape).toEqual([rows]);
			expect(data(outputs['prediction'])).toEqual(quantiles.filter((_, at) => at % 4 === 2));
			expect(quantiles.every((value, at) => at % 4 === 0 || value >= (quantiles[at - 1] as number))).toBe(true);

			// the figures of the result are those of the file
			const task = jobTask(regression, levels);
			const own = metricsOf(task, predictionsFrom(task, Float32Array.from(quantiles)), labels);
			expect(Object.keys(reported).sort()).toEqual(['coverage', 'interval_width', 'loss', 'mae', 'pearson', 'pinball', 'rmse']);
			for (const [name, value] of Object.entries(own))
				expect(Math.abs((reported[name] as number) - (value as number)), name).toBeLessThan(1e-6);
			for (const name of ['loss', 'coverage', 'interval_width']) {
				const { low, high } = result.intervals?.['test']?.[name] ?? { low: 1, high: 0 };
				expect(low < (reported[name] as number) && (reported[name] as number) < high, name).toBe(true);
			}
			// on validation the host weighs and judges as the exported graph does
			const { epochs } = await made.json<JobCurves>('metrics.json');
			const best = epochs.find(({ stage, epoch }) => stage === 'fusion' && epoch === result.best_epoch)?.validation as Metrics;
			// float32; a label that lies on the edge of its interval may go either way
			for (const [name, value] of Object.entries(result.metrics['validation'] as Metrics))
				expect(Math.abs((best[name] as number) - (value as number)), name).toBeLessThan(name === 'coverage' ? 0.0021 : 2e-4);

			// a normal number lies within ±1.645 deviations nine times in ten
			const width = (low: number, high: number): { found: number; true: number } => {
				const chosen = [...Array(rows).keys()].filter((i) => (b[2 * i] as number) >= low && (b[2 * i] as number) < high);
				return {
					found: mean(chosen.map((i) => (quantiles[4 * i + 3] as number) - (quantiles[4 * i] as number))),
					true: mean(chosen.map((i) => 2 * 1.645 * deviationAt(b[2 * i] as number))),
				};
			};
			const [calm, noisy] = [width(0, 0.25), width(0.75, 1)];
			expect(calm.true * 4).toBeLessThan(noisy.true);
			expect(noisy.found).toBeGreaterThan(preset === 'btw' ? 1.1 * calm.found : 2 * calm.found);
			if (preset === 'uniform') expect(Math.abs(noisy.found / noisy.true - 1)).toBeLessThan(0.15);

			const metadata = decodeModel(await made.file('model.onnx')).metadata ?? {};
			expect(JSON.parse(metadata['steelyard.quantiles'] ?? '')).toEqual(levels);
			expect(JSON.parse(metadata['steelyard.task'] ?? '')).toMatchObject(regression);
			const explained = new Uint8Array(await made.file('explanation.parquet')).buffer;
			const table = (await parquetReadObjects({ file: explained })).filter(({ split }) => split === 'test');
			levels.forEach((level, q) => expect(table.map((row) => row[`quantile.${level}`])).toEqual(quantiles.filter((_, at) => at % 4 === q)));
			const card = (await made.file('report.md')).toString();
			const share = `${(100 * (reported['coverage'] as number)).toFixed(0)} %`;
			expect(card).toContain(
				`From the lowest to the highest 90 % of the labels should lie (the nominal coverage); over the rows of test ${share} (`,
			);
			expect(card).toMatch(/^\| width of intervals +\|/m);
			expect(result.loss).toBe('quantile (quantiles 0.05, 0.25, 0.5, 0.95)');
			const diagnostics = await made.json<Diagnostics>('diagnostics.json');
			expect(fieldErrors(Diagnostics, diagnostics)).toEqual([]);
			if (preset !== 'uniform') {
				expect(Object.keys(diagnostics.fusion_gain?.['test']?.gain ?? {}).sort()).toEqual(['loss', 'mae', 'pearson', 'pinball', 'rmse']);
				expect(result.unimodal['b']?.['test']).toHaveProperty('coverage');
			}
		});

	it.each(WEIGHTING_PRESETS.filter((preset) => !['uniform', 'btw', 'consensus'].includes(preset)).map((preset) => [preset]))(
		'is weighed by %s as any regression is',
		async (preset: WeightingPreset) => {
			const { result, model, folder } = await job(
				{ train: 60, valid: 30, test: 30 },
				{ training: { epochs: 4 }, weighting: weightingBy(preset, 2) },
			);
			const { outputs } = await downloaded(model, folder, 'test');
			expect(outputs['quantiles']?.shape).toEqual([30, 3]);
			expect(data(outputs['quantiles']).filter((_, at) => at % 3 === 1)).toEqual(data(outputs['prediction']));
			expect(result.metrics['test']?.['pinball']).toBe(result.metrics['test']?.['loss']);
		},
	);

	it.each([['mmim-moe'], ['fuse-moe']])('is one of %s, too', async (family) => {
		const { model, folder } = await job(
			{ train: 40, valid: 20, test: 20 },
			{ model: { family, width: 8, layers: 1, expert_hidden: 8 }, training: { epochs: 1 }, evaluation: { robustness: false } },
		);
		expect((await downloaded(model, folder, 'test')).outputs['quantiles']?.shape).toEqual([20, 3]);
	});
});

describe('quantiles that cross', () => {
	const ROWS = 8;
	const scale = { mean: 20, deviation: 3 };

	/** What a model with drawn parameters gives of the test rows: its head, column for column, and as quantiles, in the exported graph and where a job validates. */
	async function ofDrawn(dataset: Dataset, quantiles: readonly number[], seed: number) {
		const architecture = familyArchitecture({
			config: { family: 'mlp-fusion', hidden: 4, encoder_layers: 1, head_layers: 1 },
			modalities: [{ name: 'a', shape: [2], maskedSteps: false }],
			outputs: quantiles.length,
		});
		const parameters = packed(layOut(architecture.parameters), architecture.initial(seed, 0));
		const { model } = exportModel({
			fusion: { architecture, parameters: parametersByName(layOut(architecture.parameters), parameters) },
			unimodal: [],
			masked: new Set(),
			task: jobTask(regression, quantiles),
			...{ scale, standardisation: new Map(), weigher: uniformWeigher },
			...{ statistics: null, temperature: null, thresholds: null, metadata: {} },
		});
		const split = dataset.split('test');
		const rows = Uint32Array.from({ length: ROWS }, (_, i) => i);
		const x = new Float32Array(ROWS * 2);
		split.gather('a', rows, x);
		const head = model.graph.nodes.find(({ op }) => op === 'TopK')?.inputs[0] as string;
		const session = await createSession(encodeModel(model, ['quantiles', head]));
		const found = await session.run({ 'x.a': tensor('float32', [ROWS, 2], x) });
		await session.release();
		const options = {
			standardisation: new Map(),
			scale,
			ascending: true,
			provider: 'cpu',
			threads: 1,
			stoppable: (one: Session) => one,
		} as const;
		const predictor = await architecture.predictor(options);
		const host = await (await predictor.encode({ name: 'test', split, rows }, parameters))(new Float32Array(ROWS).fill(1));
		await predictor.dispose();
		return { head: data(found[head]), exported: data(found['quantiles']), host: [...host] };
	}

	it('are sorted, whatever the parameters, in the exported graph as where a job validates', async () => {
		const stored = await noisyDataset({ train: 20, valid: ROWS, test: ROWS });
		remove.push(stored.remove);
		const dataset = openDataset(stored.folder);
		const levels = fc
			.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 8 })
			.map((given) => [...new Set([50, ...given])].toSorted((a, b) => a - b).map((percent) => percent / 100))
			.filter(({ length }) => length > 1);
		let crossed = 0;
		await fc.assert(
			fc.asyncProperty(levels, fc.nat(1e6), async (quantiles, seed) => {
				const { head, exported, host } = await ofDrawn(dataset, quantiles, seed);
				const width = quantiles.length;
				for (let at = 0; at < ROWS * width; at += width) {
					const row = head.slice(at, at + width);
					const rising = row.toSorted((p, q) => p - q);
					if (row.join() !== rising.join()) crossed += 1;
					expect(exported.slice(at, at + width)).toEqual(rising);
				}
				// float32 numbers of about 20
				host.forEach((value, at) => expect(Math.abs(value - (exported[at] as number))).toBeLessThan(2e-5));
			}),
			{ numRuns: 25, seed: 1 },
		);
		dataset.close();
		expect(crossed).toBeGreaterThan(50);
	});
});
