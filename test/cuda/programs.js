// The graphs that Steelyard runs on a device, each made as the trainer makes it: `programs` by name, where `build` gives `{ bytes, optimisation }`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel, GraphBuilder, OPSET, withoutUnused } from '../../packages/onnx/dist/index.js';
import { optimizer as optimizerOf } from '../../packages/optim/dist/index.js';
import { sizeOf, tensor } from '../../packages/runtime/dist/index.js';
import { withRunningStatistics } from '../../packages/trainer/dist/custom/batch-norm.js';
import { customArchitecture } from '../../packages/trainer/dist/custom/custom-architecture.js';
import { readGraphFile } from '../../packages/trainer/dist/custom/graph-file.js';
import { openUploaded } from '../../packages/trainer/dist/custom/uploaded.js';
import { exportModel } from '../../packages/trainer/dist/job/export-graph.js';
import { familyArchitecture } from '../../packages/trainer/dist/model/family-architecture.js';
import { embedGraph, fuseGraph } from '../../packages/trainer/dist/model/predict-program.js';
import { buildStep } from '../../packages/trainer/dist/step/build-step.js';
import { onProvider } from '../../packages/trainer/dist/step/on-provider.js';
import { scanProgram } from '../../packages/trainer/dist/step/scan-program.js';
import { weigherOf } from '../../packages/trainer/dist/weighting/weigher-of.js';
import { convolution } from '../bench/engine/graphs/convolution.js';
import { constant, parametersOf } from '../bench/engine/graphs/parts.js';
import { transformer } from '../bench/engine/graphs/transformer.js';

const modalities = [
	{ name: 'text', shape: [30], maskedSteps: false },
	{ name: 'audio', shape: [12, 7], maskedSteps: true },
	{ name: 'vision', shape: [12, 5], maskedSteps: false },
];
const standardisation = new Map(
	modalities.map(({ name, shape }) => {
		const features = shape.at(-1);
		return [name, { shape: [features], mean: new Float32Array(features).fill(0.5), inverse: new Float32Array(features).fill(2) }];
	}),
);
const tasks = {
	regression: { type: 'regression', classes: [], outputs: 1 },
	multiclass: { type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 },
};
const BATCH = 16;

const mlp = { family: 'mlp-fusion', hidden: 24, encoder_layers: 2, head_layers: 2 };
const experts = { experts: 12, top_k: 2, expert_hidden: 12, router: 'permod', gate: 'laplace', noisy: true, balance: 0.01, dropout: 0.1 };
const sequence = { cell: 'lstm', bidirectional: true, hidden: 8 };
const mmim = { family: 'mmim-moe', width: 12, layers: 2, block: 'attention', sequence, ...experts };
const fuse = {
	...{
		family: 'fuse-moe',
		width: 12,
		heads: 4,
		layers: 2,
		tokens: 4,
		sequence_encoder: 'mtand',
		time_width: 8,
		time_columns: { audio: 0 },
	},
	...{ bidirectional: true, hidden: 8, ...experts },
};

/** What the trainer makes of a job: its architecture, a loss, and what the options of the step are. */
const optionsOf = ({ architecture, loss = 'mse', optimizer = 'adamw', ...more }) => ({
	architecture,
	batch: BATCH,
	task: loss === 'cross_entropy' ? tasks.multiclass : tasks.regression,
	scale: { mean: 0, deviation: 1 },
	loss,
	optimizer: optimizerOf({ name: optimizer, weightDecay: 0.01, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }),
	clipNorm: null,
	standardisation,
	...more,
});

/** A training program; `step` gives the options of its step and the step as it is on the CPU. */
function training(options) {
	const step = async () => {
		const made = optionsOf(await options());
		return { options: made, step: await buildStep(made) };
	};
	return {
		step,
		build: async () => ({ bytes: scanProgram(onProvider((await step()).step, 'cuda')).bytes, optimisation: 'disabled' }),
	};
}

const family = (config, { loss, outputs = loss === 'cross_entropy' ? 3 : 1, ...more } = {}) =>
	training(() => ({ architecture: familyArchitecture({ config, modalities, outputs }), ...(loss === undefined ? {} : { loss }), ...more }));

