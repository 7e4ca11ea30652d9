import { differentiate } from '@steelyard/autodiff';
import { canonicalise, type Graph, GraphBuilder, type Value, withoutOutputCopies, withoutUnused } from '@steelyard/onnx';
import { clipToNorm, globalNorm, type Optimizer } from '@steelyard/optim';
import { sizeOf } from '@steelyard/runtime';
import type { Architecture, ParameterShape, WeightAndPresence } from '../model/architecture.js';
import { POOL_ROWS, POOL_WIDTH, poolRows } from '../model/dropout-pool.js';
import { forwardContext, fromPool } from '../model/forward-context.js';
import { layoutOf, type ParameterGroup, pack, unpack } from '../model/parameter-layout.js';
import { type Port, portsRead, type TrainingBatch } from '../model/port.js';
import {
	drawName,
	flatName,
	flatSlotName,
	LOSS_SCALE,
	maskName,
	modulationName,
	nextName,
	POOL,
	parameterStateName,
	presenceName,
	reportName,
	SAMPLE_WEIGHT,
	slotStateName,
	statisticName,
	TARGET,
	valuesName,
	weightName,
} from '../model/value-names.js';
import { type Modulation, modulated, modulationFactors } from './gradient-modulation.js';
import { type LossName, lossOf } from './loss.js';
import { type TrainingPortsOptions, trainingPorts } from './training-ports.js';

export type StepOptions = Omit<TrainingPortsOptions, 'architecture'> & {
	readonly architecture: Architecture;
	/** Rows of a step. */
	readonly batch: number;
	readonly loss: LossName;
	readonly optimizer: Optimizer;
	/** The largest global L2 norm that the gradient may have; null for no limit. */
	readonly clipNorm: number | null;
	/** Whether values that gradients need are kept, or partly computed again, as `differentiate` takes it; they are kept unless given. */
	readonly recompute?: 'none' | 'segments' | undefined;
	/** How the gradients of the encoders are modulated; null or not given for not at all. */
	readonly modulation?: Modulation | null;
};

/** A vector of state `[1, size]`: the input that takes it, the output that gives its next value, and its name outside the step. */
export type StateVector = {
	readonly name: string;
	readonly size: number;
	readonly input: string;
	readonly output: string;
	/** The slot of the optimizer that it holds; null for parameters and running statistics. */
	readonly slot: string | null;
};

/** The slots of the optimizer that a state has, each once. */
export const slotsOf = (state: readonly StateVector[]): string[] => [...new Set(state.flatMap(({ slot }) => slot ?? []))];

/** An input that says which rows of the pool of random numbers one place of the step takes: int64 `[rows]`. */
export type Draw = { readonly name: string; readonly rows: number };

/** A number that the host gives to every step, such as the learning rate. */
export type StepScalar = { readonly name: string; readonly shape: readonly number[] };

/**
 * One training step as a graph: state and a batch in, the next state and what the step reports out. Its inputs are the vectors of state, the ports `[batch, …]`,
 * the draws and the scalars, in this order; its outputs the next vectors of state, then `reportName` of each report. Where it draws, it reads `POOL` from the graph
 * around it. How a step is repeated is not its business: `scan-program.ts` does it inside one run.
 */
export type Step = {
	readonly graph: Graph;
	readonly batch: number;
	readonly trained: readonly ParameterGroup[];
	readonly running: readonly ParameterGroup[];
	readonly state: readonly StateVector[];
	/** Only what the graph reads. */
	readonly ports: readonly Port<TrainingBatch>[];
	readonly draws: readonly Draw[];
	readonly scalars: readonly StepScalar[];
	/** `loss` and, where gradients are clipped, `grad_norm`: scalars. */
	readonly reports: readonly string[];
	/** Multiply-adds, about. */
	readonly work: number;
};

/** Parameters whose gradients are modulated: those of encoders, where there are several modalities. */
function modulatedOf({ architecture, modulation }: StepOptions): ParameterShape[] {
	if (!modulation || architecture.modalities.length < 2) return [];
	return architecture.parameters.filter(({ name }) => architecture.encoderOf(name) !== null);
}
/** Those of them that get noise as well. */
const noisy = (options: StepOptions): ParameterShape[] => modulatedOf(options).filter(({ shape }) => shape.length >= 2);

