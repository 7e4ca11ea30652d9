import { rules, zeros } from '@steelyard/autodiff';
import { composites, flatNodes, type Graph, type OperatorUse, operatorUses, unknownDomain } from '@steelyard/onnx';

/** Operators that `canonicalise` takes out of a graph where it can, so that their names alone say nothing. */
const removable: ReadonlySet<string> = new Set(
	'SplitToSequence SequenceAt SequenceConstruct ConcatFromSequence Optional OptionalGetElement'.split(' '),
);
const passes = (op: string): boolean =>
	op === 'Carry' || Object.hasOwn(rules, op) || Object.hasOwn(zeros, op) || Object.hasOwn(composites, op) || removable.has(op);

/**
 * The operators of a graph, as it was read, that prevent training: those without a gradient on a path from a parameter to an output, and those of domains that the
 * runtime does not know, wherever they stand.
 */
export function operatorsInTheWay(graph: Graph, parameters: readonly string[]): OperatorUse[] {
	const nodes = flatNodes(graph);
	const active = new Set(parameters);
	const isIn = (names: ReadonlySet<string>) => (name: string) => name !== '' && names.has(name);
	for (const { op, inputs, outputs } of nodes)
		if (!Object.hasOwn(zeros, op) && inputs.some(isIn(active))) for (const output of outputs) active.add(output);
	const wanted = new Set(graph.outputs.map(({ name }) => name));
	const inTheWay = nodes.toReversed().filter(({ op, inputs, outputs }) => {
		if (!outputs.some(isIn(wanted))) return false;
		for (const name of inputs) wanted.add(name);
		return unknownDomain(op) || (!passes(op) && inputs.some(isIn(active)));
	});
	return operatorUses(inTheWay.reverse());
}
