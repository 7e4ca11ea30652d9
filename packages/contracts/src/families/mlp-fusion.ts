import { type Static, Type } from 'typebox';
import { choice } from '../choice.js';
import { ProblemError } from '../problems.js';
import type { Family, JobParts } from './family.js';
import { instanceProblems } from './instance-shape.js';
import { tensorProblems } from './tensor-width.js';
import { tokenFields } from './token-width.js';

export const FUSIONS = ['concatenation', 'tensor', 'low-rank-tensor', 'gated', 'cross-attention', 'late-average'] as const;

/** Heads of cross-attention where a config names none. */
export const DEFAULT_HEADS = 4;

/** Config of the family `mlp-fusion`: one encoder per modality, a fusion of the weighted embeddings, a head. */
export const MlpFusionConfig = Type.Object(
	{
		family: choice(['mlp-fusion'], { default: 'mlp-fusion', description: 'an MLP per modality, a fusion, an MLP on top' }),
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
			choice(['attention', 'statistics'], {
				description:
					'how a sequence becomes a vector: attention (unless given) over the encoded steps, or statistics, an encoder of the mean, last, largest and least value of each feature',
			}),
		),
		fusion: Type.Optional(choice(FUSIONS, { description: 'how the embeddings are joined; concatenation unless given' })),
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
		...tokenFields,
	},
	{ additionalProperties: false, default: {} },
);
export type MlpFusionConfig = Static<typeof MlpFusionConfig>;

function* specProblems({ fusion, hidden, heads = DEFAULT_HEADS }: MlpFusionConfig): Iterable<ProblemError> {
	if (fusion === 'cross-attention' && hidden % heads !== 0)
		yield new ProblemError('invalid_request', `model.heads must divide model.hidden (${hidden}), found ${heads}`, 'model.heads');
}

function* dataProblems({ fusion, tensor_width }: MlpFusionConfig, job: JobParts): Iterable<ProblemError> {
	yield* instanceProblems(job, { family: 'mlp-fusion', flattens: true });
	if (fusion === 'tensor') yield* tensorProblems(tensor_width, job.modalities.length);
}

export const mlpFusion: Family<'mlp-fusion', typeof MlpFusionConfig> = {
	name: 'mlp-fusion',
	schema: MlpFusionConfig,
	knowsEncoders: true,
	specProblems,
	dataProblems,
};
