import { GraphBuilder, optimised, type Value } from '@steelyard/onnx';
import { clipToNorm, globalNorm } from '@steelyard/optim';
import { layoutOf, pack, unpack } from '../model/parameter-layout.js';
import { portsRead } from '../model/port.js';
import { flatName, flatSlotName, LOSS_SCALE, nextName, reportName, statisticName } from '../model/value-names.js';
import { areFinite, guard, HALTED } from './guarded.js';
import { stepGradients } from './modulated-gradients.js';
import { forwardAndBackward } from './passes.js';
import type { Step } from './step.js';
import { addInputs, drawsOf, isGuarded, type StepOptions, scalarsOf } from './step-inputs.js';
import { haltedVector, stateVectors } from './step-state.js';
import { trainingPorts } from './training-ports.js';

/** The gradients clipped to the norm that the options allow, and the norm before; `lossScale` is how much the gradients are too large. */
function clipped(g: GraphBuilder, gradients: readonly Value[], clipNorm: number, lossScale: Value): { gradients: Value[]; norm: Value } {
	const scaled = globalNorm(g, gradients);
	const norm = g.reshape(g.div(scaled, lossScale), []);
	return { norm, gradients: clipToNorm(g, gradients, scaled, g.reshape(g.scale(clipNorm, lossScale), [1, 1])) };
}

/** Builds the training step of an architecture. Throws GraphError or RuntimeError. */
export async function buildStep(options: StepOptions): Promise<Step> {
	const { architecture, optimizer, clipNorm, batch, fused = false } = options;
	const { trained, running } = layoutOf(architecture);
	const guarded = isGuarded(options);
	const state = [...stateVectors({ trained, running }, optimizer), ...(guarded ? [haltedVector] : [])];
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
	const lossScale = g.value(LOSS_SCALE);
	// under a guard the optimizer has no scale of its own
	const gradients = guarded ? packed.map((gradient) => g.div(gradient, g.reshape(lossScale, [1, 1]))) : packed;
	const limited = clipNorm === null ? null : clipped(g, gradients, clipNorm, guarded ? g.scalar(1) : lossScale);
	const finite = guarded ? areFinite(g, gradients) : null;
	const held = finite && guard(g, finite, g.value(HALTED));
	/** The next value of a vector of state, by the name of its input. */
	const move = (input: string, next: Value): void => g.output(nextName(input), held === null ? next : held.next(g.value(input), next));
	const scalarValues = Object.fromEntries(scalars.map(({ name }) => [name, g.value(name)]));
	trained.forEach(({ name: group }, i) => {
		const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, g.value(flatSlotName(group, slot))]));
		const gradient = (limited?.gradients ?? gradients)[i] as Value;
		const next = optimizer.update(g, { parameter: g.value(flatName(group)), gradient, slots, scalars: scalarValues });
		move(flatName(group), next.parameter);
		for (const slot of optimizer.slots) move(flatSlotName(group, slot), next.slots[slot] as Value);
	});
	for (const group of running)
		move(
			flatName(group.name),
			pack(g, group, (name) => g.value(statisticName(name))),
		);
	if (held !== null) g.output(nextName(HALTED), held.halted);
	const reports = { loss: g.value('loss'), ...(limited && { grad_norm: limited.norm }), ...(finite && { finite: g.reshape(finite, []) }) };
	for (const [report, value] of Object.entries(reports)) g.output(reportName(report), value);

	return {
		...portsRead(optimised(g.build('step'), { fused }), trainingPorts(options)),
		...{ batch, trained, running, state, scalars, work },
		draws: drawsOf(options),
		reports: Object.keys(reports),
	};
}
