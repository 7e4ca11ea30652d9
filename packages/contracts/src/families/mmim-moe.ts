import { type Static, Type } from 'typebox';
import { choice } from '../choice.js';
import { expertFields, expertProblems } from './experts.js';
import type { Family } from './family.js';
import { instanceProblems } from './instance-shape.js';
import { tokenFields } from './token-width.js';

/** How a sequence becomes a vector: the last state of a recurrent cell. */
export const SequenceConfig = Type.Object(
	{
		cell: choice(['lstm', 'gru'], { default: 'lstm', description: 'the recurrent cell' }),
		bidirectional: Type.Boolean({ default: true, description: 'whether a second cell reads from the last step to the first' }),
		hidden: Type.Integer({ minimum: 1, maximum: 4096, default: 64, description: 'size of the state of each direction' }),
	},
	{ additionalProperties: false, default: {}, description: 'how a sequence becomes a vector' },
);
export type SequenceConfig = Static<typeof SequenceConfig>;

/** Config of the family `mmim-moe`: one encoder per modality, then layers in which the modalities' embeddings mix and pass a sparse mixture of experts. */
export const MmimMoeConfig = Type.Object(
	{
		family: choice(['mmim-moe'], { description: 'recurrent encoders, attention or convolution over modalities, sparse experts' }),
		width: Type.Integer({ minimum: 1, maximum: 4096, default: 128, description: 'width of every embedding and hidden layer' }),
		layers: Type.Integer({ minimum: 1, maximum: 16, default: 2, description: 'layers in which the modalities mix and pass the experts' }),
		block: choice(['attention', 'conv'], { default: 'attention', description: 'how a layer mixes the embeddings of the modalities' }),
		...expertFields({ hidden: 768 }),
		sequence: SequenceConfig,
		...tokenFields,
	},
	{ additionalProperties: false, default: {} },
);
export type MmimMoeConfig = Static<typeof MmimMoeConfig>;

export const mmimMoe: Family<'mmim-moe', typeof MmimMoeConfig> = {
	name: 'mmim-moe',
	schema: MmimMoeConfig,
	knowsEncoders: true,
	specProblems: expertProblems,
	dataProblems: (_, job) => instanceProblems(job, { family: 'mmim-moe', flattens: false }),
};
