import type { AttributeReader, Graph, GraphBuilder, Node, Value } from '@steelyard/onnx';

/**
 * What a rule sees of one node: its values, the gradients of its outputs, and the builder to add nodes with.
 *
 * All rules use the same names. `g` builds the backward pass. `x` is the first input and `y` the first output; where an operator has a name of its own for an
 * input, the rule takes it over (`second: kernel`), and the operands of a product or a sum are a, b and c. `d` before the name of a value is the gradient of the
 * loss by that value: `dy`, `dx`, `dkernel`.
 */
export type RuleContext = AttributeReader & {
	readonly node: Node;
	/** All inputs, null where the node leaves one out, and behind them the values that the bodies of the node capture. */
	readonly inputs: ReadonlyArray<Value | null>;
	/** The first three inputs. */
	readonly x: Value;
	readonly second: Value;
	readonly third: Value | null;
	/** The first output and its gradient. */
	readonly y: Value;
	readonly dy: Value;
	/** All outputs, null where the node leaves one out, and their gradients, null where the loss does not depend on the output. */
	readonly outputs: ReadonlyArray<Value | null>;
	readonly dys: ReadonlyArray<Value | null>;
	readonly g: GraphBuilder;
	/** The builder in which the node stands, where a rule may put other nodes in its place: `g` itself, except in the body of a Scan. */
	readonly forward: GraphBuilder;
	/** Which inputs need a gradient; a rule may skip the others. */
	readonly needs: readonly boolean[];
	/** The numbers of an input that is a constant of the graph; null where it is not constant. */
	known(input: number): number[] | null;
	/** The same. Throws GraphError where it is not constant. */
	constant(input: number): number[];
	/** The node that gives a value of the same graph; undefined for an input or a constant of it, or for a value of the graph around. */
	makerOf(name: string): Node | undefined;
	/** The value of that name, as the rule may read it. */
	valueOf(name: string): Value;
	/** The numbers of a constant of the graph by its name, null for other values. */
	numbersOf(name: string): number[] | null;
	/** Walks back through a graph that belongs to the node: its body, or what takes its place. Gives the gradient of a value by its name, null where there is none. */
	backpropagate(part: Part): (name: string) => Value | null;
};

/** A graph to walk back through. */
export type Part = {
	/** A graph whose values are typed; it may read values of the graph around it. */
	readonly graph: Graph;
	/** The builder in which its nodes stand, and the one to which the nodes of its gradients are added. */
	readonly forward: GraphBuilder;
	readonly g: GraphBuilder;
	/** The gradients from which the walk starts, by the names of values of the graph; those of one name are added. */
	readonly seeds: ReadonlyArray<readonly [string, Value]>;
	/** The names of the values whose gradients are wanted: of the graph, or of the graph around it. */
	readonly wrt: readonly string[];
};

/** Gives the gradient of each input, and behind them of each captured value; null where there is none, as for an index or a shape. */
export type Rule = (context: RuleContext) => ReadonlyArray<Value | null>;

/** Rules by operator. */
export type Rules = Readonly<Record<string, Rule>>;
