import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto } from 'onnx-buf';
import { GraphError } from './graph.js';
import { formChanges } from './operators.js';

/** The most nodes that functions may stand for: a few functions that call each other can stand for more than any memory holds. */
const MOST_NODES = 200_000;

/** The most levels of functions that call functions; no exporter nests them this deep. */
const DEEPEST = 100;

/** The call of a function, in which its nodes stand: the names and attributes that the call gives. */
type Call = {
	/** The name of a value in the function → its name outside. */
	readonly names: ReadonlyMap<string, string>;
	readonly attributes: ReadonlyMap<string, AttributeProto>;
	/** What the names of nodes and values of this call begin with. */
	readonly prefix: string;
	/** The functions from which this one is called, and itself. */
	readonly within: readonly string[];
};

/** A copy of a message with some fields changed; the defaults of absent fields stand in its prototype. */
const changed = <Message extends object>(message: Message, fields: Partial<Message>): Message =>
	Object.assign(Object.create(Object.getPrototypeOf(message) as object) as Message, message, fields);

const isStandard = (domain: string): boolean => domain === '' || domain === 'ai.onnx';
const keyOf = (domain: string, name: string, overload: string): string => `${isStandard(domain) ? '' : domain}.${name}.${overload}`;

export const standardOpset = (imports: ReadonlyArray<{ domain: string; version: bigint }>): number | undefined => {
	const version = imports.find(({ domain }) => isStandard(domain))?.version;
	return version === undefined ? undefined : Number(version);
};

function* definedIn(nodes: readonly NodeProto[]): Generator<string> {
	for (const node of nodes) yield* node.output;
}

class Inliner {
	readonly #functions: ReadonlyMap<string, FunctionProto>;
	readonly #opset: number;
	readonly #taken = new Set<string>();
	#nodes = 0;

	constructor(model: ModelProto, opset: number) {
		this.#functions = new Map(model.functions.map((one) => [keyOf(one.domain, one.name, one.overload), one]));
		this.#opset = opset;
	}

