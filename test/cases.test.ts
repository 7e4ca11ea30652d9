import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DatasetProfile, type JobResult, parseJobSpec } from '@steelyard/contracts';
import { ingest } from '@steelyard/dataset';
import { differentiateModel, inspectModel, readModelFile } from '@steelyard/model-file';
import { numbersOf } from '@steelyard/onnx';
import { createSession, type DType, sizeOf, tensor } from '@steelyard/runtime';
import { train } from '@steelyard/trainer';
import { describe, expect, it } from 'vitest';
import { refusedBySomeRuntime } from './every-runtime.js';

const CASES = fileURLToPath(new URL('../../shared/cases', import.meta.url));
/** What was sent to the API. */
const posted = existsSync(join(CASES, 'api')) ? readdirSync(join(CASES, 'api')) : [];
const modelOf = (name: string): Promise<Uint8Array> => readModelFile(join(CASES, 'models', `${name}.onnx`));

/** What the gradients of a model are at inputs of small numbers; its symbolic dimensions are 3. */
async function gradientsAt(bytes: Uint8Array): Promise<number[]> {
	const session = await createSession(bytes);
	try {
		const feeds = session.inputs.map(({ name, dtype, shape }) => {
			const sizes = shape.map((dim) => (typeof dim === 'number' && dim >= 0 ? dim : 3));
			const integers = (dtype as DType).includes('int');
			return [
				name,
				tensor(
					dtype,
					sizes,
					Float64Array.from({ length: sizeOf(sizes) }, (_, i) => (integers ? i % 2 : Math.sin(i + 1))),
				),
			];
		});
		const outputs = await session.run(Object.fromEntries(feeds));
		return Object.values(outputs).flatMap((one) => Array.from({ length: sizeOf(one.shape) }, (_, i) => numbersOf(one)(i)));
	} finally {
		await session.release();
	}
}

/** Hands over the profile of a dataset of the folder, and trains jobs on it. */
async function withDataset(
	name: string,
	use: (profile: DatasetProfile, job: (spec: object, model?: string) => Promise<JobResult>) => Promise<void>,
): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
	try {
		const [dataset, output] = [join(folder, 'dataset'), join(folder, 'output')];
		for (const made of [dataset, output]) await mkdir(made);
		const { profile } = await ingest(join(CASES, 'data', name), dataset);
		await use(profile, async (job, model) => {
			const spec = parseJobSpec({ dataset: 'ds_1', device: 'cpu', ...job });
			const path = model === undefined ? {} : { model: join(CASES, 'models', model) };
			const outcome = await train({ spec, dataset, output, emit: () => {}, stopped: () => false, ...path });
			if (outcome.status !== 'done') throw new Error('stopped');
			return outcome.result;
		});
	} finally {
		await rm(folder, { recursive: true });
	}
}

