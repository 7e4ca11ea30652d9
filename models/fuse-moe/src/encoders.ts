import type { FuseMoeConfig } from '@steelyard/contracts';
import { type ForwardContext, type ModalityInput, type ModalityShape, meeting, ofEncoder, type ParameterSpec } from '@steelyard/family';
import {
	encodeSequence,
	evenTimes,
	linear,
	linearParameters,
	type SequenceEncoder,
	sequenceParameters,
	sequenceWidth,
	timeAttention,
	timeAttentionParameters,
} from '@steelyard/layers';
import type { Dim, GraphBuilder, Value } from '@steelyard/onnx';

/** A vector gives one embedding, a sequence `tokens` of them: `[tokens, width]`. */
export const embeddingShape = ({ tokens, width }: FuseMoeConfig, { shape }: ModalityShape): [number, number] => [
	shape.length === 1 ? 1 : tokens,
	width,
];

/** The column of a sequence that holds the times of its steps; null where they are evenly spread. A recurrent network takes that column as a feature like the others. */
const timeColumn = ({ sequence_encoder, time_columns }: FuseMoeConfig, { name }: ModalityShape): number | null =>
	sequence_encoder === 'mtand' && Object.hasOwn(time_columns, name) ? (time_columns[name] as number) : null;

/** The recurrent network of sequences; null for time attention. */
const recurrent = ({ sequence_encoder: cell, bidirectional, hidden }: FuseMoeConfig): SequenceEncoder | null =>
	cell === 'mtand' ? null : { cell, bidirectional, hidden };

/** The parameters of the encoder of one modality. Those of a sequence count as if each of them met every step. */
export const encoderParameters = (config: FuseMoeConfig, modality: ModalityShape): ParameterSpec[] =>
	ofEncoder(
		modality.name,
		modality.shape.length === 1 ? vectorParameters(config, modality) : meeting('step', stepParameters(config, modality)),
	);

const nameOf = (modality: ModalityShape): string => `encoder.${modality.name}`;

function vectorParameters({ width }: FuseMoeConfig, modality: ModalityShape): ParameterSpec[] {
	const [features] = modality.shape as [number];
	return [...linearParameters(`${nameOf(modality)}.0`, features, width), ...linearParameters(`${nameOf(modality)}.1`, width, width)];
}

function stepParameters(config: FuseMoeConfig, modality: ModalityShape): ParameterSpec[] {
	const name = nameOf(modality);
	const { width, heads, tokens, time_width: timeWidth } = config;
	const features = modality.shape.at(-1) as number;
	const cell = recurrent(config);
	if (cell !== null)
		return [
			...sequenceParameters(`${name}.sequence`, features, cell),
			...linearParameters(`${name}.output`, sequenceWidth(cell), tokens * width),
		];
	const values = timeColumn(config, modality) === null ? features : features - 1;
	return timeAttentionParameters(name, { features: values, timeWidth, heads, width });
}

/** Column `at` of steps `[batch, steps, features]` as `[batch, steps]`, and the other columns. */
function takenOut(g: GraphBuilder, x: Value, at: number): { column: Value; others: Value } {
	const [batch, steps, features] = x.shape as [Dim, number, number];
	const sizes = [at, 1, features - at - 1];
	const parts = g.split(
		x,
		sizes.filter((size) => size > 0),
		2,
	);
	const column = parts.splice(at > 0 ? 1 : 0, 1)[0] as Value;
	return { column: g.reshape(column, [batch, steps]), others: parts.length === 1 ? (parts[0] as Value) : g.concat(parts, 2) };
}

/** Time attention, or the state of a recurrent network after the last step in a linear layer that gives all tokens. */
function encodeSteps(context: ForwardContext, config: FuseMoeConfig, modality: ModalityShape, { x, mask }: ModalityInput): Value {
	const { g } = context;
	const name = nameOf(modality);
	const cell = recurrent(config);
	if (cell !== null) {
		const state = encodeSequence(context, x, mask, `${name}.sequence`, cell);
		return g.reshape(linear(context, state, `${name}.output`), [x.shape[0] as Dim, config.tokens, config.width]);
	}
	const at = timeColumn(config, modality);
	const { column: times, others: values } =
		at === null ? { column: evenTimes(g, modality.shape[0] as number), others: x } : takenOut(g, x, at);
	return timeAttention(context, { values, times, mask }, name, { heads: config.heads, points: config.tokens });
}

/** The embeddings of one modality, `[batch, …embeddingShape]`: of a vector Linear-ReLU-Linear. */
export function encode(context: ForwardContext, config: FuseMoeConfig, modality: ModalityShape, input: ModalityInput): Value {
	if (modality.shape.length === 2) return encodeSteps(context, config, modality, input);
	const name = nameOf(modality);
	const hidden = context.g.op('Relu', [linear(context, input.x, `${name}.0`)]);
	return context.g.reshape(linear(context, hidden, `${name}.1`), [input.x.shape[0] as Dim, ...embeddingShape(config, modality)]);
}
