import { type Static, Type } from 'typebox';

const choice = <const T extends readonly string[]>(values: T, options: object = {}) =>
	Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options });

/** How a sequence becomes a vector: the last state of a recurrent cell. */
export const SequenceConfig = Type.Object(
	{
		cell: choice(['lstm', 'gru'], { default: 'lstm' }),
		bidirectional: Type.Boolean({ default: true, description: 'also from the last step to the first' }),
		hidden: Type.Integer({ minimum: 1, maximum: 4096, default: 64, description: 'size of the state of each direction' }),
	},
	{ additionalProperties: false, default: {} },
);
export type SequenceConfig = Static<typeof SequenceConfig>;

/** Config of the family `mmim-moe`: an encoder a modality, then layers in which the modalities' embeddings mix and pass a sparse mixture of experts. */
export const MmimMoeConfig = Type.Object(
	{
		family: Type.Unsafe<'mmim-moe'>({ type: 'string', enum: ['mmim-moe'] }),
		width: Type.Integer({ minimum: 1, maximum: 4096, default: 128, description: 'of every embedding and hidden layer' }),
		layers: Type.Integer({ minimum: 1, maximum: 16, default: 2 }),
		block: choice(['attention', 'conv'], { default: 'attention', description: 'how the embeddings of the modalities mix in a layer' }),
		experts: Type.Integer({
			minimum: 1,
			maximum: 256,
			default: 16,
			description: 'a layer; with the router disjoint, a layer and modality',
		}),
		top_k: Type.Integer({ minimum: 1, maximum: 256, default: 2, description: 'experts that an embedding goes to; at most all of them' }),
		expert_hidden: Type.Integer({ minimum: 1, maximum: 16_384, default: 768, description: 'width inside an expert' }),
		router: choice(['joint', 'permod', 'disjoint'], {
			default: 'permod',
			description: 'one for all modalities; one for each; one and an own set of experts for each',
		}),
		gate: choice(['softmax', 'laplace', 'gaussian'], {
			default: 'laplace',
			description: 'how well expert w fits an embedding x: x·w, −‖x − w‖ or −‖x − w‖²/2',
		}),
		noisy: Type.Boolean({ default: true, description: 'noise of a learned size on the scores of the experts while training' }),
		balance: Type.Number({ minimum: 0, maximum: 10, default: 0.01, description: 'of the load-balance loss in the training loss' }),
		dropout: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0.1 }),
		sequence: SequenceConfig,
	},
	{ additionalProperties: false, default: {} },
);
export type MmimMoeConfig = Static<typeof MmimMoeConfig>;
