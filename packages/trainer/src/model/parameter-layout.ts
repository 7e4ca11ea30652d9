import type { GraphBuilder, Value } from '@steelyard/onnx';
import { sizeOf, type Tensor } from '@steelyard/runtime';
import type { Architecture, ParameterShape } from './architecture.js';

/** Parameters that lie one after another in one flat vector `[1, size]`. */
export type ParameterGroup = { readonly name: string; readonly size: number; readonly members: readonly ParameterShape[] };

/** Up to this many elements a parameter shares a vector with others: there an operator costs more than its arithmetic. */
const SMALL = 8192;

const group = (name: string, members: readonly ParameterShape[]): ParameterGroup => ({
	name,
	members,
	size: members.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
});

/** Small parameters in one group, every large one in its own; in the order of `parameters`. */
export function layOut(parameters: readonly ParameterShape[]): ParameterGroup[] {
	const small = parameters.filter(({ shape }) => sizeOf(shape) <= SMALL);
	const large = parameters.filter(({ shape }) => sizeOf(shape) > SMALL);
	return [...(small.length > 0 ? [group('small', small)] : []), ...large.map((parameter) => group(parameter.name, [parameter]))];
}

/** The state of a model beside that of its optimizer: groups of parameters, and one of running statistics where it has any. */
export const layoutOf = ({ parameters, running }: Architecture): { trained: ParameterGroup[]; running: ParameterGroup[] } => ({
	trained: layOut(parameters),
	running: running.length === 0 ? [] : [group('running', running)],
});

/** Adds the parameters of a group, by their names, as views of its vector. */
export function unpack(g: GraphBuilder, group: ParameterGroup, vector: Value): void {
	const parts =
		group.members.length === 1
			? [vector]
			: g.split(
					vector,
					group.members.map(({ shape }) => sizeOf(shape)),
					1,
				);
	group.members.forEach(({ name, shape }, i) => g.node('Reshape', [parts[i] as Value, g.ints(shape)], [{ name, dtype: 'float32', shape }]));
}

/** The vector of a group from values by parameter name. */
export function pack(g: GraphBuilder, group: ParameterGroup, valueOf: (name: string) => Value): Value {
	const flat = group.members.map(({ name, shape }) => g.reshape(valueOf(name), [1, sizeOf(shape)]));
	return flat.length === 1 ? (flat[0] as Value) : g.concat(flat, 1);
}

/** Parameters by name, as copies out of the vectors by group. */
export function parametersFrom(layout: readonly ParameterGroup[], vectors: (group: string) => Float32Array): Map<string, Tensor> {
	const parameters = new Map<string, Tensor>();
	for (const group of layout) {
		let offset = 0;
		for (const { name, shape } of group.members) {
			parameters.set(name, { dtype: 'float32', shape, data: vectors(group.name).slice(offset, offset + sizeOf(shape)) });
			offset += sizeOf(shape);
		}
	}
	return parameters;
}
