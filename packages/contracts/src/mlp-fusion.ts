import { type Static, Type } from 'typebox';

/** Config of the family `mlp-fusion`: an encoder a modality, weighted embeddings concatenated, a head. */
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
	},
	{ additionalProperties: false, default: {} },
);
export type MlpFusionConfig = Static<typeof MlpFusionConfig>;
