import { differentiate } from '@steelyard/autodiff';
import type { Fused } from '@steelyard/family';
import {
	canonicalise,
	GraphBuilder,
	inHalfPrecision,
	poolBeforeRelu,
	roundedProducts,
	type Value,
	winogradConvolutions,
} from '@steelyard/onnx';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import {
	drawName,
	LABELS,
	LOSS_SCALE,
	maskName,
	POOL,
	SAMPLE_WEIGHT,
	statisticName,
	TARGET,
	targetName,
	valuesName,
} from '../model/value-names.js';
import { weighedByClass } from './class-weights.js';
import { lossOf, scaledLoss } from './loss.js';
import { addModulation } from './modulated-gradients.js';
import { positionLossOf } from './position-loss.js';
import { addInputs, modulatedOf, type StepOptions, weighted } from './step-inputs.js';

/** The losses of auxiliary outputs, each times its weight. */
function auxiliaryLosses(g: GraphBuilder, { architecture }: StepOptions, outputs: readonly Value[]): Value[] {
	return architecture.auxiliary.map((output, i) => {
		const loss = positionLossOf(g, output.loss, output, outputs[i] as Value, g.value(targetName(output.name)), g.value(SAMPLE_WEIGHT));
		return output.weight === 1 ? loss : g.scale(output.weight, loss);
	});
}

/** The loss of the logits, and what the model adds to it. */
function taskLoss(
	g: GraphBuilder,
	{ architecture, loss, classWeights = null, scale }: StepOptions,
	{ logits, auxiliaryLoss }: Fused,
): Value {
	const [target, weight] = [g.value(TARGET), g.value(SAMPLE_WEIGHT)];
	const task =
		architecture.positions === null
			? lossOf(
					g,
					scaledLoss(loss, scale.deviation),
					logits,
					target,
					classWeights === null ? weight : weighedByClass(g, classWeights, target, weight),
				)
			: positionLossOf(g, loss, architecture.positions, logits, target, weight, classWeights);
	return auxiliaryLoss === null ? task : g.add(task, auxiliaryLoss);
}

/** Forward and backward pass of one step: `loss`, the gradients of `LOSS_SCALE`·loss by parameter, and the next running statistics as `statisticName`. */
export async function forwardAndBackward(options: StepOptions) {
	const { architecture } = options;
	const g = new GraphBuilder();
	addInputs(g, options);
	const dropouts = architecture.dropouts(options.batch);
	const random =
		dropouts.length === 0
			? {}
			: { random: { pool: g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]), rows: dropouts.map((_, place) => g.value(drawName(place))) } };
	const scale = g.input(LOSS_SCALE, 'float32', []);
	const { parameters, running, ownLoss } = architecture;
	const state = new Map([...parameters, ...running].map(({ name, shape }) => [name, g.input(name, 'float32', shape)]));
	const input = (name: string) => g.value(name);
	const parameter = (name: string) => state.get(name) as Value;
	const labels = ownLoss === null || ownLoss.labels === 0 ? {} : { labels: input(LABELS) };
	const forward = architecture.forward(
		g,
		{ x: (m) => input(valuesName(m)), mask: (m) => input(maskName(m)), parameter, ...labels, ...random },
		{ scope: 'model', mode: 'train', fixedSizes: options.fixedSizes ?? false },
	);
	const weights = architecture.modalities.map(({ name }) => weighted(input, name));
	const lossOfOutputs = (): Value => {
		const task = taskLoss(g, options, forward.fused(weights));
		return auxiliaryLosses(g, options, forward.auxiliary()).reduce((sum, each) => g.add(sum, each), task);
	};
	const loss = forward.ownLoss === null ? lossOfOutputs() : forward.ownLoss(weights);
	if (modulatedOf(options).length > 0) addModulation(g, options, { input, parameter });
	g.output('loss', loss);
	g.output('scaled_loss', g.mul(loss, scale));
	const moved = forward.running();
	for (const { name } of running) g.output(statisticName(name), moved.get(name) as Value);
	const graph = await canonicalise({ graph: g.build('forward'), opset: architecture.opset }, { runTimeSizes: true });
	const { precision = 'float32', halfPrecision = false } = options;
	const exact = new Set(parameters.flatMap(({ name, exact }) => (exact ? [name] : [])));
	const pooled = poolBeforeRelu(graph);
	const exactly = options.winograd ? winogradConvolutions(pooled) : pooled;
	const rounded = precision === 'float32' ? exactly : roundedProducts(graph, precision, exact);
	const wrt = parameters.map(({ name }) => name);
	const { graph: passes, gradients } = differentiate(rounded, { loss: 'scaled_loss', wrt, recompute: options.recompute ?? 'none' });
	return {
		graph: halfPrecision && precision !== 'float32' ? inHalfPrecision(passes, precision) : passes,
		gradients,
		work: architecture.work(graph, options.batch),
	};
}
