import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { WeightsPoint } from './event.js';
import { nullable } from './nullable.js';

const oneOrEachLabel = (description: string) => Type.Union([Type.Number(), Type.Array(Type.Number())], { description });

/** One instance, and how far one of its modalities was trusted. */
export const TrustedInstance = Type.Object({
	row: Type.Integer({ description: 'in the file of the split, counted from 0' }),
	weight: Type.Number(),
	divergence: nullable(Type.Number({ description: 'KL(unimodal ‖ fused) in nats; null where the method has none' })),
	prediction: oneOrEachLabel('the index of the class, the value, or 0 or 1 for each label'),
	probability: nullable(oneOrEachLabel('of the predicted class, or of each label; null for regression')),
	label: oneOrEachLabel('in the form of the prediction'),
});
export type TrustedInstance = Static<typeof TrustedInstance>;

/**
 * The artifact `explanation.json` of a job. The artifact `explanation.parquet` beside it has one row for each instance of every split that is judged.
 * Its columns are `split` (as in `result.metrics`), `row` (in the file of the split, counted from 0); for each modality `weight.<modality>`,
 * `divergence.<modality>` (in nats; null where the method has none or the instance lacks the modality) and `present.<modality>`; and `prediction`,
 * `probability` (of the predicted class) and `label`, where a class is given by its index. For regression there is no `probability`, and under the loss
 * quantile there is `quantile.<level>` for each quantile. For multilabel there
 * are `prediction.<i>`, `probability.<i>` and `label.<i>` for each label i. Where positions have labels there are no such columns: run the model.
 */
export const Explanation = Type.Object({
	object: choice(['explanation']),
	modalities: Type.Array(Type.String()),
	classes: Type.Array(Type.String(), { description: 'names of the classes or labels in the order of their index; empty for regression' }),
	refreshes: Type.Array(WeightsPoint),
	files: Type.Record(Type.String(), Type.String(), {
		description: 'by the name of a split in `result.metrics`, the split of the dataset whose rows `row` counts',
	}),
	split: Type.String({ description: 'the split that the instances are from: test, or validation where there is no test split' }),
	instances: Type.Record(
		Type.String(),
		Type.Object({
			most_trusted: Type.Array(TrustedInstance, { description: 'highest weight first' }),
			least_trusted: Type.Array(TrustedInstance, { description: 'lowest weight first' }),
		}),
		{ description: 'by modality, up to ten instances at either end of those that have it; none where all weights are equal' },
	),
});
export type Explanation = Static<typeof Explanation>;
