import type { ForwardContext } from '@steelyard/layers';
import { encodeModel, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Provider, type Session } from '@steelyard/runtime';
import { embed, type FamilyModel, familyOf, fuse, parametersOf } from './family-model.js';
import { forwardContext } from './forward-context.js';
import { layOut, unpack } from './parameter-layout.js';
import { type Standardisation, standardised } from './standardise.js';

type Options = { readonly provider: Provider; readonly threads: number };

/** A builder that has every parameter under its name, taken from inputs `state/<group>`. */
function withParameters(model: FamilyModel): ForwardContext {
	const g = new GraphBuilder('predict/');
	for (const group of layOut(parametersOf(model))) unpack(g, group, g.input(`state/${group.name}`, 'float32', [1, group.size]));
	return forwardContext(g, (name) => g.value(name), null);
}

const load = (g: GraphBuilder, options: Options): Promise<Session> =>
	createSession(encodeModel({ graph: g.build('predict'), opset: OPSET }), { ...options, optimisation: 'all' }); // fuses activations: 10 % here

/** `x.<modality>` `[batch, …]`, raw, and `mask.<modality>` `[batch, steps]` in; `embedding.<modality>` `[batch, …embeddingShape]` out. */
export function compileEmbedProgram(
	model: FamilyModel,
	standardisation: ReadonlyMap<string, Standardisation>,
	options: Options,
): Promise<Session> {
	const context = withParameters(model);
	const { g } = context;
	const shapes = new Map(model.modalities.map(({ name, shape }) => [name, shape]));
	const embeddings = embed(context, model, {
		x: (m) => standardised(g, g.input(`x.${m}`, 'float32', ['batch', ...(shapes.get(m) as number[])]), standardisation.get(m) ?? null),
		mask: (m) => g.input(`mask.${m}`, 'float32', ['batch', shapes.get(m)?.[0] as number]),
	});
	model.modalities.forEach(({ name }, m) => g.output(`embedding.${name}`, embeddings[m] as Value));
	return load(g, options);
}

/** `embedding.<modality>` `[batch, …embeddingShape]` and `w.<modality>` `[batch, 1]` in; `logits` `[batch, outputs]` out. */
export function compileFuseProgram(model: FamilyModel, options: Options): Promise<Session> {
	const context = withParameters(model);
	const { g } = context;
	const { modalities } = model;
	const embeddings = modalities.map((modality) =>
		g.input(`embedding.${modality.name}`, 'float32', ['batch', ...familyOf(model).embeddingShape(model.config, modality)]),
	);
	const weights = modalities.map(({ name }) => g.input(`w.${name}`, 'float32', ['batch', 1]));
	g.output('logits', fuse(context, model, embeddings, weights).logits);
	return load(g, options);
}
