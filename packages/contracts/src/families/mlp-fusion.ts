import { type Static, Type } from 'typebox';
import { ProblemError } from '../problems.js';
import type { Family, JobParts } from './family.js';

export const FUSIONS = ['concatenation', 'tensor', 'low-rank-tensor', 'gated', 'cross-attention', 'late-average'] as const;

/** Heads of cross-attention where a config names none. */
export const DEFAULT_HEADS = 4;

/** How many numbers the tensor of one instance may have, for the fusion `tensor`. */
const LARGEST_TENSOR = 20_000;
/** Width of the projections before the tensor where a config names none and the tensor is not too large. */
const DEFAULT_TENSOR_WIDTH = 16;

/** Config of the family `mlp-fusion`: one encoder per modality, a fusion of the weighted embeddings, a head. */
export const MlpFusionConfig = Type.Object(
	{
		family: Type.Unsafe<'mlp-fusion'>({
			type: 'string',
			enum: ['mlp-fusion'],
			default: 'mlp-fusion',
			description: 'an MLP per modality, a fusion, an MLP on top',
		}),
		hidden: Type.Integer({ minimum: 1, maximum: 8192, default: 128, description: 'width of every hidden layer and of every embedding' }),
		encoder_layers: Type.Integer({ minimum: 1, maximum: 8, default: 2, description: 'linear layers of each encoder' }),
		head_layers: Type.Integer({
			minimum: 1,
			maximum: 8,
			default: 2,
			description: 'linear layers of the head, the output layer among them',
		}),
		dropout: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description: 'probability with which training drops a number of a hidden layer or embedding, after its ReLU; 0 unless given',
			}),
		),
		input_dropout: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description: 'probability with which training drops a number that an encoder reads; 0 unless given',
			}),
		),
		pooling: Type.Optional(
			Type.Unsafe<'attention' | 'statistics'>({
				type: 'string',
				enum: ['attention', 'statistics'],
				description:
					'how a sequence becomes a vector: attention (unless given) over the encoded steps, or statistics, an encoder of the mean, last, largest and least value of each feature',
			}),
		),
		fusion: Type.Optional(
			Type.Unsafe<(typeof FUSIONS)[number]>({
				type: 'string',
				enum: [...FUSIONS],
				description: 'how the embeddings are joined; concatenation unless given',
			}),
		),
		rank: Type.Optional(
			Type.Integer({ minimum: 1, maximum: 256, description: 'rank of the product, for low-rank-tensor; 4 unless given' }),
		),
		heads: Type.Optional(
			Type.Integer({ minimum: 1, maximum: 256, description: 'attention heads, a divisor of hidden, for cross-attention; 4 unless given' }),
		),
		tensor_width: Type.Optional(
			Type.Integer({
				minimum: 1,
				maximum: 256,
				description:
					'width to which an embedding is projected, for tensor; (tensor_width + 1) to the power of the number of modalities may be at most 20,000; 16, or the largest width below that is allowed, unless given',
			}),
		),
	},
	{ additionalProperties: false, default: {} },
);
export type MlpFusionConfig = Static<typeof MlpFusionConfig>;

/** Numbers of the outer product of `count` projections of `width`, each with a 1 appended. */
const tensorSize = (width: number, count: number): number => (width + 1) ** count;

/** The largest width of the projections, up to the default, at which the tensor of `count` modalities is not too large; 1 where none is. */
function widestTensor(count: number): number {
	let width = DEFAULT_TENSOR_WIDTH;
	while (width > 1 && tensorSize(width, count) > LARGEST_TENSOR) width--;
	return width;
}

/** The width to which the fusion `tensor` of `count` modalities projects each embedding. */
export const tensorWidth = ({ tensor_width }: Pick<MlpFusionConfig, 'tensor_width'>, count: number): number =>
	tensor_width ?? widestTensor(count);

function* specProblems({ fusion, hidden, heads = DEFAULT_HEADS }: MlpFusionConfig): Iterable<ProblemError> {
	if (fusion === 'cross-attention' && hidden % heads !== 0)
		yield new ProblemError('invalid_request', `model.heads must divide model.hidden (${hidden}), found ${heads}`, 'model.heads');
}

/** The tensor of all modalities is not too large. */
function* tensorProblems(config: MlpFusionConfig, { modalities: { length: count } }: JobParts): Iterable<ProblemError> {
	if (config.fusion !== 'tensor') return;
	const width = tensorWidth(config, count);
	const size = tensorSize(width, count);
	if (size <= LARGEST_TENSOR) return;
	const isTooManyModalities = tensorSize(1, count) > LARGEST_TENSOR;
	yield new ProblemError(
		'invalid_request',
		`The tensor of ${count} modalities at model.tensor_width ${width} has (${width} + 1)^${count} = ${size} numbers per instance, expected at most ${LARGEST_TENSOR}; choose ${isTooManyModalities ? '' : `${widestTensor(count)} or less, or `}the fusion low-rank-tensor`,
		isTooManyModalities ? 'model.fusion' : 'model.tensor_width',
	);
}

export const mlpFusion: Family<'mlp-fusion', typeof MlpFusionConfig> = {
	name: 'mlp-fusion',
	schema: MlpFusionConfig,
	specProblems,
	dataProblems: tensorProblems,
};