// Inputs that failed once, as they were found; their kinds are tested with inputs of our own in the packages.
describe.skipIf(!existsSync(CASES))('inputs that failed once', () => {
	it.each(posted.filter((name) => name.endsWith('.onnx')))('%s: is judged without a word of the program', async (name) => {
		const report = await readModelFile(join(CASES, 'api', name))
			.then((bytes) => inspectModel(bytes))
			.catch((error: Error) => error);
		const said = report instanceof Error ? report.message : report.blockers.map(({ message }) => message).join();
		expect(said).not.toMatch(/cannot read|undefined|is not (iterable|a function)|native code|\[object/i);
	});

	it.each(posted.filter((name) => /-name-.*\.zip$/.test(name)))('%s: is refused for its name', async (name) => {
		const folder = await mkdtemp(join(tmpdir(), 'steelyard-test-'));
		try {
			await expect(ingest(join(CASES, 'api', name), folder)).rejects.toMatchObject({
				code: 'invalid_dataset',
				message: expect.stringContaining('expected names of a letter and at most 62 more letters, digits, _ and -'),
			});
		} finally {
			await rm(folder, { recursive: true });
		}
	});

	it.skipIf(posted.length === 0)('job-64000-equal-modalities.json: is refused by the length of its list', async () => {
		const job: unknown = JSON.parse(await readFile(join(CASES, 'api', 'job-64000-equal-modalities.json'), 'utf8'));
		expect(() => parseJobSpec(job)).toThrow('modalities must not have more than 4096 items, found 64000');
	});

	it.each([
		'gemm_shape_names_timeseries',
		'buffers_are_trained',
		'fp16_relu',
		'nodes_out_of_order',
		'irfft',
		'keras_gru',
		'opset8',
		'com_microsoft',
		'sklearn_scaler_mlp',
		'bfloat16_weight',
		'external_data',
		'weights_as_Constant',
		'focal',
	])('%s: has finite gradients at every size, in a file that every runtime loads which loads the model', async (name) => {
		const model = await modelOf(name);
		const { bytes, wrt, reason } = await differentiateModel(model, { loss: 'loss' });
		expect(wrt.length).toBeGreaterThan(0);
		expect(reason).toBeNull();
		const numbers = await gradientsAt(bytes);
		expect(numbers.every(Number.isFinite)).toBe(true);
		expect(numbers.some((value) => value !== 0)).toBe(true);
		const refused = await refusedBySomeRuntime({ [name]: bytes });
		if (refused.length > 0) expect(refused).toEqual(await refusedBySomeRuntime({ [name]: model }));
	});

	it.each([
		['input_without_shape', /"x" does not say how many dimensions it has; export it with a shape, or/],
		['loop_until', /may end early, on its condition "co".*Give the number of iterations as a constant/],
	])('%s: is refused with a way out', async (name, message) => {
		await expect(modelOf(name).then((bytes) => differentiateModel(bytes, { loss: 'loss' }))).rejects.toThrow(message);
	});

	it('buffers_are_trained: what the exporter calls a buffer is not trained', async () => {
		const { parameters } = await inspectModel(await modelOf('buffers_are_trained'));
		const trained = parameters.flatMap(({ name, trainable }) => (trainable ? [name] : []));
		expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(['pe', 'adj']));
		for (const buffer of ['pe', 'adj']) expect(trained).not.toContain(buffer);
	});

	it('two_logits_binary: a binary task is trained on two logits as two classes', async () =>
		withDataset('saturated_probability.npz', async (_, job) => {
			const { metrics } = await job(
				{ model: { family: 'custom', model: 'mdl_1', inputs: { a: 'a' }, output: 'logits' }, training: { epochs: 30 } },
				'two_logits_binary.onnx',
			);
			expect(metrics['validation']!['accuracy']).toBeGreaterThan(0.9);
		}));

	it.each([
		['tokens_int64_dropped.npz', { num: [4], ids: [8] }],
		['uint8_pixels_dropped.npz', { num: [4], pixels: [64] }],
		['int64_features_refused.npz', { a: [4] }],
		['dataset_int_tokens', { x: [32] }],
		['images_4d.npz', { a: [1, 4, 4] }],
		['dataset_images_4d', { x: [1, 16, 16] }],
	] as const)('%s: every modality is taken', async (name, shapes) =>
		withDataset(name, async ({ modalities }) => {
			expect(Object.keys(modalities).sort()).toEqual(Object.keys(shapes).sort());
			for (const [modality, shape] of Object.entries(shapes)) expect(modalities[modality]!.shape).toEqual(shape);
		}),
	);

	it('float_labels_regression.npz: a regression on labels of 0.0 and 1.0 is warned of', async () =>
		withDataset('float_labels_regression.npz', async (profile, job) => {
			expect(profile.task.type).toBe('regression');
			const { warnings = [] } = await job({ training: { epochs: 2 } });
			expect(warnings.map(({ code }) => code)).toContain('labels_look_like_classes');
		}));

	it('multilabel_manifest_of_readme.zip: a manifest may leave out the modalities', async () =>
		withDataset('multilabel_manifest_of_readme.zip', async ({ task, modalities }) => {
			expect([task.type, Object.keys(modalities)]).toEqual(['multilabel', ['a']]);
		}));

	it('saturated_probability.npz: the loss is that of the logits', async () =>
		withDataset('saturated_probability.npz', async (_, job) => {
			const result = await job({ training: { epochs: 60, optimizer: { learning_rate: 0.003 }, early_stopping: null } });
			// −ln(1e-38), which stood for the logarithm of a probability of 0, is 87.5; the logits of the test split are some 73 on the wrong side
			expect(result.metrics['test']!['loss']).toBeGreaterThan(40);
			expect(result.metrics['test']!['loss']).toBeLessThan(87);
		}));

	it('readmit_arrays.zip: weighting that does worse than its unweighted start is warned of', async () =>
		withDataset('readmit_arrays.zip', async (_, job) => {
			const [uniform, btw] = [await job({ weighting: { preset: 'uniform' } }), await job({ weighting: { preset: 'btw' } })];
			expect(btw.warnings).toContainEqual(expect.objectContaining({ code: 'weighting_hurts', guarded: true }));
			expect(btw.metrics['test']!['auroc']).toBeGreaterThan(uniform.metrics['test']!['auroc']! - 0.02);
		}));
});
