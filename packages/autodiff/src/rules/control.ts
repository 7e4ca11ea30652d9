import { bodiesOf, type Graph, GraphError, graphsWithin, readsOf, withoutUnused } from '@steelyard/onnx';
import { isFloat } from '../float-types.js';
import type { Rule, Rules } from '../rule.js';
import { asOutputs, zerosOf } from './bodies.js';
import { scan } from './scan.js';

const random = ['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Bernoulli', 'Multinomial'];

/** The first node of a graph, or of the bodies in it, that draws random numbers; undefined where none does. */
export const drawing = (graph: Graph): string | undefined => {
	const node = [...graphsWithin(graph)].flatMap(({ nodes }) => nodes).find(({ op }) => random.includes(op));
	return node && `${node.op} of node "${node.name}"`;
};

/**
 * The gradient of an If is an If on the same condition. Each of its branches runs the forward branch again, as far as the backward pass needs it, and gives the
 * gradients of all that the two branches capture: zeros for what this one does not use.
 */
const branch: Rule = (context) => {
	const { node, inputs, dys, g, needs, x: condition } = context;
	const names = readsOf(node).filter((_, i) => i > 0 && needs[i] && isFloat(inputs[i]));
	const branches = bodiesOf(node).map(([attribute, graph]) => {
		const drawn = drawing(graph);
		if (drawn !== undefined)
			throw new GraphError(
				'unsupported_model',
				`a branch of node "${node.name}" (If) draws random numbers by ${drawn}, which its gradient cannot repeat; expected them to be drawn outside`,
				node.name,
			);
		const back = g.nested();
		back.append(graph);
		const seeds = dys.flatMap((dy, i) => (dy === null ? [] : [[graph.outputs[i]?.name ?? '', dy] as const]));
		const gradientOf = context.backpropagate({ graph, forward: back, g: back, seeds, wrt: names });
		return { attribute, name: graph.name, back, gradients: new Map(names.map((name) => [name, gradientOf(name)])) };
	});
	const reached = names.filter((name) => branches.some(({ gradients }) => gradients.get(name)));
	if (reached.length === 0) return [];
	const outer = new Map(readsOf(node).map((name, i) => [name, inputs[i]]));
	const types = reached.map((name) => outer.get(name)!);
	const bodies = branches.map(({ attribute, name, back, gradients }) => {
		const outputs = asOutputs(
			back,
			reached.map((one, i) => gradients.get(one) ?? zerosOf(back, types[i]!)),
		);
		return [attribute, { type: 'graph', value: withoutUnused({ ...back.build(name), outputs }) }] as const;
	});
	const outputs = types.map(({ dtype, shape }) => g.fresh('If', dtype, shape));
	g.node('If', [condition], outputs, Object.fromEntries(bodies));
	return readsOf(node).map((name, i) => (i === 0 ? null : (outputs[reached.indexOf(name)] ?? null)));
};

export const control: Rules = {
	Scan: scan,
	If: branch,
	// canonicalise makes a Scan of every Loop that it does not refuse
	Loop: ({ node }) => {
		throw new GraphError('unsupported_model', `node "${node.name}" is a Loop, expected a Scan: canonicalise the model first`, node.name);
	},
};
