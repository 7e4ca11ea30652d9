import { createSession, RuntimeError } from '@steelyard/runtime';
import { encodeModel } from '../encode.js';
import { allValues, type Graph, type Node, OPSET, type Value } from '../graph.js';

/** What of a node decides whether there is a kernel: its operator, attributes and the types of its inputs. */
const kindOf = (node: Node, inputs: readonly Value[]): string =>
	JSON.stringify([node.op, Object.entries(node.attributes), inputs.map(({ dtype, shape }) => [dtype, shape])]);

/** A node as a graph of its own: constants stay what they are. */
function alone(node: Node, values: ReadonlyMap<string, Value>, { initializers }: Graph): Graph {
	const constants = new Map([...initializers].filter(([name]) => node.inputs.includes(name)));
	const inputs = [...new Set(node.inputs)].filter((name) => name !== '' && !constants.has(name));
	const typed = (names: readonly string[]) => names.flatMap((name) => values.get(name) ?? []);
	return {
		name: 'one',
		nodes: [node],
		inputs: typed(inputs),
		outputs: typed(node.outputs.filter((name) => name !== '')),
		initializers: constants,
		values: new Map(),
	};
}

/** The nodes of which the WebGPU provider has no kernel: the first of each kind. It loads each kind as a model of its own, so it takes seconds; the provider itself does not say. */
export async function withoutKernel(graph: Graph): Promise<Node[]> {
	const values = allValues(graph);
	const kinds = new Set<string>();
	const found: Node[] = [];
	for (const node of graph.nodes) {
		const one = alone(node, values, graph);
		const kind = kindOf(node, one.inputs);
		if (kinds.has(kind)) continue;
		kinds.add(kind);
		try {
			const session = await createSession(encodeModel({ graph: one, opset: OPSET }), { provider: 'webgpu', wholly: true });
			await session.release();
		} catch (error) {
			if (!(error instanceof RuntimeError)) throw error;
			if (error.code === 'no_kernel' || error.code === 'model_refused') found.push(node);
		}
	}
	return found;
}
