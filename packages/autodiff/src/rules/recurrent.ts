import { asScan } from '../recurrent/as-scan.js';
import type { Rule, Rules } from '../rule.js';

/** The node gives way to its form as a Scan, through which the walk then goes: only there, so that one that needs no gradient stays the runtime's own. */
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
