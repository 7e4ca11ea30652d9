import { readFileSync } from 'node:fs';
import { FUSIONS, type FuseMoeConfig, type MlpFusionConfig, type MmimMoeConfig, type TaskProfile } from '@steelyard/contracts';
import type { Standardisation } from '@steelyard/dataset';
import { decodeModel, encodeModel, type Graph, GraphBuilder, graphsWithin, OPSET } from '@steelyard/onnx';
import type { OptimizerOptions } from '@steelyard/optim';
import { sizeOf, tensor } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { exportModel, type TrainedModel } from '../src/job/export-graph.js';
import { familyArchitecture } from '../src/model/family-architecture.js';
import type { LossName } from '../src/step/loss.js';
import { scanProgram } from '../src/step/scan-program.js';
import { weigherOf } from '../src/weighting/weigher-of.js';
import { stepOf } from './training-steps.js';

type Kernel = { from: number; to: number | null; float: boolean };
type Operator = { since: number; float: boolean };

/** Made by test/oracles/cuda-kernels.py, which says what is in it. */
const table = JSON.parse(readFileSync(new URL('fixtures/cuda-kernels.json', import.meta.url), 'utf8')) as {
	opset: number;
	kernels: Record<string, Kernel[]>;
	operators: Record<string, Operator>;
};

/**
 * Whether CUDA has a kernel for the form of an operator that came with version `since`. An open range stands for its first version alone: the runtime does not
 * trust a kernel with a form of the operator that came after it (VerifyVersion in onnxruntime/core/framework/kernel_registry.cc).
 */
const hasKernel = (operator: string, { since, float }: Operator): boolean =>
	(table.kernels[operator] ?? []).some(
		(kernel) => (kernel.from === since || (kernel.to !== null && kernel.from <= since && since <= kernel.to)) && (kernel.float || !float),
	);

/** Operators of a graph and of the graphs inside its nodes, but for Constant: loading a model makes initializers of those, so that no kernel runs. */
const operatorsOf = (graph: Graph): Set<string> =>
	new Set([...graphsWithin(graph)].flatMap(({ nodes }) => nodes.map(({ op }) => op)).filter((op) => op !== 'Constant'));

/** Operators of a model that would run on the CPU beside CUDA. */
function withoutKernel(model: Uint8Array): string[] {
	const { graph, opset } = decodeModel(model);
	expect(opset).toBe(table.opset);
	return [...operatorsOf(graph)].filter((name) => {
		const operator = table.operators[name];
		return operator === undefined || !hasKernel(name, operator);
	});
}

const modalities = {
	vector: { name: 'vector', shape: [5], maskedSteps: false },
	sequence: { name: 'sequence', shape: [4, 3], maskedSteps: false },
	masked: { name: 'masked', shape: [4, 3], maskedSteps: true },
};
const architectures = {
	'a vector and a masked sequence': [modalities.vector, modalities.masked],
	'a sequence alone': [modalities.sequence],
};
const standardisationOf = (features: number): Standardisation => ({
	shape: [features],
	mean: new Float32Array(features).fill(0.5),
	inverse: new Float32Array(features).fill(2),
});
const standardisation = new Map(Object.values(modalities).map(({ name, shape }) => [name, standardisationOf(shape.at(-1) as number)]));

const config = { family: 'mlp-fusion' as const, hidden: 6, encoder_layers: 2, head_layers: 2 };
const losses: LossName[] = ['cross_entropy', 'binary_cross_entropy', 'mse', 'mae'];
const optimizers: OptimizerOptions['name'][] = ['sgd', 'momentum', 'adam', 'adamw'];

