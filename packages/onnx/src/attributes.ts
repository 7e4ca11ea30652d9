import { type Attribute, GraphError, type Node } from './graph.js';

type ValueOf<Type extends Attribute['type']> = { [A in Attribute as A['type']]: A['value'] }[Type];

function read<Type extends Attribute['type']>(node: Node, name: string, type: Type): ValueOf<Type> | undefined {
	const attribute = node.attributes[name];
	if (attribute === undefined) return undefined;
	if (attribute.type !== type)
		throw new GraphError(
			'malformed_model',
			`attribute "${name}" of node "${node.name}" (${node.op}) is ${attribute.type}, expected ${type}`,
			node.name,
		);
	return attribute.value as ValueOf<Type>;
}

/**
 * Reads the attributes of a node. Where the node leaves one out, a single value has the default that the caller gives, and a list is null. Throws GraphError
 * `malformed_model` for an attribute of another type.
 */
export const readAttributes = (node: Node) => ({
	int: (name: string, otherwise: number): number => read(node, name, 'int') ?? otherwise,
	float: (name: string, otherwise: number): number => read(node, name, 'float') ?? otherwise,
	text: (name: string, otherwise: string): string => read(node, name, 'string') ?? otherwise,
	ints: (name: string): readonly number[] | null => read(node, name, 'ints') ?? null,
	floats: (name: string): readonly number[] | null => read(node, name, 'floats') ?? null,
	texts: (name: string): readonly string[] | null => read(node, name, 'strings') ?? null,
	has: (name: string): boolean => node.attributes[name] !== undefined,
});

export type AttributeReader = ReturnType<typeof readAttributes>;

/** The same node without the named attributes. */
export const withoutAttributes = (node: Node, ...names: readonly string[]): Node => ({
	...node,
	attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))),
});

/** The same node with more attributes, or with other values for those that it has. */
export const withAttributes = (node: Node, attributes: Node['attributes']): Node => ({
	...node,
	attributes: { ...node.attributes, ...attributes },
});