// ---- uploaded graphs

/** The graph that a peer of the bench has, without its loss, as the file that a user uploads. */
function withoutLoss({ graph, dims }) {
	const scores = graph.nodes.find(({ op }) => op === 'LogSoftmax').inputs[0];
	const outputs = [{ name: scores, dtype: 'float32', shape: ['batch', 10] }];
	const inputs = graph.inputs
		.filter(({ name }) => name === 'x')
		.map((x) => ({ ...x, shape: x.shape.map((dim) => (dim !== 'batch' && Object.hasOwn(dims, dim) ? dims[dim] : dim)) }));
	return { ...withoutUnused({ ...graph, inputs, outputs, values: new Map() }), inputs };
}

/** A bidirectional LSTM of two layers over `[batch, 10, 8]` as PyTorch exports it with batch_first, and a head on the mean of its states. */
function lstm() {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	const [steps, hidden] = [10, 8];
	let x = g.op('Transpose', [g.input('x', 'float32', ['batch', steps, 8])], { perm: [1, 0, 2] }, { shape: [steps, 'batch', 8] });
	for (const [layer, size] of [8, 2 * hidden].entries()) {
		const weights = [
			at.parameter(`lstm.${layer}.weight`, [2, 4 * hidden, size], 0.3),
			at.parameter(`lstm.${layer}.recurrence`, [2, 4 * hidden, hidden], 0.3),
			at.parameter(`lstm.${layer}.bias`, [2, 8 * hidden], 0.3),
		];
		const states = g.fresh('states', 'float32', [steps, 2, 'batch', hidden]);
		g.node('LSTM', [x, ...weights], [states], { hidden_size: hidden, direction: 'bidirectional' });
		const beside = g.op('Transpose', [states], { perm: [0, 2, 1, 3] }, { shape: [steps, 'batch', 2, hidden] });
		x = g.op('Reshape', [beside, constant(g, 'int64', [3], [steps, -1, 2 * hidden])], {}, { shape: [steps, 'batch', 2 * hidden] });
	}
	const mean = g.op('ReduceMean', [x, constant(g, 'int64', [1], [0])], { keepdims: 0 }, { shape: ['batch', 2 * hidden] });
	const head = [at.parameter('head.weight', [10, 2 * hidden], 0.3), at.parameter('head.bias', [10], 0.3)];
	g.output('y', g.op('Gemm', [mean, ...head], { transB: 1 }, { shape: ['batch', 10] }));
	return g.build('lstm');
}

/** Two convolutions of stride 2 on an even size with batch normalisation in training form, and a past, as in a ResNet. */
function residual() {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	const convolved = (name, x, { from, to, side, kernel, stride }) => {
		const edge = (kernel - 1) / 2;
		const window = { kernel_shape: [kernel, kernel], pads: [edge, edge, edge, edge], strides: [stride, stride] };
		const y = g.op('Conv', [x, at.parameter(`${name}.weight`, [to, from, kernel, kernel], 0.3)], window, {
			shape: ['batch', to, side, side],
		});
		const still = (statistic, value) => g.initializer(`${name}.${statistic}`, tensor('float32', [to], new Float32Array(to).fill(value)));
		const given = [
			at.parameter(`${name}.scale`, [to], 0, 1),
			at.parameter(`${name}.shift`, [to], 0),
			still('mean', 0),
			still('variance', 1),
		];
		const outputs = [g.fresh('norm', 'float32', y.shape), g.fresh('mean', 'float32', [to]), g.fresh('variance', 'float32', [to])];
		g.node('BatchNormalization', [y, ...given], outputs, { training_mode: 1 });
		return outputs[0];
	};
	const x = g.input('x', 'float32', ['batch', 3, 16, 16]);
	const stem = g.op('Relu', [convolved('stem', x, { from: 3, to: 8, side: 8, kernel: 3, stride: 2 })]);
	const next = convolved('next', stem, { from: 8, to: 12, side: 4, kernel: 3, stride: 2 });
	const past = convolved('past', stem, { from: 8, to: 12, side: 4, kernel: 1, stride: 2 });
	const mean = g.op('GlobalAveragePool', [g.op('Relu', [g.add(next, past)])], {}, { shape: ['batch', 12, 1, 1] });
	const flat = g.op('Flatten', [mean], { axis: 1 }, { shape: ['batch', 12] });
	g.output('y', g.op('Gemm', [flat, at.parameter('head', [12, 10], 0.2), at.parameter('bias', [10], 0.2)], {}, { shape: ['batch', 10] }));
	return g.build('residual');
}

