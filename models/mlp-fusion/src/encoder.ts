import { type ForwardContext, type ModalityInput, type ModalityShape, ofEncoder, type ParameterSpec } from '@steelyard/family';
import type { Dim, Value } from '@steelyard/onnx';
import { attentionPooling } from './attention-pooling.js';
import { matrix } from './matrix.js';
import { perceptron, perceptronParameters } from './perceptron.js';
import type { Settings } from './settings.js';
import { STATISTICS, statisticsPooling } from './statistics-pooling.js';

/** `encoder.<modality>.<i>`, and `encoder.<modality>.score` for attention pooling. */
export function encoderParameters({ hidden, encoder_layers, pooling }: Settings, { name, shape }: ModalityShape): ParameterSpec[] {
	const features = shape.at(-1) as number;
	const sequence = shape.length === 2;
	const inputs = sequence && pooling === 'statistics' ? STATISTICS * features : features;
	const layers = perceptronParameters(`encoder.${name}`, [inputs, ...Array.from({ length: encoder_layers }, () => hidden)]);
	return ofEncoder(name, !sequence || pooling === 'statistics' ? layers : [...layers, matrix(`encoder.${name}.score`, hidden, 1)]);
}

/** The embedding `[batch, hidden]` of a vector, or of a sequence by its pooling. */
export function encode(context: ForwardContext, settings: Settings, { name, shape }: ModalityShape, { x, mask }: ModalityInput): Value {
	const { g, parameter } = context;
	const layers = (values: Value): Value =>
		perceptron(context, context.dropout(values, settings.input_dropout), {
			name: `encoder.${name}`,
			count: settings.encoder_layers,
			dropout: settings.dropout,
		});
	if (shape.length === 1) return layers(x);
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
