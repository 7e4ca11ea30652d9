import type { GraphBuilder, Value } from '@steelyard/onnx';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { forwardContext, fromPool } from '../model/forward-context.js';
import { maskName, modulationName, POOL, SAMPLE_WEIGHT, TARGET, valuesName } from '../model/value-names.js';
import { type Modulation, modulated, modulationFactors } from './gradient-modulation.js';
import { scaledLoss } from './loss.js';
import { drawsOf, modulatedOf, noisy, type StepOptions, weighted } from './step-inputs.js';

type Inputs = { readonly input: (name: string) => Value; readonly parameter: (name: string) => Value };

/** Adds `modulationName` of each modality, the factor for the gradients of its encoder, from what the model predicts by that modality alone. */
export function addModulation(g: GraphBuilder, { architecture, modulation, loss, scale }: StepOptions, { input, parameter }: Inputs): void {
	const { modalities } = architecture;
	const inputs = { x: (m: string) => input(valuesName(m)), mask: (m: string) => input(maskName(m)), parameter };
	const forward = architecture.forward(g, inputs, { scope: 'alone', mode: 'infer' });
	const none = g.scale(0, input(SAMPLE_WEIGHT));
	const alone = modalities.map(
		(_, m) =>
			forward.fused(modalities.map(({ name }, other) => (other === m ? weighted(input, name) : { weight: none, present: none }))).logits,
	);
	const factors = modulationFactors(
		g,
		modulation as Modulation,
		alone,
		scaledLoss(loss, scale.deviation),
		input(TARGET),
		input(SAMPLE_WEIGHT),
	);
	modalities.forEach(({ name }, m) => g.output(modulationName(name), factors[m] as Value));
}

/** The gradients of a step by parameter: as they are, but for those of encoders under modulation. */
export function stepGradients(g: GraphBuilder, options: StepOptions, gradients: ReadonlyMap<string, Value>): Map<string, Value> {
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
