import { asScan } from '../recurrent/as-scan.js';
import type { Rule, Rules } from '../rule.js';

/** Puts the form as a Scan in the place of the node and walks back through that; a node that needs no gradient stays the runtime's own operator. */
const throughScan: Rule = (context) => {
	const { node, inputs, dys, g, forward, needs } = context;
	const form = asScan(forward.nested(), node, inputs);
	forward.replace(node, form);
	const gradientOf = context.backpropagate({
		graph: form,
		forward,
		g,
		seeds: node.outputs.flatMap((name, i) => (dys[i] ? [[name, dys[i]] as const] : [])),
		wrt: node.inputs.filter((_, i) => needs[i]),
	});
	// a value that stands twice among the inputs has one gradient
	return node.inputs.map((name, i) => (needs[i] && node.inputs.indexOf(name) === i ? gradientOf(name) : null));
};

export const recurrent: Rules = { LSTM: throughScan, GRU: throughScan, RNN: throughScan };
