import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { nullable } from './nullable.js';

/** Intervals of confidence, of equal width, in which predictions are counted. */
export const RELIABILITY_BINS = 15;

/** How far confidence is borne out. A prediction is the class of a row, or whether a label applies; its confidence is the probability that the model gives it. */
export const Reliability = Type.Object({
	ece: Type.Number({
		description: 'expected calibration error: the mean of |accuracy − confidence| over the bins, each by its share of the predictions',
	}),
	cross_entropy: Type.Number({ description: 'mean over rows and labels, in nats, whatever loss training minimised' }),
	bins: Type.Array(
		Type.Object({
			count: Type.Integer({ description: 'predictions whose confidence lies in the bin: above (i − 1)/15, up to i/15' }),
			confidence: nullable(Type.Number({ description: 'their mean confidence; null where there are none' })),
			accuracy: nullable(Type.Number({ description: 'the share of them that is right; null where there are none' })),
		}),
		{ description: 'the reliability curve: 15 intervals of confidence of equal width' },
	),
});
export type Reliability = Static<typeof Reliability>;

/** The artifact `calibration.json` of a job whose rows have classes or labels. */
export const Calibration = Type.Object({
	object: choice(['calibration']),
	temperature: nullable(Type.Number({ description: 'what the logits were divided by; null where they were not' })),
	splits: Type.Record(
		Type.String(),
		Type.Object({
			exported: Reliability,
			before: nullable(Type.Unsafe<Reliability>({ ...Reliability, description: 'without the temperature; null where there is none' })),
		}),
	),
});
export type Calibration = Static<typeof Calibration>;

/** What a result tells of it. */
export const CalibrationSummary = Type.Object(
	{
		temperature: nullable(Type.Number({ description: 'what the logits were divided by; null where they were not' })),
		ece: Type.Record(Type.String(), Type.Number(), {
			description: 'by split, the expected calibration error of the exported model, in 15 bins',
		}),
		ece_before: Type.Optional(Type.Record(Type.String(), Type.Number(), { description: 'the same without the temperature' })),
	},
	{ description: 'of classes and labels of rows, how far probabilities are borne out; not there in jobs of earlier versions' },
);
