import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { Metrics } from './job.js';
import { nullable } from './nullable.js';

const nats = (description: string) => Type.Number({ description: `${description}, in nats` });

/** The names of two modalities. TypeBox writes tuples as JSON Schema did before 2020-12, which OpenAPI 3.1 does not know. */
const Pair = Type.Unsafe<[string, string]>({ type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 });

/** What the predictions of two unimodal models say of the label, in parts: a plug-in estimate. */
export const PairInformation = Type.Object({
	rows: Type.Integer({ description: 'instances that have both modalities' }),
	redundant: nats('what either prediction says'),
	unique: Type.Record(Type.String(), Type.Number(), { description: 'by modality, what its prediction alone says, in nats' }),
	synergistic: nats('what only both predictions together say'),
	total: nats('the sum of the parts, which is what both predictions say'),
	gap: nats('a bound on how far each part is from its exact value for these counts'),
});
export type PairInformation = Static<typeof PairInformation>;

/** The artifact `diagnostics.json` of a job with two or more modalities. */
export const Diagnostics = Type.Object({
	object: choice(['diagnostics']),
	modalities: Type.Array(Type.String()),
	reason: nullable(Type.String({ description: 'why a field below is null; null where none is' })),
	unimodal: nullable(
		Type.Record(Type.String(), Type.Record(Type.String(), Metrics), {
			description: 'by modality and split, the metrics of the model of that modality alone over the rows that have it',
		}),
	),
	best_unimodal: nullable(
		Type.Object(
			{ modality: Type.String(), metric: Type.String() },
			{ description: 'the unimodal model that is best by `metric` on validation' },
		),
	),
	fusion_gain: nullable(
		Type.Record(Type.String(), Type.Object({ rows: Type.Integer(), gain: Metrics }), {
			description:
				'by split, how much better the fused model is than the best unimodal one over the rows that have its modality; positive is better, whatever the metric',
		}),
	),
	partial_information: nullable(
		Type.Object(
			{
				cuts: nullable(
					Type.Array(Type.Number(), {
						description: 'for regression, where the values of labels and predictions are parted: the terciles of the training labels',
					}),
				),
				pairs: Type.Array(
					Type.Object({
						modalities: Pair,
						splits: Type.Record(Type.String(), nullable(PairInformation), {
							description: 'null for a split in which no instance has both modalities',
						}),
					}),
				),
			},
			{
				description:
					'partial information decomposition (BROJA) of what the predicted classes of two unimodal models say of the label, for every pair of modalities and every split but train; for multilabel the mean over the labels',
			},
		),
	),
});
export type Diagnostics = Static<typeof Diagnostics>;
