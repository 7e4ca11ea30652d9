import { encodeModel, GraphBuilder, OPSET } from '@steelyard/onnx';
import { createSession, type Provider, type Session, type Tensor } from '@steelyard/runtime';
import { type Architecture, embed, fuse } from './architecture.js';
import { type ParameterGroup, unpack } from './parameter-layout.js';
import { type Standardisation, standardised } from './standardise.js';

/**
 * The forward pass alone: `x.<modality>` `[batch, …]`, `mask.<modality>` `[batch, steps]`, `w.<modality>` `[batch, 1]` and parameters as the state of a
 * training program, `state/<group>`; gives `logits` `[batch, outputs]`.
 */
export function compilePredictProgram(
	architecture: Architecture,
	layout: readonly ParameterGroup[],
	standardisation: ReadonlyMap<string, Standardisation>,
	options: { provider: Provider; threads: number },
): Promise<Session> {
	const g = new GraphBuilder('predict/');
	for (const group of layout) unpack(g, group, g.input(`state/${group.name}`, 'float32', [1, group.size]));
	const shapes = new Map(architecture.modalities.map(({ name, shape }) => [name, shape]));
	const embeddings = embed(g, architecture, {
		x: (m) => standardised(g, g.input(`x.${m}`, 'float32', ['batch', ...(shapes.get(m) as number[])]), standardisation.get(m) ?? null),
		mask: (m) => g.input(`mask.${m}`, 'float32', ['batch', shapes.get(m)?.[0] as number]),
		parameter: (name) => g.value(name),
	});
	const weights = architecture.modalities.map(({ name }) => g.input(`w.${name}`, 'float32', ['batch', 1]));
	g.output('logits', fuse(g, architecture, embeddings, weights, (name) => g.value(name)));
	return createSession(encodeModel({ graph: g.build('predict'), opset: OPSET }), options);
}

/** Parameters by group, as `state/<group>`. */
export type Parameters = Readonly<Record<string, Tensor>>;
