import { differentiate } from '@steelyard/autodiff';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { clipToNorm, globalNorm, type Optimizer } from '@steelyard/optim';
import type { ProgramModel } from '@steelyard/runtime';
import { type Architecture, embed, fuse, parametersOf } from './architecture.js';
import { type LossName, lossOf } from './loss.js';
import { layOut, type ParameterGroup, pack, unpack } from './parameter-layout.js';
import { type Standardisation, standardised } from './standardise.js';

export type TrainProgramOptions = {
	architecture: Architecture;
	batch: number;
	loss: LossName;
	optimizer: Optimizer;
	clipNorm: number | null;
	standardisation: ReadonlyMap<string, Standardisation>;
};

/**
 * A Scan over the K steps of a chunk; K is a size of its inputs.
 * Inputs `[K, batch, …]`: `chunk/x.<modality>`, `chunk/mask.<modality>`, `chunk/w.<modality>`, `chunk/target`, `chunk/sample_weight`; `[K]` or `[K, 1, 1]` a step: `chunk/<scalar>`; `after/<slot>` `[1, 1]`.
 * State: `state/<group>` and `state/<group>/<slot>`. Outputs: `loss` `[K]` and, where gradients are clipped, `grad_norm` `[K]`.
 */
export type TrainProgram = {
	readonly model: ProgramModel;
	readonly layout: readonly ParameterGroup[];
	readonly scalars: readonly string[];
};

/** What a batch brings to a step, by name, without the axis of steps. */
const batchInputs = ({ architecture, batch }: TrainProgramOptions) => [
	...architecture.modalities.map(({ name, shape }) => ({ name: `x.${name}`, shape: [batch, ...shape] })),
	...architecture.modalities
		.filter(({ maskedSteps }) => maskedSteps)
		.map(({ name, shape }) => ({ name: `mask.${name}`, shape: [batch, shape[0] as number] })),
	...architecture.modalities.map(({ name }) => ({ name: `w.${name}`, shape: [batch, 1] })),
	{ name: 'target', shape: [batch, architecture.outputs] },
	{ name: 'sample_weight', shape: [batch, 1] },
];

/** Forward and backward pass of one step: `loss`, and the gradients of `lossScale`·loss by parameter. */
async function differentiated(options: TrainProgramOptions) {
	const { architecture } = options;
	const g = new GraphBuilder();
	const inputs = new Map(batchInputs(options).map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const scale = g.input('lossScale', 'float32', []);
	const parameters = new Map(parametersOf(architecture).map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const input = (name: string) => inputs.get(name) as Value;
	const parameter = (name: string) => parameters.get(name) as Value;
	const embeddings = embed(g, architecture, { x: (m) => input(`x.${m}`), mask: (m) => input(`mask.${m}`), parameter });
	const logits = fuse(
		g,
		architecture,
		embeddings,
		architecture.modalities.map(({ name }) => input(`w.${name}`)),
		parameter,
	);
	const loss = lossOf(g, options.loss, logits, input('target'), input('sample_weight'));
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
	const graph = await canonicalise({ graph: g.build('forward'), opset: OPSET });
	return differentiate(graph, { loss: 'scaled_loss', wrt: [...parameters.keys()] });
}

/** The body of the Scan: state in, one step, state out. */
async function stepBody(options: TrainProgramOptions, layout: readonly ParameterGroup[], scalars: readonly string[]) {
	const { optimizer, clipNorm } = options;
	const { graph, gradients } = await differentiated(options);
	const g = new GraphBuilder('step/');
	const state = layout.map((group) => ({
		group,
		parameter: g.input(`flat/${group.name}`, 'float32', [1, group.size]),
		slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, g.input(`${group.name}/${slot}`, 'float32', [1, group.size])])),
	}));
	for (const { name, shape } of batchInputs(options)) g.input(name, 'float32', shape);
	const scalarInputs = Object.fromEntries(scalars.map((name) => [name, g.input(name, 'float32', name === 'lossScale' ? [] : [1, 1])]));
	for (const { group, parameter } of state) unpack(g, group, parameter);
	g.append(graph);

	let flat = state.map(({ group }) => pack(g, group, (name) => gradients.get(name) as Value));
	let norm: Value | null = null;
	if (clipNorm !== null) {
		const scaled = globalNorm(g, flat);
		const scale = scalarInputs['lossScale'] as Value;
		norm = g.reshape(g.div(scaled, scale), []);
		flat = clipToNorm(g, flat, scaled, g.reshape(g.scale(clipNorm, scale), [1, 1]));
	}
	state.forEach(({ group, parameter, slots }, i) => {
		const next = optimizer.update(g, { parameter, gradient: flat[i] as Value, slots, scalars: scalarInputs });
		g.output(`${group.name}/next`, next.parameter);
		for (const slot of optimizer.slots) g.output(`${group.name}/${slot}/next`, next.slots[slot] as Value);
	});
	g.output('step_loss', g.value('loss'));
	if (norm !== null) g.output('step_grad_norm', norm);
	return g.build('step');
}

/** Compiles the training program of an architecture. Throws GraphError or RuntimeError. */
export async function compileTrainProgram(options: TrainProgramOptions): Promise<TrainProgram> {
	const { architecture, optimizer, clipNorm, standardisation } = options;
	const layout = layOut(parametersOf(architecture));
	const scalars = ['lossScale', ...optimizer.scalars];
	const body = await stepBody(options, layout, scalars);

	const g = new GraphBuilder('train/');
	const states = layout.flatMap((group) =>
		['', ...optimizer.slots].map((slot) => ({
			slot,
			input: g.input(slot === '' ? `state/${group.name}` : `state/${group.name}/${slot}`, 'float32', [1, group.size]),
		})),
	);
	const batches = batchInputs(options).map(({ name, shape }) => {
		const chunk = g.input(`chunk/${name}`, 'float32', ['K', ...shape]);
		return standardised(g, chunk, name.startsWith('x.') ? (standardisation.get(name.slice(2)) ?? null) : null);
	});
	const perStep = scalars.map((name) => g.input(`chunk/${name}`, 'float32', name === 'lossScale' ? ['K'] : ['K', 1, 1]));
	const factors = new Map(optimizer.slots.map((slot) => [slot, g.input(`after/${slot}`, 'float32', [1, 1])]));

	const finals = states.map(({ input }) => ({ ...input, name: `${input.name}/final` }));
	const curves = ['loss', ...(clipNorm === null ? [] : ['grad_norm'])].map(
		(name): Value => ({ name: `scan/${name}`, dtype: 'float32', shape: ['K'] }),
	);
	g.node('Scan', [...states.map(({ input }) => input), ...batches, ...perStep], [...finals, ...curves], {
		body: { type: 'graph', value: body },
		num_scan_inputs: batches.length + perStep.length,
	});
	const state: Record<string, string> = {};
	states.forEach(({ slot, input }, i) => {
		const final = finals[i] as Value;
		const output = input.name.replace(/^state/, 'next');
		g.output(output, slot === '' ? final : g.mul(final, factors.get(slot) as Value));
		state[input.name] = output;
	});
	for (const curve of curves) g.output(curve.name.slice('scan/'.length), curve);
	return { model: { bytes: encodeModel({ graph: g.build('train'), opset: OPSET }), state }, layout, scalars };
}
