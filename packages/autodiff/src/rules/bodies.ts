import type { GraphBuilder, Value } from '@steelyard/onnx';

/** Zeros of the type and shape of a value. */
export const zerosOf = (g: GraphBuilder, { dtype, shape }: Pick<Value, 'dtype' | 'shape'>): Value =>
	g.expand(g.scalar(0, dtype), shape as number[]);

/** The values as outputs of the body that `g` builds. A value that no node of the body gives, or that is an output `already`, is copied. */
export function asOutputs(g: GraphBuilder, values: readonly Value[], already: readonly Value[] = []): Value[] {
	const given = new Set(g.build('').nodes.flatMap(({ outputs }) => outputs));
	for (const { name } of already) given.delete(name);
	return values.map((value) => (given.delete(value.name) ? value : g.op('Identity', [value])));
}