/** Every draw of a step: those of the model's dropouts, then two per parameter whose gradient gets noise. */
function drawsOf(options: StepOptions): Draw[] {
	const ofNoise = noisy(options).flatMap(({ shape }) => [poolRows(sizeOf(shape)), poolRows(sizeOf(shape))]);
	return [...options.architecture.dropouts(options.batch), ...ofNoise].map((rows, place) => ({ name: drawName(place), rows }));
}

const scalarsOf = ({ optimizer }: StepOptions): StepScalar[] => [
	{ name: LOSS_SCALE, shape: [] },
	...optimizer.scalars.map((name) => ({ name, shape: [1, 1] })),
];

function stateOf({ trained, running }: ReturnType<typeof layoutOf>, { slots }: Optimizer): StateVector[] {
	const parameters = ({ name, size }: ParameterGroup): StateVector => {
		const input = flatName(name);
		return { name: parameterStateName(name), size, input, output: nextName(name), slot: null };
	};
	const slot = ({ name, size }: ParameterGroup, slot: string): StateVector => {
		const input = flatSlotName(name, slot);
		return { name: slotStateName(name, slot), size, input, output: nextName(input), slot };
	};
	return [...trained.flatMap((group) => [parameters(group), ...slots.map((name) => slot(group, name))]), ...running.map(parameters)];
}

/** Weight and presence of a modality among the inputs of a step. */
const weighted = (input: (name: string) => Value, modality: string): WeightAndPresence => ({
	weight: input(weightName(modality)),
	present: input(presenceName(modality)),
});

type Inputs = { readonly input: (name: string) => Value; readonly parameter: (name: string) => Value };

/** Adds `modulationName` of each modality, the factor for the gradients of its encoder, from what the model says of that modality alone. */
function addModulation(g: GraphBuilder, { architecture, modulation, loss }: StepOptions, { input, parameter }: Inputs): void {
	const { modalities } = architecture;
	const inputs = { x: (m: string) => input(valuesName(m)), mask: (m: string) => input(maskName(m)), parameter };
	const forward = architecture.forward(g, inputs, { scope: 'alone', mode: 'infer' });
	const none = g.scale(0, input(SAMPLE_WEIGHT));
	const alone = modalities.map(
		(_, m) =>
			forward.fused(modalities.map(({ name }, other) => (other === m ? weighted(input, name) : { weight: none, present: none }))).logits,
	);
	const factors = modulationFactors(g, modulation as Modulation, alone, loss, input(TARGET), input(SAMPLE_WEIGHT));
	modalities.forEach(({ name }, m) => g.output(modulationName(name), factors[m] as Value));
}

/** The gradients of a step by parameter: as they are, but for those of encoders under modulation. */
function stepGradients(g: GraphBuilder, options: StepOptions, gradients: ReadonlyMap<string, Value>): Map<string, Value> {
	const { architecture, batch } = options;
	const withNoise = noisy(options);
	const rows = drawsOf(options)
		.slice(architecture.dropouts(batch).length)
		.map(({ name }) => g.value(name));
	const pool: Value = { name: POOL, dtype: 'float32', shape: [POOL_ROWS, POOL_WIDTH] };
	const { noise } = forwardContext(g, (name) => g.value(name), fromPool(g, pool, rows));
	const made = new Map(gradients);
	for (const { name, shape } of modulatedOf(options)) {
		const factor = g.value(modulationName(architecture.encoderOf(name) as string));
		const drawn = withNoise.some((one) => one.name === name) ? noise(shape) : null;
		made.set(name, modulated(g, gradients.get(name) as Value, factor, drawn));
	}
	return made;
}

/** Adds the ports, `[batch, …]` each, and the draws of a step as inputs. */
function addInputs(g: GraphBuilder, options: StepOptions): void {
	for (const { name, dtype, shape } of trainingPorts(options)) g.input(name, dtype, [options.batch, ...shape]);
	for (const { name, rows } of drawsOf(options)) g.input(name, 'int64', [rows]);
}

