import { type GraphBuilder, GraphError, type Node, type Value } from '@steelyard/onnx';

/** What a rule sees of one node: its values, the gradient of its output, and the builder to add nodes with. */
export type RuleContext = {
	readonly node: Node;
	/** Inputs; null where an optional one is left out. */
	readonly inputs: ReadonlyArray<Value | null>;
	/** The first three inputs by their usual names. */
	readonly a: Value;
	readonly b: Value;
	readonly c: Value | null;
	/** The first output and its gradient. */
	readonly y: Value;
	readonly dy: Value;
	/** All outputs, null where left out, and their gradients, null where the loss does not depend on it. */
	readonly outputs: ReadonlyArray<Value | null>;
	readonly dys: ReadonlyArray<Value | null>;
	readonly g: GraphBuilder;
	/** Which inputs need a gradient; a rule may skip the others. */
	readonly needs: readonly boolean[];
	int(name: string, otherwise: number): number;
	float(name: string, otherwise: number): number;
	ints(name: string): readonly number[] | null;
	/** The numbers of an input that is a constant of the graph. Throws GraphError when it is not one. */
	constant(input: number): number[];
};

/** Gives the gradient of each input, null where there is none (an index, a shape). */
export type Rule = (context: RuleContext) => ReadonlyArray<Value | null>;

/** Rules by operator. */
export type Rules = Readonly<Record<string, Rule>>;

/** Attributes of a node read with their defaults. */
export function attributesOf(node: Node): Pick<RuleContext, 'int' | 'float' | 'ints'> {
	const read = (name: string, type: string): unknown => {
		const attribute = node.attributes[name];
		if (attribute === undefined) return undefined;
		if (attribute.type !== type)
			throw new GraphError(
				'malformed_model',
				`attribute "${name}" of node "${node.name}" is ${attribute.type}, expected ${type}`,
				node.name,
			);
		return attribute.value;
	};
	return {
		int: (name, otherwise) => (read(name, 'int') as number | undefined) ?? otherwise,
		float: (name, otherwise) => (read(name, 'float') as number | undefined) ?? otherwise,
		ints: (name) => (read(name, 'ints') as readonly number[] | undefined) ?? null,
	};
}