async function programOf(
	name: keyof typeof architectures,
	loss: LossName,
	optimizer: OptimizerOptions['name'],
	clipNorm: number | null,
	more: Partial<MlpFusionConfig> | MmimMoeConfig | FuseMoeConfig = {},
) {
	const step = await stepOf({
		architecture: familyArchitecture({
			config: more.family === 'mmim-moe' || more.family === 'fuse-moe' ? more : { ...config, ...more },
			modalities: architectures[name],
			outputs: loss === 'cross_entropy' ? 3 : 1,
		}),
		batch: 8,
		loss,
		optimizer: { name: optimizer, weightDecay: 0.01 },
		clipNorm,
		standardisation,
	});
	return scanProgram(step).bytes;
}

const tasks: TaskProfile[] = [
	{ type: 'binary', classes: ['no', 'yes'], outputs: 1 },
	{ type: 'multiclass', classes: ['a', 'b', 'c'], outputs: 3 },
	{ type: 'regression', classes: [], outputs: 1 },
	{ type: 'multilabel', classes: ['x', 'y', 'z'], outputs: 3 },
];

function statisticsOf(task: TaskProfile, preset: 'btw' | 'consensus', count: number): object {
	const ones = Array<number>(count).fill(1);
	const regression = task.type === 'regression';
	if (preset === 'btw') return { mi: ones, min: ones.map(() => 0), max: ones, sigma: regression ? { unimodal: ones, fused: 1 } : null };
	const labels = task.type === 'multilabel' ? task.outputs : 1;
	const common = { temperature: Array(count * labels).fill(1), gamma: 1, epsilon: 0.1 };
	if (regression) return { ...common, prior: Array(9).fill(1 / 9), grid: { from: -1, to: 1, count: 9 }, sigma: ones };
	return { ...common, prior: Array(task.outputs).fill(1 / Math.max(2, task.outputs)) };
}

/** A model with every kind of modality and all of its weighting, its parameters zero. */
function exported(task: TaskProfile, preset: 'btw' | 'consensus'): Uint8Array {
	const all = Object.values(modalities);
	const zero = (some: typeof all): TrainedModel => {
		const architecture = familyArchitecture({ config, modalities: some, outputs: task.outputs });
		const parameters = architecture.parameters.map(
			({ name, shape }) => [name, tensor('float32', [...shape], new Float32Array(sizeOf([...shape])))] as const,
		);
		return { architecture, parameters: new Map(parameters) };
	};
	const { model } = exportModel({
		fusion: zero(all),
		unimodal: all.map((modality) => [zero([modality])]),
		masked: new Set([modalities.masked.name]),
		task,
		scale: { mean: 0, deviation: 1 },
		standardisation,
		weigher: weigherOf({ preset }, task, 1),
		statistics: statisticsOf(task, preset, all.length),
		temperature: null,
		thresholds: null,
		metadata: {},
	});
	return encodeModel(model);
}

