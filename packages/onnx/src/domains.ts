import { graphsWithin } from './bodies.js';
import { type Graph, GraphError } from './graph.js';

/** The domains beside the standard one whose operators the runtime has, with the version of each that our models name. */
const versions: Readonly<Record<string, number>> = { 'com.microsoft': 1, 'ai.onnx.ml': 4 };

const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx';

/** The name that an operator has in a graph. */
export const operatorOf = (domain: string, opType: string): string => (isStandard(domain) ? opType : `${domain}.${opType}`);

/** Whether an operator is of another domain than the standard one. */
export const isForeign = (op: string): boolean => op.includes('.');

/** Domain and operator, as a file has them. */
export function partsOfOperator(op: string): { domain: string; opType: string } {
	const dot = op.lastIndexOf('.');
	return { domain: op.slice(0, Math.max(0, dot)), opType: op.slice(dot + 1) };
}

/** The domains beside the standard one whose operators a graph uses, with their versions. */
export function domainsOf(graph: Graph): [domain: string, version: number][] {
	const domains = new Set([...graphsWithin(graph)].flatMap(({ nodes }) => nodes.map(({ op }) => partsOfOperator(op).domain)));
	domains.delete('');
	return [...domains].sort().map((domain) => [domain, versions[domain] ?? 1]);
}

/** How often an operator is used, and by which node first. */
export type OperatorUse = { readonly op: string; readonly count: number; readonly first: string };

/** The operators of some nodes, in the order of their first use. */
export function operatorUses(nodes: Iterable<{ readonly op: string; readonly name: string }>): OperatorUse[] {
	const uses = new Map<string, OperatorUse>();
	for (const { op, name } of nodes) {
		const { count, first } = uses.get(op) ?? { count: 0, first: name };
		uses.set(op, { op, count: count + 1, first });
	}
	return [...uses.values()];
}

/** What stands in the way, in words. */
export const listOperators = (uses: readonly OperatorUse[]): string =>
	uses.map(({ op, count, first }) => `${op} (${count === 1 ? 'node' : `${count} nodes, the first`} "${first}")`).join(', ');

/**
 * Whether the runtime does not know the domain of an operator. The domain of operators that are laid out for one kind of processor counts as unknown: they have no
 * meaning without that processor.
 */
export const unknownDomain = (op: string): boolean => isForeign(op) && !Object.hasOwn(versions, partsOfOperator(op).domain);

/** Throws GraphError `unsupported_operator` that names all operators of domains that the runtime does not know. */
export function checkDomains(graph: Graph): void {
	const unknown = operatorUses([...graphsWithin(graph)].flatMap(({ nodes }) => nodes).filter(({ op }) => unknownDomain(op)));
	if (unknown.length === 0) return;
	const way = unknown.some(({ op }) => op.startsWith('com.microsoft.nchwc.'))
		? 'save the model with the optimisation level ORT_ENABLE_EXTENDED or lower, not ORT_ENABLE_ALL'
		: 'export the model without them, or with functions that define them';
	throw new GraphError(
		'unsupported_operator',
		`the model uses operators that neither ONNX nor the model defines: ${listOperators(unknown)}; ${way}`,
		unknown[0]?.first ?? null,
	);
}
