import { GraphBuilder, optimised, type Value } from '@steelyard/onnx';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { layoutOf } from '../model/parameter-layout.js';
import { portInput, portsRead } from '../model/port.js';
import { chunkName, gradientName, LOSS_SCALE, POOL, statisticName } from '../model/value-names.js';
import { stepGradients } from './modulated-gradients.js';
import { forwardAndBackward } from './passes.js';
import type { InPlaceStep } from './step.js';
import { drawsOf, isGuarded, type StepOptions } from './step-inputs.js';
import { haltedVector, stateVectors } from './step-state.js';
import { trainingPorts } from './training-ports.js';

/** The input of `passes` that takes the values of a port; under the name of the port itself stand the standardised ones. */
export const rawName = ({ name, standardisation }: Pick<InPlaceStep['ports'][number], 'name' | 'standardisation'>): string =>
	standardisation === null ? name : chunkName(name);

/** Builds the training step of an architecture as a graph that gives the gradients, and an update that changes the state in place. Throws GraphError or RuntimeError. */
export async function buildInPlaceStep(options: StepOptions): Promise<InPlaceStep> {
	const { architecture, optimizer, clipNorm, batch, fused = false } = options;
	const { parameters, running } = architecture;
	const { graph: passes, gradients: plain, work } = await forwardAndBackward(options);

	const g = new GraphBuilder('step/');
	for (const { name, shape } of [...parameters, ...running]) g.input(name, 'float32', shape);
	for (const one of trainingPorts(options)) {
		const raw = portInput(g, { ...one, name: rawName(one) }, [batch]);
		if (one.standardisation !== null) g.node('Identity', [raw], [{ ...raw, name: one.name }]);
	}
	const draws = drawsOf(options);
	for (const { name, rows } of draws) g.input(name, 'int64', [rows]);
	if (draws.length > 0) g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]);
	g.input(LOSS_SCALE, 'float32', []);
	g.append(passes);

	const gradients = stepGradients(g, options, plain);
	for (const { name } of parameters) g.output(gradientName(name), gradients.get(name) as Value);
	for (const { name } of running) g.output(statisticName(name), g.value(statisticName(name)));
	g.output('loss', g.value('loss'));

	const { graph, ports } = portsRead(optimised(g.build('step'), { fused }), trainingPorts(options));
	const layout = layoutOf(architecture);
	const guarded = isGuarded(options);
	return {
		...{ ...layout, passes: graph, ports, draws, batch, work, optimizer: optimizer.inPlace, clipNorm },
		state: [...stateVectors(layout, optimizer), ...(guarded ? [haltedVector] : [])],
		scalars: [LOSS_SCALE, ...optimizer.inPlace.scalars].map((name) => ({ name, shape: [] })),
		reports: ['loss', ...(clipNorm === null ? [] : ['grad_norm']), ...(guarded ? ['finite'] : [])],
	};
}
