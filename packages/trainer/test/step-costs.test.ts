import type { FuseMoeConfig, MlpFusionConfig, MmimMoeConfig } from '@steelyard/contracts';
import { bodiesOf, type Graph } from '@steelyard/onnx';
import { sizeOf } from '@steelyard/runtime';
import { describe, expect, it } from 'vitest';
import { familyArchitecture } from '../src/model/family-architecture.js';
import { inPlaceStepOf } from './training-steps.js';
import { uploadedArchitecture } from './uploaded-architecture.js';
import { CLASSES, graphs } from './webgpu-graphs.js';

/** What a step costs whatever the machine: operators, those of bodies once, and the numbers that those outside of bodies write. */
type Costs = { nodes: number; numbers: number };

const nodesOf = ({ nodes }: Graph): number =>
	nodes.reduce((sum, node) => sum + 1 + bodiesOf(node).reduce((inside, [, body]) => inside + nodesOf(body), 0), 0);

function costsOf(graph: Graph): Costs {
	const written = graph.nodes.flatMap(({ outputs }) => outputs).map((name) => graph.values.get(name)?.shape ?? []);
	const sizes = written.map((shape) => (shape.every((dim) => typeof dim === 'number') ? sizeOf(shape) : 0));
	return { nodes: nodesOf(graph), numbers: sizes.reduce((sum, size) => sum + size, 0) };
}

const modalities = [
	{ name: 'vector', shape: [64], maskedSteps: false },
	{ name: 'series', shape: [30, 16], maskedSteps: true },
];
const experts = { width: 64, layers: 2, experts: 8, top_k: 2, expert_hidden: 128, balance: 0.01, noisy: false, dropout: 0 } as const;
const families: ReadonlyArray<[MlpFusionConfig | MmimMoeConfig | FuseMoeConfig, Costs]> = [
	[
		{ family: 'mlp-fusion', hidden: 128, encoder_layers: 2, head_layers: 2 },
		{ nodes: 90, numbers: 1_829_675 },
	],
	[
		{
			...{ family: 'mmim-moe', router: 'permod', gate: 'laplace', block: 'attention' },
			...{ ...experts, sequence: { cell: 'lstm', bidirectional: true, hidden: 32 } },
		},
		{ nodes: 1086, numbers: 4_189_491 },
	],
	[
		{
			...{ family: 'fuse-moe', router: 'joint', gate: 'softmax', sequence_encoder: 'mtand', heads: 4, tokens: 4 },
			...{ ...experts, time_width: 32, hidden: 32, bidirectional: true, time_columns: {} },
		},
		{ nodes: 1470, numbers: 4_047_129 },
	],
];
const uploaded: Readonly<Record<string, Costs>> = {
	'a convolutional net': { nodes: 99, numbers: 46_595 },
	'a GRU': { nodes: 96, numbers: 4_755 },
	'a block of a transformer': { nodes: 147, numbers: 20_165 },
};

/** Fails where a step costs more than it did; where it costs less, lower the number here. */
function costsNoMore(found: Costs, most: Costs): void {
	expect(found.nodes, `nodes, of ${JSON.stringify(found)}`).toBeLessThanOrEqual(most.nodes);
	expect(found.numbers, `numbers, of ${JSON.stringify(found)}`).toBeLessThanOrEqual(most.numbers);
}

describe('a step on the CPU costs no more than it did', () => {
	for (const [config, most] of families)
		it(config.family, async () => {
			const architecture = familyArchitecture({ config, modalities, outputs: 3 });
			costsNoMore(costsOf((await inPlaceStepOf({ architecture, batch: 32, loss: 'cross_entropy' })).passes), most);
		});

	for (const [name, { bytes, shape }] of Object.entries(graphs))
		it(name, async () => {
			const task = { type: 'multiclass' as const, classes: ['a', 'b', 'c'], outputs: CLASSES };
			const config = { inputs: { x: 'x' }, output: 'y', batch_norm: 'train' } as const;
			const architecture = await uploadedArchitecture(bytes, config, task, [{ name: 'x', shape, maskedSteps: false }]);
			const { passes } = await inPlaceStepOf({ architecture, batch: 8, loss: 'cross_entropy' });
			costsNoMore(costsOf(passes), uploaded[name] as Costs);
		});
});