/** Convolutions whose gradients need what is not symmetric: stride 2 on an even size, an upsampling back, and the operators that CUDA has no kernel for. */
function unusual() {
	const g = new GraphBuilder();
	const at = parametersOf(g);
	const size = (side, channels) => ({ shape: ['batch', channels, side, side] });
	const window = { dilations: [1, 1], group: 1, kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [2, 2] };
	const x = g.input('x', 'float32', ['batch', 2, 12, 12]);
	let y = g.op('Conv', [x, at.parameter('one', [4, 2, 3, 3], 0.3)], { ...window, strides: [1, 1] }, size(12, 4));
	y = g.op('Conv', [g.op('Celu', [y]), at.parameter('two', [4, 4, 3, 3], 0.3)], window, size(6, 4));
	y = g.op(
		'ConvTranspose',
		[g.op('Sinh', [y]), at.parameter('three', [4, 3, 3, 3], 0.3)],
		{ ...window, output_padding: [1, 1] },
		size(12, 3),
	);
	const [left, right] = [g.fresh('left', 'float32', ['batch', 1, 12, 12]), g.fresh('right', 'float32', ['batch', 2, 12, 12])];
	g.node('Split', [y, constant(g, 'int64', [2], [1, 2])], [left, right], { axis: 1 });
	const joined = g.op(
		'Concat',
		[g.op('Tanh', [right]), g.op('Mean', [left, g.op('Cosh', [left]), g.op('Tan', [left])])],
		{ axis: 1 },
		size(12, 3),
	);
	const pooled = g.op('LpPool', [joined], { kernel_shape: [3, 3], strides: [2, 2], p: 2 }, size(5, 3));
	const flat = g.op('Flatten', [pooled], { axis: 1 }, { shape: ['batch', 75] });
	g.output('y', g.op('Gemm', [flat, at.parameter('head', [75, 10], 0.2), at.parameter('bias', [10], 0.2)], {}, { shape: ['batch', 10] }));
	return g.build('unusual');
}

/** The architecture of a job that trains an uploaded graph on one modality. */
async function uploaded(graph, more) {
	const folder = await mkdtemp(join(tmpdir(), 'steelyard-cuda-'));
	try {
		const path = join(folder, 'model.onnx');
		await writeFile(path, encodeModel({ graph, opset: OPSET }));
		const own = [{ name: 'x', shape: graph.inputs[0].shape.slice(1), maskedSteps: false }];
		const task = { type: 'multiclass', classes: [], outputs: 10 };
		const config = { family: 'custom', model: 'mdl_1', inputs: { x: 'x' }, output: graph.outputs[0].name, ...more };
		const dataset = { task, modalities: {} };
		const opened = await openUploaded(await readGraphFile(path), config, { modalities: own, dataset, weighted: false, batch: BATCH });
		return { architecture: customArchitecture(opened, own, own), task, loss: 'cross_entropy', clipNorm: 1, standardisation: new Map() };
	} finally {
		await rm(folder, { recursive: true });
	}
}
const custom = (graph, more = {}) => training(() => uploaded(graph(), more));

// ---- predicting and exporting

const predicting = (config, graphOf) => ({
	build: () => ({ bytes: encodeModel({ graph: graphOf({ config, modalities, outputs: 1 }).graph, opset: OPSET }), optimisation: 'all' }),
});

