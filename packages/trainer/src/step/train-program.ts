import { differentiate } from '@steelyard/autodiff';
import { canonicalise, encodeModel, GraphBuilder, OPSET, type Value, withoutOutputCopies, withoutUnused } from '@steelyard/onnx';
import { clipToNorm, globalNorm, type Optimizer } from '@steelyard/optim';
import { type DType, type ProgramModel, sizeOf } from '@steelyard/runtime';
import type { Architecture, ParameterShape } from '../model/architecture.js';
import { POOL_ROWS, POOL_WIDTH, poolRows } from '../model/dropout-pool.js';
import { maskWidth } from '../model/examples.js';
import { forwardContext, fromPool } from '../model/forward-context.js';
import { layoutOf, type ParameterGroup, pack, unpack } from '../model/parameter-layout.js';
import { type Standardisation, standardised } from '../model/standardise.js';
import { type Modulation, modulated, modulationFactors } from './gradient-modulation.js';
import { type LossName, lossOf } from './loss.js';

export type TrainProgramOptions = {
	architecture: Architecture;
	batch: number;
	loss: LossName;
	optimizer: Optimizer;
	clipNorm: number | null;
	/** As differentiate takes it. */
	recompute?: 'none' | 'segments' | undefined;
	standardisation: ReadonlyMap<string, Standardisation>;
	modulation?: Modulation | null;
};

/**
 * A Scan over the K steps of a chunk; K is a size of its inputs.
 * Inputs `[K, batch, …]`: `chunk/x.<modality>`, `chunk/mask.<modality>`, `chunk/w.<modality>`, `chunk/target`, `chunk/sample_weight`, and int64 `chunk/dropout.<site>` `[K, rows]` of `dropout/pool`; `[K]` or `[K, 1, 1]` a step: `chunk/<scalar>`; `after/<slot>` `[1, 1]`.
 * State: `state/<group>` and, for parameters, `state/<group>/<slot>`. Outputs: `loss` `[K]` and, where gradients are clipped, `grad_norm` `[K]`.
 */
export type TrainProgram = {
	readonly model: ProgramModel;
	/** Parameters, which have slots of the optimizer as well. */
	readonly layout: readonly ParameterGroup[];
	/** Running statistics. */
	readonly running: readonly ParameterGroup[];
	readonly scalars: readonly string[];
	/** Rows of the pool of random numbers that each random draw of a step takes. */
	readonly sites: readonly number[];
	/** Multiply-adds of a step, about. */
	readonly work: number;
};

const POOL = 'dropout/pool';
const rowsOf = (site: number): string => `dropout.${site}`;

/** Parameters whose gradients are modulated, and those of them that get noise: two draws each, after those of the model. */
function modulatedOf({ architecture, modulation }: TrainProgramOptions): ParameterShape[] {
	if (!modulation || architecture.modalities.length < 2) return [];
	return architecture.parameters.filter(({ name }) => architecture.encoderOf(name) !== null);
}
const noisy = (options: TrainProgramOptions): ParameterShape[] => modulatedOf(options).filter(({ shape }) => shape.length >= 2);

function sitesOf(options: TrainProgramOptions): number[] {
	const ofNoise = noisy(options).flatMap(({ shape }) => [poolRows(sizeOf(shape)), poolRows(sizeOf(shape))]);
	return [...options.architecture.dropouts(options.batch), ...ofNoise];
}

type BatchInput = { readonly name: string; readonly shape: readonly number[]; readonly dtype?: DType };

/** What a batch brings to a step, by name, without the axis of steps; float32 unless it says another type. */
const batchInputs = (options: TrainProgramOptions): BatchInput[] => {
	const { architecture, batch } = options;
	return [
		...architecture.modalities.map(({ name, shape }) => ({ name: `x.${name}`, shape: [batch, ...shape] })),
		...architecture.modalities.flatMap((modality) => {
			const kind = architecture.masks.get(modality.name);
			return kind === undefined ? [] : [{ name: `mask.${modality.name}`, shape: [batch, maskWidth(modality, kind)] }];
		}),
		...architecture.modalities.map(({ name }) => ({ name: `w.${name}`, shape: [batch, 1] })),
		{ name: 'target', shape: [batch, architecture.outputs] },
		{ name: 'sample_weight', shape: [batch, 1] },
		...sitesOf(options).map((rows, site) => ({ name: rowsOf(site), shape: [rows], dtype: 'int64' as const })),
	];
};

const factorOf = (modality: string): string => `modulation/${modality}`;

/** Adds `modulation/<modality>`, the factor of the gradients of its encoder, from what the model says of each modality alone. */
function addModulation(
	g: GraphBuilder,
	{ architecture, modulation, loss }: TrainProgramOptions,
	{ input, parameter }: { input: (name: string) => Value; parameter: (name: string) => Value },
): void {
	const { modalities } = architecture;
	const inputs = { x: (m: string) => input(`x.${m}`), mask: (m: string) => input(`mask.${m}`), parameter };
	const forward = architecture.forward(g, inputs, { scope: 'alone', mode: 'infer' });
	const none = g.scale(0, input('sample_weight'));
	const alone = modalities.map(
		(_, m) => forward.fused(modalities.map(({ name }, other) => (other === m ? input(`w.${name}`) : none))).logits,
	);
	const factors = modulationFactors(g, modulation as Modulation, alone, loss, input('target'), input('sample_weight'));
	modalities.forEach(({ name }, m) => g.output(factorOf(name), factors[m] as Value));
}

