import type { AttributeReader, Graph, GraphBuilder, Node, Value } from '@steelyard/onnx';

/** What a rule sees of one node: its values, the gradient of its output, and the builder to add nodes with. */
export type RuleContext = AttributeReader & {
	readonly node: Node;
	/** Inputs; null where an optional one is left out. Behind them the values that the bodies of the node capture. */
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
	/** The builder in which the node stands (`g` itself, but in the body of a Scan): there a rule may put other nodes in its place. */
	readonly forward: GraphBuilder;
	/** Which inputs need a gradient; a rule may skip the others. */
	readonly needs: readonly boolean[];
	/** The numbers of an input that is a constant of the graph. Throws GraphError when it is not one. */
	constant(input: number): number[];
	/** Walks back through a graph that belongs to the node: its body, or what takes its place. */
	backpropagate(part: Part): (name: string) => Value | null;
};

/** A graph to walk back through. */
export type Part = {
	/** Its values are typed; it may read values that the graph around it has. */
	readonly graph: Graph;
	/** Where its nodes stand, and where those of its gradients go. */
	readonly forward: GraphBuilder;
	readonly g: GraphBuilder;
	/** Gradients of values of the graph, from which the walk starts; a name may stand twice. */
	readonly seeds: ReadonlyArray<readonly [string, Value]>;
	/** The values whose gradients are asked for: of the graph, or of the graph around it. */
	readonly wrt: readonly string[];
};

/** Gives the gradient of each input (and of each captured value behind them), null where there is none (an index, a shape). */
export type Rule = (context: RuleContext) => ReadonlyArray<Value | null>;

/** Rules by operator. */
export type Rules = Readonly<Record<string, Rule>>;
