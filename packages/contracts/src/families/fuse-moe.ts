import { type Static, Type } from 'typebox';
import { choice } from '../choice.js';
import { listed } from '../listed.js';
import { MOST_MODALITIES, NAME } from '../name-pattern.js';
import { ProblemError } from '../problems.js';
import { recordOf } from '../record.js';
import { expertFields, expertProblems } from './experts.js';
import type { Family, JobParts } from './family.js';
import { instanceProblems } from './instance-shape.js';
import { tokenFields } from './token-width.js';

/** Config of the family `fuse-moe`: several embeddings per modality, cross-modal transformer layers with a sparse mixture of experts, a head. */
export const FuseMoeConfig = Type.Object(
	{
		family: choice(['fuse-moe'], { description: 'time attention or recurrent encoders, cross-modal layers with sparse experts' }),
		width: Type.Integer({ minimum: 1, maximum: 4096, default: 128, description: 'width of every embedding, a multiple of heads' }),
		heads: Type.Integer({ minimum: 1, maximum: 64, default: 8, description: 'heads of every attention' }),
		layers: Type.Integer({ minimum: 1, maximum: 24, default: 3, description: 'cross-modal transformer layers' }),
		tokens: Type.Integer({ minimum: 1, maximum: 256, default: 4, description: 'embeddings of each sequence; a vector has one' }),
		sequence_encoder: choice(['mtand', 'lstm', 'gru'], {
			default: 'mtand',
			description: 'how a sequence is read: by attention over time stamps (mtand), or by a recurrent network',
		}),
		time_width: Type.Integer({
			minimum: 1,
			maximum: 1024,
			default: 64,
			description: 'width of the embedding of a time, a multiple of heads, for mtand',
		}),
		time_columns: recordOf(NAME, Type.Integer({ minimum: 0 }), {
			maxProperties: MOST_MODALITIES,
			default: {},
			description:
				'by modality, the feature, counted from 0, that says when a step was, for mtand; without one the steps are evenly spread',
		}),
		bidirectional: Type.Boolean({
			default: true,
			description: 'whether a second cell reads from the last step to the first, for lstm and gru',
		}),
		hidden: Type.Integer({ minimum: 1, maximum: 4096, default: 64, description: 'size of the state of each direction, for lstm and gru' }),
		...expertFields({ hidden: 512 }),
		...tokenFields,
	},
	{ additionalProperties: false },
);
export type FuseMoeConfig = Static<typeof FuseMoeConfig>;

function* specProblems(config: FuseMoeConfig): Iterable<ProblemError> {
	const { width, time_width, heads } = config;
	const refusal = (field: string, found: number) =>
		new ProblemError('invalid_request', `model.${field} must be a multiple of model.heads (${heads}), found ${found}`, `model.${field}`);
	if (width % heads !== 0) yield refusal('width', width);
	if (time_width % heads !== 0) yield refusal('time_width', time_width);
	yield* expertProblems(config);
}

/** A time column is a feature of a sequence of the dataset, beside which the sequence has another feature. */
function* timeColumnProblems({ time_columns }: FuseMoeConfig, { dataset: { modalities } }: JobParts): Iterable<ProblemError> {
	for (const [name, column] of Object.entries(time_columns)) {
		const field = `model.time_columns.${name}`;
		const shape = Object.hasOwn(modalities, name) ? modalities[name]?.shape : undefined;
		if (shape === undefined) {
			yield new ProblemError(
				'modality_not_found',
				`model.time_columns names the modality ${name}, which the dataset lacks; it has ${listed(Object.keys(modalities))}`,
				field,
			);
			continue;
		}
		const features = shape.at(-1) as number;
		if (shape.length !== 2 || features < 2)
			yield new ProblemError(
				'invalid_model',
				`${field} needs a sequence [steps, features] of two features or more, found ${name} of shape [${shape.join(', ')}]`,
				field,
			);
		else if (column >= features)
			yield new ProblemError('invalid_model', `${field} must be a feature of ${name}, 0 to ${features - 1}, found ${column}`, field);
	}
}

function* dataProblems(config: FuseMoeConfig, job: JobParts): Iterable<ProblemError> {
	yield* instanceProblems(job, { family: 'fuse-moe', flattens: false });
	yield* timeColumnProblems(config, job);
}

export const fuseMoe: Family<'fuse-moe', typeof FuseMoeConfig> = {
	name: 'fuse-moe',
	schema: FuseMoeConfig,
	knowsEncoders: true,
	specProblems,
	dataProblems,
};
