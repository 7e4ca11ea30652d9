import type { Precision } from '@steelyard/contracts';
import type { GraphBuilder, Value } from '@steelyard/onnx';
import type { Optimizer } from '@steelyard/optim';
import { sizeOf } from '@steelyard/runtime';
import type { Architecture, ParameterShape, WeightAndPresence } from '../model/architecture.js';
import { poolRows } from '../model/dropout-pool.js';
import { drawName, LOSS_SCALE, presenceName, weightName } from '../model/value-names.js';
import type { Modulation } from './gradient-modulation.js';
import type { Loss } from './loss.js';
import type { Draw, StepScalar } from './step.js';
import { type TrainingPortsOptions, trainingPorts } from './training-ports.js';

export type StepOptions = Omit<TrainingPortsOptions, 'architecture'> & {
	readonly architecture: Architecture;
	/** Rows of a step. */
	readonly batch: number;
	readonly loss: Loss;
	/** How much each class counts, by its number; null or not given where they count alike. */
	readonly classWeights?: readonly number[] | null;
	readonly optimizer: Optimizer;
	/** The largest global L2 norm that the gradient may have; null for no limit. */
	readonly clipNorm: number | null;
	/** Whether values that gradients need are kept, or partly computed again, as `differentiate` takes it; they are kept unless given. */
	readonly recompute?: 'none' | 'segments' | undefined;
	/** The type that products read and give; float32 unless given. */
	readonly precision?: Precision | undefined;
	/** Whether the device computes products in a type of 16 bits itself; unless given, they are computed in float32, of rounded numbers and with rounded results. */
	readonly halfPrecision?: boolean | undefined;
	/** Whether convolutions are computed by Winograd's algorithm where that is faster on the CPU; they are not unless given. */
	readonly winograd?: boolean | undefined;
	/** As `Architecture.forward` takes it. */
	readonly fixedSizes?: boolean;
	/** How the gradients of the encoders are modulated; null or not given for not at all. */
	readonly modulation?: Modulation | null;
	/** Whether the step may use operators of ONNX Runtime's own, which its CPU provider has; without them it runs everywhere. They are not used unless given. */
	readonly fused?: boolean;
};

/** Whether the scale of the loss follows from the gradients, and a step whose gradients are not finite changes nothing. */
export const isGuarded = ({ precision }: Pick<StepOptions, 'precision'>): boolean => precision === 'float16';

/** Parameters whose gradients are modulated: those of encoders, where there are several modalities. */
export function modulatedOf({ architecture, modulation }: StepOptions): ParameterShape[] {
	if (!modulation || architecture.modalities.length < 2) return [];
	return architecture.parameters.filter(({ name }) => architecture.encoderOf(name) !== null);
}
/** Those of them that get noise as well. */
export const noisy = (options: StepOptions): ParameterShape[] => modulatedOf(options).filter(({ shape }) => shape.length >= 2);

/** Every draw of a step: those of the model's dropouts, then two per parameter whose gradient gets noise. */
export function drawsOf(options: StepOptions): Draw[] {
	const ofNoise = noisy(options).flatMap(({ shape }) => [poolRows(sizeOf(shape)), poolRows(sizeOf(shape))]);
	return [...options.architecture.dropouts(options.batch), ...ofNoise].map((rows, place) => ({ name: drawName(place), rows }));
}

export const scalarsOf = ({ optimizer }: StepOptions): StepScalar[] => [
	{ name: LOSS_SCALE, shape: [] },
	...optimizer.scalars.map((name) => ({ name, shape: [1, 1] })),
];

/** Weight and presence of a modality among the inputs of a step. */
export const weighted = (input: (name: string) => Value, modality: string): WeightAndPresence => ({
	weight: input(weightName(modality)),
	present: input(presenceName(modality)),
});

/** Adds the ports, `[batch, …]` each, and the draws of a step as inputs. */
export function addInputs(g: GraphBuilder, options: StepOptions): void {
	for (const { name, dtype, shape, standardisation } of trainingPorts(options))
		g.input(name, standardisation === null ? dtype : 'float32', [options.batch, ...shape]);
	for (const { name, rows } of drawsOf(options)) g.input(name, 'int64', [rows]);
}