describe('CUDA kernels', () => {
	it('are looked up for the opset that our graphs are written in', () => {
		expect(table.opset).toBe(OPSET);
	});

	for (const architecture of Object.keys(architectures) as (keyof typeof architectures)[])
		for (const loss of losses)
			it(`exist for every operator that trains ${architecture} on ${loss}`, async () => {
				for (const optimizer of optimizers)
					for (const clipNorm of [null, 1]) {
						const program = await programOf(architecture, loss, optimizer, clipNorm);
						expect(withoutKernel(program), `${optimizer}, clip ${clipNorm}`).toEqual([]);
					}
			});

	for (const fusion of FUSIONS)
		it(`exist for every operator that trains with dropout, statistics and the fusion ${fusion}`, async () => {
			const more = { fusion, pooling: 'statistics' as const, dropout: 0.5, input_dropout: 0.3, heads: 2 };
			expect(withoutKernel(await programOf('a vector and a masked sequence', 'cross_entropy', 'adamw', null, more))).toEqual([]);
		});

	for (const [gate, block, cell, experts] of [
		['softmax', 'attention', 'lstm', 9],
		['laplace', 'conv', 'gru', 9],
		['gaussian', 'attention', 'gru', 2],
	] as const)
		it(`exist for every operator that trains mmim-moe with ${experts} experts, ${gate}, ${block} and ${cell}`, async () => {
			const sizes = { width: 4, layers: 1, experts, top_k: 2, expert_hidden: 6, balance: 0.01, dropout: 0.1 };
			const model = { family: 'mmim-moe', router: 'permod', noisy: true, sequence: { cell, bidirectional: true, hidden: 3 } } as const;
			const more = { ...model, ...sizes, gate, block };
			expect(withoutKernel(await programOf('a vector and a masked sequence', 'cross_entropy', 'adamw', null, more))).toEqual([]);
		});

	for (const [sequence_encoder, router, experts] of [
		['mtand', 'permod', 9],
		['lstm', 'joint', 2],
		['gru', 'disjoint', 9],
	] as const)
		it(`exist for every operator that trains fuse-moe with ${sequence_encoder}, the router ${router} and ${experts} experts`, async () => {
			const sizes = { width: 4, heads: 2, layers: 1, tokens: 2, time_width: 4, hidden: 3, experts, top_k: 2, expert_hidden: 6 };
			const more = { gate: 'laplace', noisy: true, balance: 0.01, dropout: 0.1, bidirectional: true, time_columns: { masked: 0 } } as const;
			const model = { family: 'fuse-moe', sequence_encoder, router, ...sizes, ...more } as const;
			expect(withoutKernel(await programOf('a vector and a masked sequence', 'cross_entropy', 'adamw', null, model))).toEqual([]);
		});

	for (const task of tasks)
		for (const preset of ['btw', 'consensus'] as const)
			it(`exist for every operator of an exported model: ${task.type}, ${preset}`, () => {
				expect(withoutKernel(exported(task, preset))).toEqual([]);
			});

	it('are looked for within the body of the Scan', async () => {
		const { graph } = decodeModel(await programOf('a vector and a masked sequence', 'mae', 'adam', 1));
		const outer = new Set(graph.nodes.map(({ op }) => op));
		expect(outer).toContain('Scan');
		for (const inBody of ['Gemm', 'Relu', 'Softmax', 'Sign', 'Sqrt']) {
			expect(outer).not.toContain(inBody);
			expect(operatorsOf(graph)).toContain(inBody);
		}
	});

	it('are told as missing where there are none, within a body too', () => {
		const body = new GraphBuilder('body/');
		body.output('y', body.op('Relu', [body.op('Mish', [body.input('x', 'float32', [4])])]));
		const g = new GraphBuilder();
		const y = { name: 'ys', dtype: 'float32' as const, shape: ['K', 4] };
		g.node('Scan', [g.input('xs', 'float32', ['K', 4])], [y], { body: { type: 'graph', value: body.build('body') }, num_scan_inputs: 1 });
		g.output('drawn', g.op('Bernoulli', [y]));
		const bits = g.input('bits', 'uint32', [4]);
		g.output('shifted', g.op('BitShift', [bits, bits], { direction: 'LEFT' }));
		g.output('unknown', g.op('NoSuchOperator', [y]));
		expect(withoutKernel(encodeModel({ graph: g.build('missing'), opset: OPSET })).sort()).toEqual([
			'Bernoulli',
			'BitShift',
			'Mish',
			'NoSuchOperator',
		]);
	});

	it('are told as missing for forms newer than the kernels', () => {
		const scanSince = (since: number) => hasKernel('Scan', { since, float: true });
		expect([11, 16, 19, 21, 23, 24, 25].map(scanSince)).toEqual(Array(7).fill(true));
		expect(scanSince(26)).toBe(false);
		expect(hasKernel('Abs', { since: 13, float: true })).toBe(true);
		expect(hasKernel('Abs', { since: 14, float: true })).toBe(false);
	});

	it('are told as missing where they do not take float32', () => {
		expect(hasKernel('Equal', { since: 7, float: true })).toBe(false);
		expect(hasKernel('Equal', { since: 11, float: true })).toBe(true);
		expect(hasKernel('Not', { since: 1, float: false })).toBe(true);
		expect(hasKernel('DequantizeLinear', { since: 13, float: true })).toBe(false);
	});
});