	/** Marks all names of a graph as taken. */
	#take(graph: GraphProto): void {
		for (const { name } of [...graph.input, ...graph.initializer]) this.#taken.add(name);
		for (const node of graph.node) {
			for (const name of node.output) this.#taken.add(name);
			for (const { g } of node.attribute) if (g !== undefined) this.#take(g);
		}
	}

	#prefixOf(node: NodeProto, outer: string): string {
		const stem = `${outer}${node.name || node.opType}`;
		let prefix = `${stem}/`;
		for (let i = 1; this.#taken.has(prefix); i++) prefix = `${stem}_${i}/`;
		this.#taken.add(prefix);
		return prefix;
	}

	#fresh(name: string): string {
		let free = name;
		for (let i = 1; this.#taken.has(free); i++) free = `${name}_${i}`;
		this.#taken.add(free);
		return free;
	}

	/** The attributes of a node in this call. One that refers to an attribute of the function becomes that attribute, or is left out where the call does not give it. */
	#attributes(node: NodeProto, call: Call | null): AttributeProto[] {
		return node.attribute.flatMap((attribute) => {
			if (attribute.refAttrName === '')
				return [attribute.g === undefined ? attribute : changed(attribute, { g: this.#body(attribute.g, call) })];
			if (call === null)
				throw new GraphError(
					'malformed_model',
					`node "${node.name || node.opType}" refers to the attribute "${attribute.refAttrName}" of a function, but stands in none`,
					node.name,
				);
			const given = call.attributes.get(attribute.refAttrName); // made what it is where the call stands
			return given === undefined ? [] : [changed(given, { name: attribute.name })];
		});
	}

	/** A body of control flow; in a function its own names get the prefix of the call. */
	#body(graph: GraphProto, call: Call | null): GraphProto {
		if (call === null) return changed(graph, { node: this.nodes(graph.node, null) });
		const own = [...graph.input.map(({ name }) => name), ...graph.initializer.map(({ name }) => name), ...definedIn(graph.node)];
		const names = new Map([
			...call.names,
			...own.filter((name) => name !== '').map((name) => [name, this.#fresh(call.prefix + name)] as const),
		]);
		const inner = { ...call, names };
		const renamed = <T extends { name: string }>(value: T): T =>
			changed(value, { name: names.get(value.name) ?? value.name } as Partial<T>);
		return changed(graph, {
			node: this.nodes(graph.node, inner),
			input: graph.input.map(renamed),
			output: graph.output.map(renamed),
			initializer: graph.initializer.map(renamed),
			valueInfo: [],
		});
	}

	#nameIn(call: Call | null, name: string, node: NodeProto): string {
		if (call === null || name === '') return name;
		const known = call.names.get(name);
		if (known === undefined)
			throw new GraphError(
				'malformed_model',
				`node "${node.name || node.opType}" of the function ${call.within.at(-1)} takes the value "${name}", which nothing in it gives`,
				name,
			);
		return known;
	}

	nodes(nodes: readonly NodeProto[], call: Call | null): NodeProto[] {
		return nodes.flatMap((node) => {
			if (++this.#nodes > MOST_NODES)
				throw new GraphError('unsupported_model', `the functions of the model stand for more than ${MOST_NODES} nodes`, node.name);
			const placed = changed(node, {
				name: call === null ? node.name : call.prefix + (node.name || node.opType),
				input: node.input.map((name) => this.#nameIn(call, name, node)),
				output: node.output.map((name) => this.#nameIn(call, name, node)),
				attribute: this.#attributes(node, call),
			});
			const definition = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
			return definition === undefined ? [placed] : this.#call(placed, definition, call);
		});
	}

	#call(node: NodeProto, definition: FunctionProto, outer: Call | null): NodeProto[] {
		const title = `${definition.domain}.${definition.name}`;
		const key = keyOf(definition.domain, definition.name, definition.overload);
		const within = outer?.within ?? [];
		if (within.includes(key)) throw new GraphError('malformed_model', `the function ${title} calls itself`, node.name);
		if (within.length >= DEEPEST)
			throw new GraphError('unsupported_model', `the functions of the model call each other more than ${DEEPEST} deep`, node.name);
		if (node.input.length > definition.input.length || node.output.length > definition.output.length)
			throw new GraphError(
				'malformed_model',
				`node "${node.name || node.opType}" calls the function ${title} with ${node.input.length} inputs and ${node.output.length} outputs, expected at most ${definition.input.length} and ${definition.output.length}`,
				node.name,
			);
		this.#checkOpset(definition, title);
		const prefix = this.#prefixOf(node, '');
		const names = new Map(definition.input.map((name, i) => [name, node.input[i] ?? '']));
		const passed: NodeProto[] = [];
		definition.output.forEach((name, i) => {
			const wanted = node.output[i] ?? '';
			if (wanted === '') return;
			// An output may be an input, or stand twice.
			const source = names.get(name);
			if (source === undefined) names.set(name, wanted);
			else passed.push(changed(node, { opType: 'Identity', domain: '', name: '', input: [source], output: [wanted], attribute: [] }));
		});
		for (const name of definedIn(definition.node)) if (name !== '' && !names.has(name)) names.set(name, this.#fresh(prefix + name));
		const attributes = new Map(definition.attributeProto.map((one) => [one.name, one]));
		for (const attribute of node.attribute) attributes.set(attribute.name, attribute);
		return [...this.nodes(definition.node, { names, attributes, prefix, within: [...within, key] }), ...passed];
	}

	/** Refuses a function of another operator set than the model's, unless all its operators have the same form in both. */
	#checkOpset(definition: FunctionProto, title: string): void {
		const opset = standardOpset(definition.opsetImport) ?? this.#opset;
		const [low, high] = [Math.min(opset, this.#opset), Math.max(opset, this.#opset)];
		for (const node of definition.node) {
			const changes = isStandard(node.domain) && Object.hasOwn(formChanges, node.opType) ? formChanges[node.opType] : undefined;
			if ((low < 13 && low !== high && isStandard(node.domain)) || changes?.some((change) => change > low && change <= high))
				throw new GraphError(
					'unsupported_model',
					`the function ${title} is of operator set ${opset}, the model of ${this.#opset}, and its node "${node.name || node.opType}" (${node.opType}) differs between them`,
					node.name || title,
				);
		}
	}

	graph(graph: GraphProto): GraphProto {
		this.#take(graph);
		return changed(graph, { node: this.nodes(graph.node, null) });
	}
}

/**
 * The graph of the model with the nodes of its functions in the place of the calls; their names begin with the name of the calling node. Throws GraphError
 * `malformed_model` for functions that call themselves or are called wrongly, `unsupported_model` for what differs between operator sets.
 */
export const inlineFunctions = (model: ModelProto, graph: GraphProto, opset: number): GraphProto =>
	model.functions.length === 0 ? graph : new Inliner(model, opset).graph(graph);
