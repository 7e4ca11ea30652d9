import type { ForwardContext, ParameterSpec } from '@steelyard/family';
import { linear, linearParameters } from '@steelyard/layers';
import type { Value } from '@steelyard/onnx';

/** Linear layers `<name>.<i>` that lead from one width to the next. */
export const perceptronParameters = (name: string, widths: readonly number[]): ParameterSpec[] =>
	widths.slice(1).flatMap((width, i) => linearParameters(`${name}.${i}`, widths[i] as number, width));

/** ReLU, and in training dropout. */
export const activated = (context: ForwardContext, x: Value, dropout: number): Value => context.dropout(context.g.op('Relu', [x]), dropout);

/** `count` linear layers with ReLU and dropout between them; the last one is bare. `[rows, inputs]` → `[rows, outputs]`. */
export function perceptron(
	context: ForwardContext,
	x: Value,
	{ name, count, dropout }: { name: string; count: number; dropout: number },
): Value {
	let h = x;
	for (let i = 0; i < count; i++) {
		if (i > 0) h = activated(context, h, dropout);
		h = linear(context, h, `${name}.${i}`);
	}
	return h;
}
