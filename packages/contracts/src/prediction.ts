import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

/** The artifact that predictions are made with, and that is downloaded as the model of a job. */
export const MODEL_ARTIFACT = 'model.onnx';
/** The most rows of one request for predictions. */
export const MOST_PREDICTED = 10_000;
/** The most bytes of its body. */
export const PREDICTION_BYTES = 8 * 1024 ** 2;

export const PredictionRequest = Type.Object(
	{
		rows: Type.Array(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 4096, propertyNames: { maxLength: 1000 } }), {
			minItems: 1,
			maxItems: MOST_PREDICTED,
			description:
				'what each row has: of a job on a table its columns, with null where nothing is there, and others, which are not read; else its modalities, each a list of the shape that one row has in the dataset, with null for one that is missing; of a graph of your own that nothing weighs, its inputs',
		}),
	},
	{ additionalProperties: false },
);
export type PredictionRequest = Static<typeof PredictionRequest>;

const perName = (description: string) => Type.Optional(Type.Record(Type.String(), Type.Number(), { description }));

/** What a model says of one row. */
export const Prediction = Type.Object({
	prediction: Type.Optional(
		Type.Union([Type.String(), Type.Number(), Type.Array(Type.String())], {
			description: 'the name of the class, the value of a regression, or the names of the labels that apply',
		}),
	),
	probabilities: perName('how likely each class or label is, by name'),
	quantiles: perName('of a quantile regression, the value below which each share of labels is expected, by the share'),
	weights: perName('how much each modality counted, by name'),
	divergence: perName(
		'how far what the modality alone predicts lies from what all of them predict, in nats; of methods that weigh by it, and 0 for one that is missing',
	),
	outputs: Type.Optional(
		Type.Record(Type.String(), Type.Unknown(), {
			description: 'of a graph of your own that nothing weighs: each of its outputs, by name',
		}),
	),
});
export type Prediction = Static<typeof Prediction>;

/** What the trained model of a job says of some rows. */
export const Predictions = Type.Object({
	object: choice(['predictions']),
	job: Type.String({ description: 'id of the job whose model was run' }),
	data: Type.Array(Prediction, { description: 'one for each row, in their order' }),
});
export type Predictions = Static<typeof Predictions>;
