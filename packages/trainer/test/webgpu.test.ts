import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
	FUSIONS,
	type FuseMoeConfig,
	type JobEventBody,
	type MlpFusionConfig,
	type MmimMoeConfig,
	parseJobSpec,
} from '@steelyard/contracts';
import { decodeModel, encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { type Devices, sizeOf, tensor } from '@steelyard/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useSwiftShader } from '../../../test/swiftshader.js';
import { train } from '../src/job/train.js';
import type { Architecture } from '../src/model/architecture.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { maskName, TARGET, valuesName, weightName } from '../src/model/value-names.js';
import { loadDeviceProgram } from '../src/step/device-program.js';
import { initialState, withZeros } from '../src/step/step-state.js';
import { smallDataset } from './small-dataset.js';
import { largestError, type Oracle, ownInitial, type RowOf, stepOf, trainAs } from './training-steps.js';
import { uploadedArchitecture } from './uploaded-architecture.js';
import { CLASSES, graphs } from './webgpu-graphs.js';

const BATCH = 8;
const BATCHES = 3;

/** Numbers around 0 that say nothing. */
const rowOf =
	(count: number, of = 0): RowOf =>
	(row) =>
		Array.from({ length: count }, (_, place) => 1.5 * Math.sin(12.9898 * (row * 31 + place * 7 + of)));
const oneHot: RowOf = (row) => Array.from({ length: CLASSES }, (_, c) => (c === (row * 7) % CLASSES ? 1 : 0));

const oracleOf = (architecture: Architecture, inputs: Oracle['inputs']): Oracle => ({
	...{ architecture, batch: BATCH, loss: 'cross_entropy', steps: 50, learningRate: 1e-3, rows: BATCHES * BATCH, clipNorm: 1 },
	initial: ownInitial(architecture),
	inputs: { [TARGET]: oneHot, ...inputs },
});

const modalities = [
	{ name: 'vector', shape: [5], maskedSteps: false },
	{ name: 'masked', shape: [3, 2], maskedSteps: true },
];
const experts = { width: 8, layers: 1, experts: 4, top_k: 2, expert_hidden: 6, balance: 0.01, noisy: false, dropout: 0 } as const;
const families: ReadonlyArray<MlpFusionConfig | MmimMoeConfig | FuseMoeConfig> = [
	{ family: 'mlp-fusion', hidden: 6, encoder_layers: 2, head_layers: 2 },
	{
		...{ family: 'mmim-moe', router: 'permod', gate: 'laplace', block: 'attention' },
		...{ ...experts, sequence: { cell: 'lstm', bidirectional: false, hidden: 3 } },
	},
	{
		...{ family: 'fuse-moe', router: 'joint', gate: 'softmax', sequence_encoder: 'mtand', heads: 2, tokens: 2 },
		...{ ...experts, time_width: 4, hidden: 3, bidirectional: true, time_columns: { masked: 0 } },
	},
];
const ofFamilies: Oracle['inputs'] = {
	[valuesName('vector')]: rowOf(5),
	[valuesName('masked')]: rowOf(6, 1),
	[maskName('masked')]: (row) => [0, 1, 2].map((step) => (step <= row % 3 ? 1 : 0)),
	[weightName('vector')]: () => [1],
	[weightName('masked')]: () => [0.5],
};

/** Rounding is another on each device, and so is the order of a sum: no more than this of a loss may be. */
const TOLERANCE = 1e-4;
/** A device in software translates a hundred shaders for each model before its first step. */
const LONGEST = 240_000;

async function followsTheCpu(oracle: Oracle): Promise<void> {
	const [here, there] = [await trainAs(oracle, 10), await trainAs(oracle, 10, 'webgpu')];
	const epoch = (losses: number[]): number => losses.reduce((sum, loss) => sum + loss, 0);
	expect(epoch(here.losses.slice(0, BATCHES))).toBeGreaterThan(epoch(here.losses.slice(-BATCHES)));
	expect(there.losses).toHaveLength(oracle.steps);
	expect(largestError(there.losses, here.losses, 0)).toBeLessThan(TOLERANCE);
	expect(largestError(there.norms, here.norms)).toBeLessThan(TOLERANCE);
}

describe.skipIf(!useSwiftShader())('training on WebGPU, in software', () => {
	for (const config of families)
		it(
			`loses as on the CPU: ${config.family}`,
			() => followsTheCpu(oracleOf(familyArchitecture({ config, modalities, outputs: CLASSES }), ofFamilies)),
			LONGEST,
		);

	for (const [name, { bytes, shape }] of Object.entries(graphs))
		it(
			`loses as on the CPU: ${name}`,
			async () => {
				const task = { type: 'multiclass', classes: ['a', 'b', 'c'], outputs: CLASSES } as const;
				const config = { inputs: { x: 'x' }, output: 'y', batch_norm: 'train' } as const;
				const architecture = await uploadedArchitecture(bytes, config, { ...task, classes: [...task.classes] }, [
					{ name: 'x', shape, maskedSteps: false },
				]);
				await followsTheCpu(oracleOf(architecture, { [valuesName('x')]: rowOf(sizeOf([...shape])) }));
			},
			LONGEST,
		);
});

/** Loads the step of a model; nothing is run, so that nothing is translated for the device. */
async function places(of: Parameters<typeof stepOf>[0]): Promise<void> {
	const step = await stepOf({ ...of, fixedSizes: true });
	const program = await loadDeviceProgram(step, 2, withZeros(step, initialState(step, ownInitial(of.architecture))));
	await program.dispose();
}
const standardisation = new Map([['vector', { shape: [5], mean: new Float32Array(5).fill(0.5), inverse: new Float32Array(5).fill(2) }]]);

describe.skipIf(!useSwiftShader())('WebGPU has a kernel of every node of a step', () => {
	for (const loss of ['cross_entropy', 'binary_cross_entropy', 'mse', 'mae'] as const)
		it(`of mlp-fusion on ${loss}, by every optimizer`, async () => {
			const config = { family: 'mlp-fusion', hidden: 6, encoder_layers: 2, head_layers: 2 } as const;
			const architecture = familyArchitecture({ config, modalities, outputs: loss === 'cross_entropy' ? CLASSES : 1 });
			for (const name of ['sgd', 'momentum', 'adam', 'adamw'] as const)
				await places({ architecture, batch: BATCH, loss, optimizer: { name, weightDecay: 0.01 }, clipNorm: 1, standardisation });
		});

	for (const fusion of FUSIONS)
		it(`of mlp-fusion with dropout, statistics and the fusion ${fusion}`, async () => {
			const sizes = { family: 'mlp-fusion', hidden: 6, encoder_layers: 2, head_layers: 2 } as const;
			const config = { ...sizes, fusion, pooling: 'statistics', dropout: 0.5, input_dropout: 0.3, heads: 2 } as const;
			await places({ architecture: familyArchitecture({ config, modalities, outputs: CLASSES }), batch: BATCH, loss: 'cross_entropy' });
		});

	for (const [gate, router, block, cell] of [
		['softmax', 'joint', 'attention', 'lstm'],
		['laplace', 'permod', 'conv', 'gru'],
		['gaussian', 'disjoint', 'attention', 'gru'],
	] as const)
		it(`of mmim-moe with 9 experts, noise, ${gate}, ${router}, ${block} and ${cell}`, async () => {
			const size = { ...experts, experts: 9, noisy: true, dropout: 0.1, sequence: { cell, bidirectional: true, hidden: 3 } };
			const config = { family: 'mmim-moe', gate, router, block, ...size } as const;
			await places({ architecture: familyArchitecture({ config, modalities, outputs: CLASSES }), batch: BATCH, loss: 'cross_entropy' });
		});

	for (const [sequence_encoder, router] of [
		['mtand', 'permod'],
		['lstm', 'joint'],
		['gru', 'disjoint'],
	] as const)
		it(`of fuse-moe with 9 experts, noise, ${sequence_encoder} and ${router}`, async () => {
			const size = { ...experts, experts: 9, noisy: true, dropout: 0.1, heads: 2, tokens: 2, time_width: 4, hidden: 3 };
			const config = {
				family: 'fuse-moe',
				gate: 'laplace',
				sequence_encoder,
				router,
				bidirectional: true,
				time_columns: {},
				...size,
			} as const;
			await places({ architecture: familyArchitecture({ config, modalities, outputs: CLASSES }), batch: BATCH, loss: 'cross_entropy' });
		});

	it('or says which it lacks', async () => {
		const g = new GraphBuilder();
		const x = g.input('x', 'float32', ['N', 2, 2]);
		const found = g.op('Reshape', [g.op('Det', [x], {}, { shape: ['N'] }), g.ints([-1, 1])], {}, { shape: ['N', 1] });
		g.output('y', g.gemm(found, g.initializer('w', tensor('float32', [1, CLASSES], [1, 2, 3]))));
		const bytes = encodeModel({ graph: g.build('determinants'), opset: OPSET });
		const task = { type: 'multiclass' as const, classes: ['a', 'b', 'c'], outputs: CLASSES };
		const own = [{ name: 'x', shape: [2, 2], maskedSteps: false }];
		const architecture = await uploadedArchitecture(bytes, { inputs: { x: 'x' }, output: 'y', batch_norm: 'train' }, task, own);
		await expect(places({ architecture, batch: BATCH, loss: 'cross_entropy' })).rejects.toMatchObject({
			...{ code: 'device_unavailable', param: 'device' },
			message: expect.stringMatching(/^WebGPU cannot train this model: it has no kernel of Det \(node ".*"\); the device cpu can$/),
		});
	});
});

/** A GPU by its name, which is SwiftShader. */
const asCard: Devices = {
	cpu: { available: true },
	cuda: { available: false, note: 'no GPU found', detail: 'none' },
	webgpu: { available: true, note: null, detail: null, name: 'a card', isSoftware: false },
};

describe.skipIf(!useSwiftShader())('a job on WebGPU, in software', () => {
	let dataset: Awaited<ReturnType<typeof smallDataset>>;
	const folders: string[] = [];
	beforeAll(async () => {
		dataset = await smallDataset('binary');
	});
	afterAll(async () => {
		await dataset.remove();
		for (const folder of folders) await rm(folder, { recursive: true });
	});

	const usual = { stopAfter: Number.POSITIVE_INFINITY, earlier: [] as string[], devices: asCard, precision: 'float32' };
	async function run(device: string, options: Partial<typeof usual> = {}) {
		const { stopAfter, earlier, devices, precision } = { ...usual, ...options };
		const output = await mkdtemp(join(tmpdir(), 'steelyard-webgpu-'));
		folders.push(output);
		const spec = parseJobSpec({
			...{ dataset: 'ds_1', device, model: { hidden: 8, dropout: 0.2 }, weighting: { preset: 'uniform' }, modalities: ['a', 'c'] },
			training: { epochs: 3, batch_size: 16, optimizer: { learning_rate: 0.01 }, clip_norm: 1, precision },
		});
		const events: JobEventBody[] = [];
		const runs = () => events.filter(({ type }) => type === 'progress').length;
		const emit = (event: JobEventBody) => void events.push(event);
		const outcome = await train({
			...{ spec, output, earlier, emit, devices },
			dataset: dataset.folder,
			stopped: () => runs() >= stopAfter,
		});
		const told = events.flatMap((event) => (event.type === 'device' ? [event] : []));
		return { outcome, output, devices: told, model: () => readFile(join(output, 'model.onnx')) };
	}
	const parametersIn = (model: Uint8Array) =>
		[...decodeModel(model).graph.initializers].flatMap(([name, { dtype, data }]) =>
			dtype === 'float32' ? [{ name, data: Array.from(data, Number) }] : [],
		);

	it(
		'gives the model that the CPU gives, but for rounding, and the same bytes where it goes on from a checkpoint',
		async () => {
			const here = await run('cpu');
			const there = await run('webgpu');
			if (there.outcome.status !== 'done') throw new Error('stopped');
			expect(there.outcome.result.device).toBe('webgpu');
			expect(there.devices).toEqual([{ type: 'device', provider: 'webgpu', note: null }]);
			const [own, its] = [parametersIn(await here.model()), parametersIn(await there.model())];
			expect(its.map(({ name }) => name)).toEqual(own.map(({ name }) => name));
			own.forEach(({ name, data }, i) => expect(largestError(its[i]?.data ?? [], data), name).toBeLessThan(1e-3));

			const stopped = await run('webgpu', { stopAfter: 2 });
			expect(stopped.outcome.status).toBe('stopped');
			const resumed = await run('webgpu', { earlier: [stopped.output] });
			expect(Buffer.compare(await resumed.model(), await there.model())).toBe(0);
		},
		LONGEST,
	);

	it(
		'stays on the CPU with auto, which is faster for a small model, and says so',
		async () => {
			const { outcome, devices } = await run('auto');
			const note = expect.stringMatching(/^using the CPU, which is faster for (so small a|this) model: \S+ ms a step/);
			expect(devices).toEqual([{ type: 'device', provider: 'cpu', note }]);
			expect(outcome.status === 'done' && outcome.result.device_note).toBe(devices[0]?.note);
		},
		LONGEST,
	);

	it.each([
		['bfloat16', 'it has no bfloat16'],
		['float16', 'this GPU has no float16'],
	])(
		'refuses a job in %s, which this GPU lacks',
		async (precision, reason) => {
			await expect(run('webgpu', { precision })).rejects.toMatchObject({
				...{ code: 'device_unavailable', param: 'device' },
				message: `WebGPU cannot train this model: ${reason}; the device cpu can`,
			});
		},
		LONGEST,
	);

	it('refuses a job where there is no WebGPU, with its words', async () => {
		const absent = { available: false, note: 'no Vulkan found', detail: 'libvulkan.so.1: cannot open', name: null, isSoftware: null };
		await expect(run('webgpu', { devices: { ...asCard, webgpu: absent } })).rejects.toMatchObject({
			...{ code: 'device_unavailable', param: 'device' },
			message: 'webgpu is not available here: no Vulkan found (libvulkan.so.1: cannot open)',
		});
	});
});
