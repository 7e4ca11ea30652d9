import { differentiate } from '@steelyard/autodiff';
import { canonicalise, GraphBuilder, type Value } from '@steelyard/onnx';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { drawName, LOSS_SCALE, maskName, POOL, SAMPLE_WEIGHT, statisticName, TARGET, valuesName } from '../model/value-names.js';
import { lossOf, scaledLoss } from './loss.js';
import { addModulation } from './modulated-gradients.js';
import { positionLossOf } from './position-loss.js';
import { addInputs, modulatedOf, type StepOptions, weighted } from './step-inputs.js';

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
	const [target, weight] = [input(TARGET), input(SAMPLE_WEIGHT)];
	const task =
		architecture.positions === null
			? lossOf(g, scaledLoss(options.loss, options.scale.deviation), logits, target, weight)
			: positionLossOf(g, options.loss, architecture.positions, logits, target, weight);
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