/** Forward and backward pass of one step: `loss`, the gradients of `LOSS_SCALE`·loss by parameter, and the next running statistics as `statisticName`. */
async function differentiated(options: StepOptions) {
	const { architecture } = options;
	const g = new GraphBuilder();
	addInputs(g, options);
	const dropouts = architecture.dropouts(options.batch);
	const random =
		dropouts.length === 0
			? {}
			: { random: { pool: g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]), rows: dropouts.map((_, place) => g.value(drawName(place))) } };
	const scale = g.input(LOSS_SCALE, 'float32', []);
	const { parameters, running } = architecture;
	const state = new Map([...parameters, ...running].map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const input = (name: string) => g.value(name);
	const parameter = (name: string) => state.get(name) as Value;
	const forward = architecture.forward(
		g,
		{ x: (m) => input(valuesName(m)), mask: (m) => input(maskName(m)), parameter, ...random },
		{ scope: 'model', mode: 'train' },
	);
	const { logits, auxiliary } = forward.fused(architecture.modalities.map(({ name }) => weighted(input, name)));
	const task = lossOf(g, options.loss, logits, input(TARGET), input(SAMPLE_WEIGHT));
	const loss = auxiliary === null ? task : g.add(task, auxiliary);
	if (modulatedOf(options).length > 0) addModulation(g, options, { input, parameter });
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
	const moved = forward.running();
	for (const { name } of running) g.output(statisticName(name), moved.get(name) as Value);
	const graph = await canonicalise({ graph: g.build('forward'), opset: architecture.opset }, { runTimeSizes: true });
	return {
		...differentiate(graph, { loss: 'scaled_loss', wrt: parameters.map(({ name }) => name), recompute: options.recompute ?? 'none' }),
		work: architecture.work(graph, options.batch),
	};
}

/** The gradients clipped to the norm that the options allow, and the norm before; `lossScale` is how much the gradients are too large. */
function clipped(g: GraphBuilder, gradients: readonly Value[], clipNorm: number, lossScale: Value): { gradients: Value[]; norm: Value } {
	const scaled = globalNorm(g, gradients);
	const norm = g.reshape(g.div(scaled, lossScale), []);
	return { norm, gradients: clipToNorm(g, gradients, scaled, g.reshape(g.scale(clipNorm, lossScale), [1, 1])) };
}

/** Builds the training step of an architecture. Throws GraphError or RuntimeError. */
export async function buildStep(options: StepOptions): Promise<Step> {
	const { architecture, optimizer, clipNorm, batch } = options;
	const { trained, running } = layoutOf(architecture);
	const state = stateOf({ trained, running }, optimizer);
	const scalars = scalarsOf(options);
	const { graph: passes, gradients: plain, work } = await differentiated(options);

	const g = new GraphBuilder('step/');
	for (const { input, size } of state) g.input(input, 'float32', [1, size]);
	addInputs(g, options);
	for (const { name, shape } of scalars) g.input(name, 'float32', shape);
	for (const group of [...trained, ...running]) unpack(g, group, g.value(flatName(group.name)));
	g.append(passes);

	const byParameter = stepGradients(g, options, plain);
	const packed = trained.map((group) => pack(g, group, (name) => byParameter.get(name) as Value));
	const limited = clipNorm === null ? null : clipped(g, packed, clipNorm, g.value(LOSS_SCALE));
	const scalarValues = Object.fromEntries(scalars.map(({ name }) => [name, g.value(name)]));
	trained.forEach(({ name: group }, i) => {
		const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, g.value(flatSlotName(group, slot))]));
		const gradient = (limited?.gradients ?? packed)[i] as Value;
		const next = optimizer.update(g, { parameter: g.value(flatName(group)), gradient, slots, scalars: scalarValues });
		g.output(nextName(flatName(group)), next.parameter);
		for (const slot of optimizer.slots) g.output(nextName(flatSlotName(group, slot)), next.slots[slot] as Value);
	});
	for (const group of running)
		g.output(
			nextName(flatName(group.name)),
			pack(g, group, (name) => g.value(statisticName(name))),
		);
	g.output(reportName('loss'), g.value('loss'));
	if (limited !== null) g.output(reportName('grad_norm'), limited.norm);

	return {
		...portsRead(withoutOutputCopies(withoutUnused(g.build('step'))), trainingPorts(options)),
		...{ batch, trained, running, state, scalars, work },
		draws: drawsOf(options),
		reports: ['loss', ...(limited === null ? [] : ['grad_norm'])],
	};
}
