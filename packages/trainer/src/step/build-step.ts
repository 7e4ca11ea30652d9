import { GraphBuilder, type Value, withoutOutputCopies, withoutUnused } from '@steelyard/onnx';
import { clipToNorm, globalNorm } from '@steelyard/optim';
import { layoutOf, pack, unpack } from '../model/parameter-layout.js';
import { portsRead } from '../model/port.js';
import { flatName, flatSlotName, LOSS_SCALE, nextName, reportName, statisticName } from '../model/value-names.js';
import { stepGradients } from './modulated-gradients.js';
import { forwardAndBackward } from './passes.js';
import type { Step } from './step.js';
import { addInputs, drawsOf, type StepOptions, scalarsOf } from './step-inputs.js';
import { stateVectors } from './step-state.js';
import { trainingPorts } from './training-ports.js';

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
	const state = stateVectors({ trained, running }, optimizer);
	const scalars = scalarsOf(options);
	const { graph: passes, gradients: plain, work } = await forwardAndBackward(options);

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
