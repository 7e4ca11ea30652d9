import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

/** What a job that succeeded may warn of, and when it does. */
export const WARNINGS = {
	evaluation_failed:
		'The trained model cannot be run over a split, which then has no metrics; the model and all other splits are complete.',
	weighting_hurts:
		'On validation the weighted model is worse than the best epoch of the same job before its first refresh, in which every modality weighed 1.',
	weights_collapsed:
		'A modality has a mean weight under 0.01, or above 0.9 of the sum over all modalities, so that the model is one of fewer modalities.',
	overfitting:
		'The loss on validation is above that on the training rows by more than half of the loss of a model that sees no modality, or rose by as much from the best epoch to the last.',
	majority_baseline_not_beaten:
		'On validation the accuracy is not above the share of the most frequent class, of a label not above that of its more frequent value, or a regression is no better than the mean of the training labels (of quantiles: than theirs).',
	useless_class: 'A class or label that validation has is never predicted there.',
	useless_modality:
		'On validation the loss rises by no more than its standard error where rows have the modality of other rows, so that the model is no better for having it.',
	unseen_categories: 'A split beside validation has values, in a modality that the graph looks up in a table, that no training row has.',
	labels_look_like_classes: 'The labels of a regression are few whole numbers, and no manifest says that they are values.',
} as const;
export type WarningCode = keyof typeof WARNINGS;
const CODES = Object.keys(WARNINGS) as WarningCode[];

/** Something about a job that succeeded which its user should know before they use the model. */
export const JobWarning = Type.Object({
	code: choice(CODES, { description: 'stable, for programs' }),
	message: Type.String({ description: 'what was found, with its figures, for people' }),
	advice: Type.String({ description: 'what to do about it' }),
	split: Type.Optional(Type.String({ description: 'the split that it was found in' })),
	names: Type.Optional(Type.Array(Type.String(), { description: 'the modalities, classes or labels that it is about' })),
	guarded: Type.Optional(
		Type.Boolean({ description: 'of weighting_hurts, whether the better epoch was exported, with weight 1 for every modality' }),
	),
	row: Type.Optional(Type.Integer({ description: 'the first row of that split that is to blame, counted from 0' })),
});
export type JobWarning = Static<typeof JobWarning>;
