import { type Attribute, type Graph, GraphBuilder, type Node, reducedTo, type Shape, type Value, withBodies } from '@steelyard/onnx';
import type { Tensor } from '@steelyard/runtime';
import { constantOfSizes, sizeExpressions } from './constant-of-sizes.js';
import { SizeError } from './size-error.js';

/** The same graph made for several sizes of its free dimensions. */
export type SizedGraphs = {
	/** Names of the free dimensions. */
	readonly dims: readonly string[];
	/** A size of each, for every graph; three at least. */
	readonly samples: readonly (readonly number[])[];
	readonly graphs: readonly Graph[];
	/** The input and axis that has each dimension. */
	readonly places: readonly { readonly input: string; readonly axis: number }[];
};

/** What a name stands for in one of the graphs: a constant, or the value that has this name in the first graph. */
type Meaning = Tensor | string;
type Scope = ReadonlyMap<string, Meaning>;

const isSameArray = (a: Tensor, b: Tensor): boolean => {
	const bytes = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	return a.dtype === b.dtype && String(a.shape) === String(b.shape) && Buffer.compare(bytes(a), bytes(b)) === 0;
};

function isSameAttribute(a: Attribute | undefined, b: Attribute | undefined): boolean {
	if (a === undefined || b === undefined || a.type !== b.type) return false;
	if (a.type === 'graph') return true;
	if (a.type === 'tensor') return isSameArray(a.value, (b as typeof a).value);
	return Object.is(a.value, b.value) || (typeof a.value === 'object' && String(a.value) === String(b.value));
}

/**
 * One graph for all sizes: the graphs, which must have the same nodes in the same order, with every constant that follows the sizes computed from the shapes of the
 * inputs. Throws SizeError, naming the node, where the graphs differ in another way.
 */
export function mergeSizes({ dims, samples, graphs, places }: SizedGraphs): Graph {
	const [base, ...others] = graphs as [Graph, ...Graph[]];
	const g = GraphBuilder.from(base);
	const sizes = sizeExpressions(g, places);

	const symbolic = (shapes: readonly Shape[]): Shape =>
		(shapes[0] as Shape).map((dim, axis) => {
			const found = shapes.map((shape) => shape[axis]);
			if (found.every((size) => size === dim)) return dim;
			return dims.find((_, i) => found.every((size, k) => size === samples[k]?.[i])) ?? '';
		});
	const declared = (of: (graph: Graph) => readonly Value[], all: readonly Graph[]): Value[] =>
		of(all[0] as Graph).map((value, i) => ({ ...value, shape: symbolic(all.map((graph) => of(graph)[i]?.shape ?? [])) }));

	const computed = new Map<string, Value>();
	/** The name of a value or constant as the merged graph has it. */
	function merged(name: string, meanings: readonly (Meaning | undefined)[], node: Node): string {
		const [first, ...rest] = meanings;
		if (first === undefined) return name;
		const differs = (): SizeError => new SizeError(`node "${node.name}" (${node.op}) reads other values`);
		if (typeof first === 'string') {
			if (rest.some((meaning) => meaning !== first)) throw differs();
			return name;
		}
		const constants = meanings.map((meaning) => {
			if (meaning === undefined || typeof meaning === 'string' || meaning.dtype !== first.dtype) throw differs();
			return meaning;
		});
		if (constants.every((constant) => isSameArray(constant, first))) return name;
		const key = constants
			.map(({ dtype, shape, data }) => `${dtype}[${shape}]${data.length <= 64 ? data : `${name} ${node.name}`}`)
			.join(';');
		const known = computed.get(key) ?? constantOfSizes(g, sizes, constants, samples, node);
		computed.set(key, known);
		return known.name;
	}

	function mergedBody(all: readonly Graph[], outer: readonly Scope[], holder: Node | null): Graph {
		const [first, ...rest] = all as [Graph, ...Graph[]];
		if (
			rest.some(
				({ nodes, inputs, outputs }) =>
					nodes.length !== first.nodes.length || inputs.length !== first.inputs.length || outputs.length !== first.outputs.length,
			)
		)
			throw new SizeError(
				holder === null ? 'it has another number of nodes' : `the body of "${holder.name}" (${holder.op}) has another number of nodes`,
			);
		const scopes = all.map((graph, k) => {
			const scope = new Map<string, Meaning>([...(outer[k] ?? []), ...graph.initializers]);
			graph.inputs.forEach(({ name }, i) => scope.set(name, first.inputs[i]?.name ?? name));
			return scope;
		});
		const meaningsOf = (names: readonly (string | undefined)[]): (Meaning | undefined)[] =>
			names.map((name, k) => (name === undefined || name === '' ? undefined : scopes[k]?.get(name)));
		const nodes = first.nodes.map((node, place): Node => {
			const same = all.map(({ nodes }) => nodes[place] as Node);
			for (const other of same) {
				if (other.op !== node.op || other.inputs.length !== node.inputs.length || other.outputs.length !== node.outputs.length)
					throw new SizeError(`it has a node "${node.name}" (${node.op}), or a node "${other.name}" (${other.op})`);
				for (const name of new Set([...Object.keys(node.attributes), ...Object.keys(other.attributes)]))
					if (!isSameAttribute(node.attributes[name], other.attributes[name]))
						throw new SizeError(`the attribute "${name}" of node "${node.name}" (${node.op}) follows it`);
			}
			const inputs = node.inputs.map((name, i) => merged(name, meaningsOf(same.map(({ inputs }) => inputs[i])), node));
			const changed = withBodies({ ...node, inputs }, (_, attribute) =>
				mergedBody(
					same.map(({ attributes }) => (attributes[attribute] as Extract<Attribute, { type: 'graph' }>).value),
					scopes,
					node,
				),
			);
			node.outputs.forEach((name, i) => {
				same.forEach(({ outputs }, k) => void (outputs[i] && scopes[k]?.set(outputs[i], name)));
			});
			return changed;
		});
		const outputs = declared((graph) => graph.outputs, all).map((output, i): Value => {
			const name = merged(
				output.name,
				meaningsOf(all.map(({ outputs }) => outputs[i]?.name)),
				(holder ?? { name: output.name, op: 'output' }) as Node,
			);
			return { ...output, name };
		});
		const graph = { ...first, nodes, outputs, inputs: declared((graph) => graph.inputs, all), values: new Map() };
		return reducedTo(graph, graph.outputs);
	}

	const whole = mergedBody(graphs, others.length === 0 ? [] : graphs.map(() => new Map()), null);
	const built = g.build(base.name);
	const graph = {
		...whole,
		nodes: [...built.nodes.slice(base.nodes.length), ...whole.nodes],
		initializers: new Map([...built.initializers].filter(([name]) => !base.initializers.has(name) || whole.initializers.has(name))),
	};
	return reducedTo(graph, graph.outputs);
}
