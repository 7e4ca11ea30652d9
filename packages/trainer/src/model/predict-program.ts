import type { Standardisation } from '@steelyard/dataset';
import type { ForwardContext } from '@steelyard/family';
import { encodeModel, type Graph, GraphBuilder, OPSET, type Value } from '@steelyard/onnx';
import { createSession, type Provider, type Session } from '@steelyard/runtime';
import { embed, type FamilyModel, familyOf, fuse, parametersOf } from './family-model.js';
import { forwardContext } from './forward-context.js';
import { layOut, unpack } from './parameter-layout.js';
import { fillMaskOf, fillValues, fillWeight, type Port, port, portInput, portsRead } from './port.js';
import { encodedAs } from './token-modalities.js';
import { embeddingName, maskName, parameterStateName, presenceName, valuesName, weightName } from './value-names.js';

type Options = { readonly provider: Provider; readonly threads: number };

/** A program and the inputs of it that are filled from examples; beside them it takes the parameters as state. */
export type PredictGraph = { readonly graph: Graph; readonly ports: readonly Port[] };

/** A loaded program and the inputs of it that are filled from examples; beside them it takes the parameters as state. */
export type PredictProgram = { readonly session: Session; readonly ports: readonly Port[] };

/** A builder that has every parameter under its name, taken from the state of a training program. */
function withParameters(model: FamilyModel): ForwardContext {
	const g = new GraphBuilder('predict/');
	for (const group of layOut(parametersOf(model))) unpack(g, group, g.input(parameterStateName(group.name), 'float32', [1, group.size]));
	return forwardContext(g, (name) => g.value(name), null);
}

/** From raw values and masks to the embedding of each modality, `[batch, …embeddingShape]`, under `embeddingName`. */
export function embedGraph(model: FamilyModel, standardisation: ReadonlyMap<string, Standardisation>): PredictGraph {
	const context = withParameters(model);
	const { g } = context;
	const ports: Port[] = [];
	const input = (added: Port): Value => {
		ports.push(added);
		return portInput(g, added, ['batch']);
	};
	const modality = (name: string) => model.modalities.find((one) => one.name === name) as FamilyModel['modalities'][number];
	const embeddings = embed(context, model, {
		x: (name) => input(port(valuesName(name), modality(name).shape, fillValues(modality(name)), standardisation.get(name) ?? null)),
		mask: (name) => input(port(maskName(name), [modality(name).shape[0] as number], fillMaskOf(modality(name), 'steps'))),
	});
	model.modalities.forEach(({ name }, m) => g.output(embeddingName(name), embeddings[m] as Value));
	return { graph: g.build('predict'), ports };
}

/** From embeddings, `embeddingName`, and the weight and presence of each modality, `[batch, 1]`, to `logits` `[batch, outputs]`. */
export function fuseGraph(model: FamilyModel): PredictGraph {
	const context = withParameters(model);
	const { g } = context;
	const { modalities } = model;
	const embeddings = modalities.map((modality) =>
		g.input(embeddingName(modality.name), 'float32', [
			'batch',
			...familyOf(model).embeddingShape(model.config, encodedAs(model.config, modality)),
		]),
	);
	const weights = modalities.map(({ name }, m) => port(weightName(name), [1], fillWeight(m, modalities.length)));
	const presences = modalities.map((modality) => port(presenceName(modality.name), [1], fillMaskOf(modality, 'rows')));
	const input = (added: Port | undefined): Value => portInput(g, added as Port, ['batch']);
	const weighted = modalities.map((_, m) => ({ weight: input(weights[m]), present: input(presences[m]) }));
	g.output('logits', fuse(context, model, embeddings, weighted).logits);
	return portsRead(g.build('predict'), [...weights, ...presences]);
}

/** Loads a program. */
export async function loadPredictGraph({ graph, ports }: PredictGraph, options: Options): Promise<PredictProgram> {
	const session = await createSession(encodeModel({ graph, opset: OPSET }), { ...options, optimisation: 'all' }); // fuses activations: 10 % here
	return { session, ports };
}
