import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';
import type { ForwardInputs } from '../model/architecture.js';
import type { Feed } from './feeds.js';

/** A constant `[batch, …row]`, where `like` is `[batch, …]`. */
function filled(g: GraphBuilder, value: number, like: Value, row: readonly number[]): Value {
	const shape: Dim[] = [like.shape[0] as Dim, ...row];
	const rows = g.op('Shape', [like], { start: 0, end: 1 }, { dtype: 'int64', shape: [1] });
	const sizes = row.length === 0 ? rows : g.op('Concat', [rows, g.ints(row)], { axis: 0 }, { shape: [shape.length] });
	return g.op('Expand', [g.scalar(value), sizes], {}, { shape });
}

/** What goes into an input of an uploaded graph, as a value of a builder. `like` is any value `[batch, …]`; `weight` gives `[batch, 1]`. */
export function bind(
	g: GraphBuilder,
	{ dtype, shape, source }: Feed,
	{ x, mask, labels }: ForwardInputs,
	like: Value,
	weight: (modality: string) => Value,
): Value {
	const given = (): Value => {
		switch (source.from) {
			case 'values':
				return x(source.modality);
			case 'mask':
				return mask(source.modality);
			case 'weight':
				return weight(source.modality);
			case 'labels':
				return labels as Value;
			case 'constant':
				return filled(g, source.value, like, shape);
		}
	};
	const value = given();
	return g.cast(g.reshape(value, [value.shape[0] as Dim, ...shape]), dtype);
}
