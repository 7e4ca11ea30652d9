import { type Static, Type } from 'typebox';

export const FUSIONS = ['concatenation', 'tensor', 'low-rank-tensor', 'gated', 'cross-attention', 'late-average'] as const;

/** For cross-attention, where a config names none. */
export const DEFAULT_HEADS = 4;

/** Config of the family `mlp-fusion`: an encoder a modality, a fusion of the weighted embeddings, a head. */
export const MlpFusionConfig = Type.Object(
	{
		family: Type.Unsafe<'mlp-fusion'>({ type: 'string', enum: ['mlp-fusion'], default: 'mlp-fusion' }),
		hidden: Type.Integer({ minimum: 1, maximum: 8192, default: 128, description: 'width of every hidden layer and of every embedding' }),
		encoder_layers: Type.Integer({ minimum: 1, maximum: 8, default: 2, description: 'linear layers of each encoder' }),
		head_layers: Type.Integer({
			minimum: 1,
			maximum: 8,
			default: 2,
			description: 'linear layers of the head, the output layer among them',
		}),
		dropout: Type.Optional(
			Type.Number({ minimum: 0, exclusiveMaximum: 1, description: 'of hidden layers, after their ReLU, in training; 0 unless given' }),
		),
		input_dropout: Type.Optional(
			Type.Number({ minimum: 0, exclusiveMaximum: 1, description: 'of the inputs of the encoders, in training; 0 unless given' }),
		),
		pooling: Type.Optional(
			Type.Unsafe<'attention' | 'statistics'>({
				type: 'string',
				enum: ['attention', 'statistics'],
				description:
					'of a sequence: attention (unless given) over the encoded steps, or an encoder of the mean, last, largest and least value of each feature',
			}),
		),
		fusion: Type.Optional(
			Type.Unsafe<(typeof FUSIONS)[number]>({ type: 'string', enum: [...FUSIONS], description: 'concatenation unless given' }),
		),
		rank: Type.Optional(Type.Integer({ minimum: 1, maximum: 256, description: 'for low-rank-tensor; 4 unless given' })),
		heads: Type.Optional(
			Type.Integer({ minimum: 1, maximum: 256, description: 'for cross-attention, a divisor of hidden; 4 unless given' }),
		),
		tensor_width: Type.Optional(
			Type.Integer({
				minimum: 1,
				maximum: 256,
				description:
					'for tensor: the width to which an embedding is projected; (tensor_width + 1) to the power of the modalities may be 20,000. 16, or the largest below that is allowed, unless given',
			}),
		),
	},
	{ additionalProperties: false, default: {} },
);
export type MlpFusionConfig = Static<typeof MlpFusionConfig>;
