import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { Interval, Metrics } from './job.js';
import { nullable } from './nullable.js';

const drop = 'by metric how much worse it is than clean: positive is worse, whatever the metric; null where it is undefined';

/** What the exported model does where one modality breaks. */
export const ModalityRobustness = Type.Object({
	failed: nullable(Type.String({ description: 'why the first of the fields below that are null is; null where none is' })),
	missing: nullable(
		Type.Object(
			{
				by: choice(['mask', 'mean', 'zeros'], {
					description:
						'how it was taken from every row: by the mask that the model takes of it; where there is none by its mean over training rows in the place of its values, rounded where these are whole numbers; zeros for numbers that a graph looks up in a table, and where the dataset has a mask that the graph does not take',
				}),
				metrics: Metrics,
				drop: Type.Record(Type.String(), nullable(Type.Number()), { description: drop }),
			},
			{ description: 'where no row has the modality' },
		),
	),
	shuffled: nullable(
		Type.Object(
			{
				drop: Type.Record(Type.String(), nullable(Interval), {
					description: `${drop}; the mean over the shuffles, which is the permutation importance, with the 95 % interval of that mean (Student's t)`,
				}),
			},
			{ description: 'where rows have the modality, and its mask, of other rows, put in random orders' },
		),
	),
	noisy: nullable(
		Type.Object(
			{
				by: choice(['gaussian', 'replaced'], {
					description:
						'gaussian adds normal noise to each feature, rounded where values are whole numbers; replaced puts in the place of a number that a graph looks up in a table, and of true and false, that of another row at the same position',
				}),
				levels: Type.Array(
					Type.Object({
						level: Type.Number({
							description:
								'of gaussian the deviation of the noise, in deviations of the feature over training rows; of replaced the share of the numbers that are replaced',
						}),
						metrics: Metrics,
						drop: Type.Record(Type.String(), nullable(Type.Number()), { description: drop }),
					}),
				),
				relative: Type.Record(Type.String(), nullable(Type.Number()), {
					description:
						'relative robustness (Liang et al. 2021): by metric the area under it over the levels from 0 on, by trapezoids, divided by the last level, so that it is a mean of the metric',
				}),
				effective: nullable(
					Type.Record(Type.String(), nullable(Type.Number()), {
						description:
							'effective robustness (Liang et al. 2021): by metric the area between its curve and that of late fusion, the mean output of the unimodal models, moved to the same clean value; divided by the last level. Positive: it loses less than late fusion, whatever the metric. Null where the weighting trains no unimodal models',
					}),
				),
			},
			{ description: 'where every row has noise in the modality; what is missing stays missing' },
		),
	),
});
export type ModalityRobustness = Static<typeof ModalityRobustness>;

/** The artifact `robustness.json`: what the exported model does on validation and test where a modality breaks. */
export const Robustness = Type.Object({
	object: choice(['robustness']),
	metric: Type.String({ description: 'the main metric of the job; loss is the other one' }),
	shuffles: Type.Integer({ description: 'how many random orders each modality was shuffled by' }),
	reason: nullable(Type.String({ description: 'why there are no splits; null where there are' })),
	splits: Type.Record(
		Type.String(),
		Type.Object({
			rows: Type.Integer({ description: 'how many rows of the split were run, drawn at random where these are not all' }),
			of: Type.Integer({ description: 'rows of the split' }),
			clean: Type.Record(Type.String(), nullable(Type.Number()), { description: 'by metric, over the same rows as they are' }),
			modalities: Type.Record(Type.String(), ModalityRobustness),
		}),
		{ description: 'validation, and test where there is one with metrics' },
	),
});
export type Robustness = Static<typeof Robustness>;
