import type { MmimMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, type ModalityInput, type ModalityShape, ofEncoder, type ParameterSpec } from '@steelyard/family';
import { encodeSequence, linear, linearParameters, sequenceParameters, sequenceWidth } from '@steelyard/layers';
import type { Value } from '@steelyard/onnx';

/** `encoder.<modality>.`: of a sequence the recurrent cells, then the two layers of the projection, `0` and `1`. */
export function encoderParameters({ width, sequence }: MmimMoeConfig, { name, shape }: ModalityShape): ParameterSpec[] {
	const features = shape.at(-1) as number;
	const isSequence = shape.length === 2;
	return ofEncoder(name, [
		...(isSequence ? sequenceParameters(`encoder.${name}`, features, sequence) : []),
		...linearParameters(`encoder.${name}.0`, isSequence ? sequenceWidth(sequence) : features, width),
		...linearParameters(`encoder.${name}.1`, width, width),
	]);
}

/** The embedding `[batch, width]` of one modality: of a vector itself, or of the last state of a sequence, through Linear, ReLU and Linear. */
export function encode(
	context: ForwardContext,
	{ sequence }: MmimMoeConfig,
	{ name, shape }: ModalityShape,
	{ x, mask }: ModalityInput,
): Value {
	const state = shape.length === 2 ? encodeSequence(context, x, mask, `encoder.${name}`, sequence) : x;
	const hidden = context.g.op('Relu', [linear(context, state, `encoder.${name}.0`)]);
	return linear(context, hidden, `encoder.${name}.1`);
}
