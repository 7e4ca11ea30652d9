import type { GraphBuilder, Value } from '@steelyard/onnx';
import { sizeOf, type Tensor } from '@steelyard/runtime';
import type { Architecture, ParameterShape, Parameters } from './architecture.js';
import { parameterStateName } from './value-names.js';

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

/** The state of a program that predicts or trains, from the vectors by group. */
export const parameterState = (parameters: Parameters): Record<string, Tensor> =>
	Object.fromEntries([...parameters].map(([group, vector]) => [parameterStateName(group), vector]));

/** Parameters by their own names, as views of the vectors of their groups. */
export function parametersByName(groups: readonly ParameterGroup[], parameters: Parameters): Map<string, Tensor> {
	const byName = new Map<string, Tensor>();
	for (const { name: group, members } of groups) {
		const vector = (parameters.get(group) as Tensor).data as Float32Array;
		let offset = 0;
		for (const { name, shape } of members) {
			byName.set(name, { dtype: 'float32', shape, data: vector.subarray(offset, offset + sizeOf(shape)) });
			offset += sizeOf(shape);
		}
	}
	return byName;
}

/** The same numbers in arrays of their own. */
export const copied = (parameters: Parameters): Parameters =>
	new Map([...parameters].map(([group, vector]) => [group, { ...vector, data: vector.data.slice() }]));

/** The vectors that begin with these values, by group. */
export const packed = (groups: readonly ParameterGroup[], values: ReadonlyMap<string, ArrayLike<number>>): Parameters =>
	new Map(
		groups.map(({ name, size, members }) => {
			const vector = new Float32Array(size);
			let offset = 0;
			for (const member of members) {
				const value = values.get(member.name) as ArrayLike<number>;
				vector.set(value, offset);
				offset += value.length;
			}
			return [name, { dtype: 'float32', shape: [1, size], data: vector }];
		}),
	);
