import { type Graph, GraphBuilder, type Value, withoutOutputCopies, withoutUnused } from '@steelyard/onnx';
import { clipToNorm, globalNorm } from '@steelyard/optim';
import { sizeOf } from '@steelyard/runtime';
import { POOL_ROWS, POOL_WIDTH } from '../model/dropout-pool.js';
import { layoutOf, type ParameterGroup, pack, unpack } from '../model/parameter-layout.js';
import { portInput, portsRead } from '../model/port.js';
import {
	CLIP,
	chunkName,
	flatName,
	gradientName,
	LOSS_SCALE,
	nextName,
	POOL,
	slotFactorName,
	statisticName,
} from '../model/value-names.js';
import { stepGradients } from './modulated-gradients.js';
import { forwardAndBackward } from './passes.js';
import type { SplitStep } from './step.js';
import { drawsOf, type StepOptions, scalarsOf } from './step-inputs.js';
import { stateVectors } from './step-state.js';
import { trainingPorts } from './training-ports.js';

/** The one parameter of a group that holds no other: it needs no packing. */
const onlyMember = ({ members: [first, ...others] }: ParameterGroup) => (others.length === 0 ? first : undefined);

/** The input of `passes` that takes the values of a port; under the name of the port itself stand the standardised ones. */
export const rawName = ({ name, standardisation }: Pick<SplitStep['ports'][number], 'name' | 'standardisation'>): string =>
	standardisation === null ? name : chunkName(name);

/** The input and the output of `passes` that belong to a group; `shape` is that of both. */
export const groupPort = (group: ParameterGroup): { input: string; shape: readonly number[] } => {
	const only = onlyMember(group);
	return only === undefined ? { input: flatName(group.name), shape: [1, group.size] } : { input: only.name, shape: only.shape };
};

/** The norm of all gradients, a scalar, and the factor `[1, 1]` that clips them to `clipNorm`; both come without the scale of the loss. */
function clipOf(g: GraphBuilder, gradients: readonly Value[], clipNorm: number, lossScale: Value): { norm: Value; factor: Value } {
	const flat = gradients.map((gradient) => g.reshape(gradient, [1, sizeOf(gradient.shape as readonly number[])]));
	const scaled = globalNorm(g, flat);
	const one = g.constant('float32', [1, 1], [1]);
	const [factor] = clipToNorm(g, [one], scaled, g.reshape(g.scale(clipNorm, lossScale), [1, 1]));
	return { norm: g.reshape(g.div(scaled, lossScale), []), factor: factor as Value };
}

/** The update of any part of a group, `[1, n]`. */
function updateOf({ optimizer, clipNorm }: StepOptions, scalars: readonly string[]): Graph {
	const g = new GraphBuilder('update/');
	const part = (name: string): Value => g.input(name, 'float32', [1, 'n']);
	const number = (name: string): Value => g.input(name, 'float32', [1, 1]);
	const parameter = part('parameter');
	const gradient = part('gradient');
	const slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, part(slot)]));
	const given = Object.fromEntries(scalars.map((name) => [name, number(name)]));
	const clipped = clipNorm === null ? gradient : g.mul(gradient, number(CLIP));
	const next = optimizer.update(g, { parameter, gradient: clipped, slots, scalars: given });
	g.output(nextName('parameter'), next.parameter);
	for (const slot of optimizer.slots) g.output(nextName(slot), g.mul(next.slots[slot] as Value, number(slotFactorName(slot))));
	return withoutOutputCopies(withoutUnused(g.build('update')));
}

/** Builds the training step of an architecture as two graphs. Throws GraphError or RuntimeError. */
export async function buildSplitStep(options: StepOptions): Promise<SplitStep> {
	const { architecture, optimizer, clipNorm, batch } = options;
	const { trained, running } = layoutOf(architecture);
	const { graph: passes, gradients: plain, work } = await forwardAndBackward(options);

	const g = new GraphBuilder('step/');
	for (const group of [...trained, ...running]) {
		const { input, shape } = groupPort(group);
		const value = g.input(input, 'float32', shape);
		if (onlyMember(group) === undefined) unpack(g, group, value);
	}
	for (const one of trainingPorts(options)) {
		const raw = portInput(g, { ...one, name: rawName(one) }, [batch]);
		if (one.standardisation !== null) g.node('Identity', [raw], [{ ...raw, name: one.name }]);
	}
	const draws = drawsOf(options);
	for (const { name, rows } of draws) g.input(name, 'int64', [rows]);
	if (draws.length > 0) g.input(POOL, 'float32', [POOL_ROWS, POOL_WIDTH]);
	const lossScale = g.input(LOSS_SCALE, 'float32', []);
	g.append(passes);

	const byParameter = stepGradients(g, options, plain);
	const gradientOf = (group: ParameterGroup): Value => {
		const only = onlyMember(group);
		return only === undefined ? pack(g, group, (name) => byParameter.get(name) as Value) : (byParameter.get(only.name) as Value);
	};
	const gradients = trained.map(gradientOf);
	trained.forEach(({ name }, i) => g.output(gradientName(name), gradients[i] as Value));
	for (const group of running)
		g.output(
			nextName(flatName(group.name)),
			g.reshape(
				pack(g, group, (name) => g.value(statisticName(name))),
				groupPort(group).shape,
			),
		);
	g.output('loss', g.value('loss'));
	if (clipNorm !== null) {
		const { norm, factor } = clipOf(g, gradients, clipNorm, lossScale);
		g.output('grad_norm', norm);
		g.output(CLIP, factor);
	}

	const { graph, ports } = portsRead(withoutOutputCopies(withoutUnused(g.build('step'))), trainingPorts(options));
	const scalars = scalarsOf(options);
	return {
		...{ passes: graph, ports, update: updateOf(options, optimizer.scalars), batch, trained, running, scalars, work },
		state: stateVectors({ trained, running }, optimizer),
		draws,
		reports: ['loss', ...(clipNorm === null ? [] : ['grad_norm'])],
	};
}
