import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Provider, type Session, type Tensor } from '@steelyard/runtime';
import { type Architecture, embed, fuse, parametersOf } from './architecture.js';
import { layOut, unpack } from './parameter-layout.js';
import { type Standardisation, standardised } from './standardise.js';

/** Parameters as the state of a training program, `state/<group>`. */
export type Parameters = Readonly<Record<string, Tensor>>;

type Options = { readonly provider: Provider; readonly threads: number };

/** A builder that has every parameter under its name, taken from inputs `state/<group>`. */
function withParameters(architecture: Architecture): { g: GraphBuilder; parameter: (name: string) => Value } {
	const g = new GraphBuilder('predict/');
	for (const group of layOut(parametersOf(architecture))) unpack(g, group, g.input(`state/${group.name}`, 'float32', [1, group.size]));
	return { g, parameter: (name) => g.value(name) };
}

const load = (g: GraphBuilder, options: Options): Promise<Session> =>
	createSession(encodeModel({ graph: g.build('predict'), opset: OPSET }), { ...options, optimisation: 'all' }); // fuses activations: 10 % here

/** `x.<modality>` `[batch, …]`, raw, and `mask.<modality>` `[batch, steps]` in; `embedding.<modality>` `[batch, width]` out. */
export function compileEmbedProgram(
	architecture: Architecture,
	standardisation: ReadonlyMap<string, Standardisation>,
	options: Options,
): Promise<Session> {
	const { g, parameter } = withParameters(architecture);
	const shapes = new Map(architecture.modalities.map(({ name, shape }) => [name, shape]));
	const embeddings = embed(g, architecture, {
		x: (m) => standardised(g, g.input(`x.${m}`, 'float32', ['batch', ...(shapes.get(m) as number[])]), standardisation.get(m) ?? null),
		mask: (m) => g.input(`mask.${m}`, 'float32', ['batch', shapes.get(m)?.[0] as number]),
		parameter,
	});
	architecture.modalities.forEach(({ name }, m) => g.output(`embedding.${name}`, embeddings[m] as Value));
	return load(g, options);
}

/** `embedding.<modality>` `[batch, width]` and `w.<modality>` `[batch, 1]` in; `logits` `[batch, outputs]` out. */
export function compileFuseProgram(architecture: Architecture, width: number, options: Options): Promise<Session> {
	const { g, parameter } = withParameters(architecture);
	const { modalities } = architecture;
	const embeddings = modalities.map(({ name }) => g.input(`embedding.${name}`, 'float32', ['batch', width]));
	const weights = modalities.map(({ name }) => g.input(`w.${name}`, 'float32', ['batch', 1]));
	g.output('logits', fuse(g, architecture, embeddings, weights, parameter));
	return load(g, options);
}
