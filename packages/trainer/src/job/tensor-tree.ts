import type { Tensor } from '@steelyard/runtime';

/** Tensors by name, in groups by name, to any depth. Names may be any text. */
export type TensorTree = { readonly [name: string]: Tensor | TensorTree };

const isTensor = (value: Tensor | TensorTree): value is Tensor => 'data' in value && 'dtype' in value;
// as in a JSON pointer (RFC 6901), so that a name may hold the separator
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~');

/** The name under which `flattened` puts the tensor that these names lead to. */
export const pathTo = (...names: readonly string[]): string => names.map(escaped).join('/');

/** The tensors of a tree in one flat list, as a safetensors file has them: each under the names that lead to it, joined by `/`. */
export function flattened(tree: TensorTree, prefix = ''): Map<string, Tensor> {
	const tensors = new Map<string, Tensor>();
	for (const [name, value] of Object.entries(tree)) {
		const path = `${prefix}${escaped(name)}`;
		if (isTensor(value)) tensors.set(path, value);
		else for (const [inner, tensor] of flattened(value, `${path}/`)) tensors.set(inner, tensor);
	}
	return tensors;
}

/** The last of the names that lead to a tensor. */
export const lastOf = (path: string): string => unescaped(path.slice(path.lastIndexOf('/') + 1));

/** The tree that `flattened` made a list of. A group without any tensor is not there. */
export function treeOf(tensors: ReadonlyMap<string, Tensor>): TensorTree {
	const root: Record<string, Tensor | TensorTree> = Object.create(null);
	for (const [path, tensor] of tensors) {
		const names = path.split('/').map(unescaped);
		const last = names.pop() as string;
		let at = root;
		for (const name of names) at = (at[name] ??= Object.create(null) as TensorTree) as Record<string, Tensor | TensorTree>;
		at[last] = tensor;
	}
	return root;
}
