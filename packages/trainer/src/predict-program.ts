import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Provider, type Session } from '@steelyard/runtime';
import { embed, type FamilyModel, fuse, parametersOf } from './family-model.js';
import { layOut, unpack } from './parameter-layout.js';
import { type Standardisation, standardised } from './standardise.js';

type Options = { readonly provider: Provider; readonly threads: number };

/** A builder that has every parameter under its name, taken from inputs `state/<group>`. */
function withParameters(model: FamilyModel): { g: GraphBuilder; parameter: (name: string) => Value } {
	const g = new GraphBuilder('predict/');
	for (const group of layOut(parametersOf(model))) unpack(g, group, g.input(`state/${group.name}`, 'float32', [1, group.size]));
	return { g, parameter: (name) => g.value(name) };
}

const load = (g: GraphBuilder, options: Options): Promise<Session> =>
	createSession(encodeModel({ graph: g.build('predict'), opset: OPSET }), { ...options, optimisation: 'all' }); // fuses activations: 10 % here

/** `x.<modality>` `[batch, …]`, raw, and `mask.<modality>` `[batch, steps]` in; `embedding.<modality>` `[batch, width]` out. */
export function compileEmbedProgram(
	model: FamilyModel,
	standardisation: ReadonlyMap<string, Standardisation>,
	options: Options,
): Promise<Session> {
	const { g, parameter } = withParameters(model);
	const shapes = new Map(model.modalities.map(({ name, shape }) => [name, shape]));
	const embeddings = embed(g, model, {
		x: (m) => standardised(g, g.input(`x.${m}`, 'float32', ['batch', ...(shapes.get(m) as number[])]), standardisation.get(m) ?? null),
		mask: (m) => g.input(`mask.${m}`, 'float32', ['batch', shapes.get(m)?.[0] as number]),
		parameter,
	});
	model.modalities.forEach(({ name }, m) => g.output(`embedding.${name}`, embeddings[m] as Value));
	return load(g, options);
}

/** `embedding.<modality>` `[batch, width]` and `w.<modality>` `[batch, 1]` in; `logits` `[batch, outputs]` out. */
export function compileFuseProgram(model: FamilyModel, width: number, options: Options): Promise<Session> {
	const { g, parameter } = withParameters(model);
	const { modalities } = model;
	const embeddings = modalities.map(({ name }) => g.input(`embedding.${name}`, 'float32', ['batch', width]));
	const weights = modalities.map(({ name }) => g.input(`w.${name}`, 'float32', ['batch', 1]));
	g.output('logits', fuse(g, model, embeddings, weights, parameter));
	return load(g, options);
}
