import { type ForwardContext, type ModalityInput, type ModalityShape, ofEncoder, type ParameterSpec } from '@steelyard/family';
import type { Dim, Value } from '@steelyard/onnx';
import { attentionPooling } from './attention-pooling.js';
import { matrix } from './matrix.js';
import { perceptron, perceptronParameters } from './perceptron.js';
import type { Settings } from './settings.js';
import { STATISTICS, statisticsPooling } from './statistics-pooling.js';

const numbersOf = (shape: readonly number[]): number => shape.reduce((product, axis) => product * axis, 1);

/** `encoder.<modality>.<i>`, and `encoder.<modality>.score` for attention pooling. */
export function encoderParameters({ hidden, encoder_layers, pooling }: Settings, { name, shape }: ModalityShape): ParameterSpec[] {
	const sequence = shape.length === 2;
	const features = sequence ? (shape[1] as number) : numbersOf(shape);
	const inputs = sequence && pooling === 'statistics' ? STATISTICS * features : features;
	const layers = perceptronParameters(`encoder.${name}`, [inputs, ...Array.from({ length: encoder_layers }, () => hidden)]);
	return ofEncoder(name, !sequence || pooling === 'statistics' ? layers : [...layers, matrix(`encoder.${name}.score`, hidden, 1)]);
}

/** The embedding `[batch, hidden]` of a vector, of a sequence by its pooling, or of an instance of more axes, which is read as one vector. */
export function encode(context: ForwardContext, settings: Settings, { name, shape }: ModalityShape, { x, mask }: ModalityInput): Value {
	const { g, parameter } = context;
	const layers = (values: Value): Value =>
		perceptron(context, context.dropout(values, settings.input_dropout), {
			name: `encoder.${name}`,
			count: settings.encoder_layers,
			dropout: settings.dropout,
		});
	if (shape.length === 1) return layers(x);
	if (shape.length > 2) return layers(g.reshape(x, [x.shape[0] as Dim, numbersOf(shape)]));
	if (settings.pooling === 'statistics') {
		const embedding = layers(statisticsPooling(g, x, mask));
		return mask === null ? embedding : g.mul(embedding, g.reduce('ReduceMax', mask, [1]));
	}
	const [steps, features] = shape as [number, number];
	const batch = x.shape[0] as Dim;
	const rows = typeof batch === 'number' ? batch * steps : `${batch}*${steps}`;
	const h = g.op('Relu', [layers(g.reshape(x, [rows, features]))]);
	return attentionPooling(g, h, { batch, steps, mask, score: parameter(`encoder.${name}.score`) });
}