/** The gradients of a step by parameter: as they are, but for those of encoders under modulation. */
function stepGradients(g: GraphBuilder, options: TrainProgramOptions, gradients: ReadonlyMap<string, Value>): Map<string, Value> {
	const { architecture, batch } = options;
	const first = architecture.dropouts(batch).length;
	const withNoise = noisy(options);
	const rows = sitesOf(options)
		.slice(first)
		.map((_, i) => g.value(rowsOf(first + i)));
	const pool: Value = { name: POOL, dtype: 'float32', shape: [POOL_ROWS, POOL_WIDTH] };
	const { noise } = forwardContext(g, (name) => g.value(name), fromPool(g, pool, rows));
	const made = new Map(gradients);
	for (const { name, shape } of modulatedOf(options)) {
		const factor = g.value(factorOf(architecture.encoderOf(name) as string));
		const drawn = withNoise.some((one) => one.name === name) ? noise(shape) : null;
		made.set(name, modulated(g, gradients.get(name) as Value, factor, drawn));
	}
	return made;
}

/** Forward and backward pass of one step: `loss`, the gradients of `lossScale`·loss by parameter, and running statistics as `next/<name>`. */
async function differentiated(options: TrainProgramOptions) {
	const { architecture } = options;
	const g = new GraphBuilder();
	const inputs = new Map(batchInputs(options).map(({ name, shape, dtype = 'float32' }) => [name, g.input(name, dtype, shape)]));
	const dropouts = architecture.dropouts(options.batch);
	const random =
		dropouts.length === 0
			? {}
			: {
					random: {
						pool: g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]),
						rows: dropouts.map((_, site) => inputs.get(rowsOf(site)) as Value),
					},
				};
	const scale = g.input('lossScale', 'float32', []);
	const { parameters, running } = architecture;
	const state = new Map([...parameters, ...running].map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const input = (name: string) => inputs.get(name) as Value;
	const parameter = (name: string) => state.get(name) as Value;
	const forward = architecture.forward(
		g,
		{ x: (m) => input(`x.${m}`), mask: (m) => input(`mask.${m}`), parameter, ...random },
		{ scope: 'model', mode: 'train' },
	);
	const { logits, auxiliary } = forward.fused(architecture.modalities.map(({ name }) => input(`w.${name}`)));
	const task = lossOf(g, options.loss, logits, input('target'), input('sample_weight'));
	const loss = auxiliary === null ? task : g.add(task, auxiliary);
	if (modulatedOf(options).length > 0) addModulation(g, options, { input, parameter });
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
	const moved = forward.running();
	for (const { name } of running) g.output(`next/${name}`, moved.get(name) as Value);
	const graph = await canonicalise({ graph: g.build('forward'), opset: architecture.opset }, { runTimeSizes: true });
	return {
		...differentiate(graph, { loss: 'scaled_loss', wrt: parameters.map(({ name }) => name), recompute: options.recompute ?? 'none' }),
		work: architecture.work(graph, options.batch),
	};
}

/** The body of the Scan: state in, one step, state out. */
async function stepBody(options: TrainProgramOptions, layout: ReturnType<typeof layoutOf>, scalars: readonly string[]) {
	const { optimizer, clipNorm } = options;
	const { graph, gradients: plain, work } = await differentiated(options);
	const g = new GraphBuilder('step/');
	const state = layout.trained.map((group) => ({
		group,
		parameter: g.input(`flat/${group.name}`, 'float32', [1, group.size]),
		slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, g.input(`${group.name}/${slot}`, 'float32', [1, group.size])])),
	}));
	const running = layout.running.map((group) => ({ group, statistics: g.input(`flat/${group.name}`, 'float32', [1, group.size]) }));
	for (const { name, shape, dtype = 'float32' } of batchInputs(options)) g.input(name, dtype, shape);
	const scalarInputs = Object.fromEntries(scalars.map((name) => [name, g.input(name, 'float32', name === 'lossScale' ? [] : [1, 1])]));
	for (const { group, parameter } of state) unpack(g, group, parameter);
	for (const { group, statistics } of running) unpack(g, group, statistics);
	g.append(graph);
	const gradients = stepGradients(g, options, plain);

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
	for (const { group } of running)
		g.output(
			`${group.name}/next`,
			pack(g, group, (name) => g.value(`next/${name}`)),
		);
	g.output('step_loss', g.value('loss'));
	if (norm !== null) g.output('step_grad_norm', norm);
	return { body: withoutOutputCopies(withoutUnused(g.build('step'))), work };
}

/** Compiles the training program of an architecture. Throws GraphError or RuntimeError. */
export async function compileTrainProgram(options: TrainProgramOptions): Promise<TrainProgram> {
	const { architecture, optimizer, clipNorm, standardisation } = options;
	const layout = layoutOf(architecture);
	const scalars = ['lossScale', ...optimizer.scalars];
	const sites = sitesOf(options);
	const { body, work } = await stepBody(options, layout, scalars);

	const g = new GraphBuilder('train/');
	const stateOf = (group: ParameterGroup, slots: readonly string[]) =>
		['', ...slots].map((slot) => ({
			slot,
			input: g.input(slot === '' ? `state/${group.name}` : `state/${group.name}/${slot}`, 'float32', [1, group.size]),
		}));
	const states = [
		...layout.trained.flatMap((group) => stateOf(group, optimizer.slots)),
		...layout.running.flatMap((group) => stateOf(group, [])),
	];
	// the pool is no input of the body: it reads it from here
	if (sites.length > 0) g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]);
	const batches = batchInputs(options).map(({ name, shape, dtype = 'float32' }) => {
		const chunk = g.input(`chunk/${name}`, dtype, ['K', ...shape]);
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
	return {
		model: { bytes: encodeModel({ graph: g.build('train'), opset: OPSET }), state },
		layout: layout.trained,
		running: layout.running,
		scalars,
		sites,
		work,
	};
}