/** An uploaded graph in the form in which it predicts. */
const inferring = (graph) => ({ build: () => ({ bytes: encodeModel({ graph: graph(), opset: OPSET }), optimisation: 'all' }) });

const ones = modalities.map(() => 1);
const statistics = {
	btw: ({ type }) => ({ mi: ones, min: ones.map(() => 0), max: ones, sigma: type === 'regression' ? { unimodal: ones, fused: 1 } : null }),
	consensus: ({ type, outputs }) => ({
		...{ temperature: ones, gamma: 1, epsilon: 0.1 },
		...(type === 'regression'
			? { prior: Array(9).fill(1 / 9), grid: { from: -1, to: 1, count: 9 }, sigma: ones }
			: { prior: Array(outputs).fill(1 / Math.max(2, outputs)) }),
	}),
};

function exported(preset, task) {
	const zero = (some) => {
		const architecture = familyArchitecture({ config: mlp, modalities: some, outputs: task.outputs });
		const zeros = ({ name, shape }) => [name, tensor('float32', [...shape], new Float32Array(sizeOf(shape)))];
		return { architecture, parameters: new Map(architecture.parameters.map(zeros)) };
	};
	const { model } = exportModel({
		...{ fusion: zero(modalities), unimodal: modalities.map((one) => [zero([one])]), masked: new Set(['audio']), task },
		...{ scale: { mean: 0, deviation: 1 }, standardisation, weigher: weigherOf({ preset }, task, 1), statistics: statistics[preset](task) },
		...{ temperature: null, thresholds: null, metadata: {} },
	});
	return { bytes: encodeModel(model), optimisation: 'all' };
}

export const programs = {
	'mlp-fusion': family(mlp),
	'mlp-fusion, clipping and dropout': family({ ...mlp, dropout: 0.5, input_dropout: 0.2 }, { clipNorm: 1 }),
	'mlp-fusion, ogm-ge': family(mlp, { loss: 'cross_entropy', modulation: { alpha: 0.3 } }),
	'mlp-fusion, momentum and mae': family(mlp, { loss: 'mae', optimizer: 'momentum' }),
	...Object.fromEntries(
		['tensor', 'low-rank-tensor', 'gated', 'cross-attention', 'late-average'].map((fusion) => [
			`mlp-fusion, ${fusion}`,
			family({ ...mlp, fusion, heads: 2 }),
		]),
	),
	'mmim-moe': family(mmim, { clipNorm: 1 }),
	'mmim-moe, convolution and gru': family(
		{ ...mmim, block: 'conv', gate: 'softmax', sequence: { ...sequence, cell: 'gru' } },
		{ clipNorm: 1 },
	),
	'fuse-moe': family(fuse, { clipNorm: 1 }),
	'fuse-moe, lstm and joint router': family({ ...fuse, sequence_encoder: 'lstm', router: 'joint' }, { clipNorm: 1 }),
	transformer: custom(() => withoutLoss(transformer({ layers: 2, width: 32, time: 16 }))),
	'conv net': custom(() => withoutLoss(convolution({ size: 16 }))),
	'residual net': custom(residual, { batch_norm: 'train' }),
	'residual net, frozen norms': custom(residual, { batch_norm: 'frozen' }),
	lstm: custom(lstm),
	'unusual operators': custom(unusual),
	...Object.fromEntries(
		[mlp, mmim, fuse].flatMap((config) => [
			[`embed ${config.family}`, predicting(config, (model) => embedGraph(model, standardisation))],
			[`fuse ${config.family}`, predicting(config, fuseGraph)],
		]),
	),
	'predict transformer': inferring(() => withoutLoss(transformer({ layers: 2, width: 32, time: 16 }))),
	'predict conv net': inferring(() => withoutLoss(convolution({ size: 16 }))),
	'predict residual net': inferring(() => withRunningStatistics(residual())),
	'predict lstm': inferring(lstm),
	...Object.fromEntries(
		['btw', 'consensus'].flatMap((preset) =>
			Object.entries(tasks).map(([kind, task]) => [`export ${preset}, ${kind}`, { build: () => exported(preset, task) }]),
		),
	),
};
