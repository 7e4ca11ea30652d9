import { type Static, type TSchemaOptions, Type } from 'typebox';
import { choice } from './choice.js';
import { ProblemError } from './problems.js';

export const LOSS_NAMES = ['auto', 'cross_entropy', 'focal', 'mse', 'mae', 'huber', 'quantile'] as const;
export type LossName = (typeof LOSS_NAMES)[number];

/** A loss by its name and its choices. */
export const LossChoices = Type.Object(
	{
		name: choice(LOSS_NAMES, { description: 'as where loss is a name alone' }),
		label_smoothing: Type.Optional(
			Type.Number({
				minimum: 0,
				exclusiveMaximum: 1,
				description:
					'for cross_entropy: the share of each label that is spread evenly over the classes (of a label: yes and no); 0 unless given',
			}),
		),
		gamma: Type.Optional(
			Type.Number({
				minimum: 0,
				maximum: 20,
				description: 'for focal: the power of 1 − p by which rows that are right count less; 2 unless given',
			}),
		),
		alpha: Type.Optional(
			Type.Number({
				exclusiveMinimum: 0,
				exclusiveMaximum: 1,
				description: 'for focal on binary and multilabel: factor of what is true, and 1 − alpha of what is not; both count 1 unless given',
			}),
		),
		delta: Type.Optional(
			Type.Number({
				exclusiveMinimum: 0,
				maximum: 1e9,
				description: 'for huber: the error, in the unit of the label, from which on the loss grows linearly; 1 unless given',
			}),
		),
		quantiles: Type.Optional(
			Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), {
				minItems: 2,
				maxItems: 9,
				description:
					'for quantile, which built-in families have for a regression: the quantiles of the label that the model gives of each row, 2 to 9 in rising order, 0.5 among them; 0.1, 0.5 and 0.9 unless given',
			}),
		),
	},
	{ additionalProperties: false },
);
export type LossChoices = Static<typeof LossChoices>;

/** The loss of a job: a name, or an object with the name and choices. */
export const lossSchema = (options: TSchemaOptions) => Type.Union([choice(LOSS_NAMES), LossChoices], options);

/** A loss as an object, whether it was given by its name or as one. */
export const choicesOf = (given: LossName | Partial<LossChoices>): LossChoices =>
	typeof given === 'string' ? { name: given } : { name: 'auto', ...given };

/** The quantiles of a job that names none. */
const QUANTILES: readonly number[] = [0.1, 0.5, 0.9];

/** The quantiles that a model gives of each row, in rising order; null where the loss is another. */
export const quantilesOf = ({ name, quantiles }: LossChoices): readonly number[] | null =>
	name === 'quantile' ? (quantiles ?? QUANTILES) : null;

/** The loss that each choice is for. */
const CHOICES_OF: Readonly<Record<Exclude<keyof LossChoices, 'name'>, LossName>> = {
	label_smoothing: 'cross_entropy',
	gamma: 'focal',
	alpha: 'focal',
	delta: 'huber',
	quantiles: 'quantile',
};

/** The quantiles, which the field `param` gives, rise, and the median is one of them. */
function* quantileProblems(quantiles: readonly number[], param: string): Iterable<ProblemError> {
	const fall = quantiles.findIndex((level, q) => q > 0 && level <= (quantiles[q - 1] as number));
	if (fall !== -1)
		yield new ProblemError(
			'invalid_request',
			`${param} must rise, each once; found ${quantiles[fall]} behind ${quantiles[fall - 1]}`,
			param,
		);
	if (!quantiles.includes(0.5))
		yield new ProblemError(
			'invalid_request',
			`${param} must have 0.5 among them, the median, which is the prediction; found ${quantiles.join(', ')}`,
			param,
		);
}

/** Every choice of a loss, which the field `param` names, is one that the loss has. */
export function* choiceProblems(loss: LossChoices, param: string): Iterable<ProblemError> {
	for (const [name, of] of Object.entries(CHOICES_OF))
		if (Object.hasOwn(loss, name) && loss.name !== of)
			yield new ProblemError('invalid_request', `${param}.${name} is a choice of ${of}; the loss is ${loss.name}`, `${param}.${name}`);
	const quantiles = quantilesOf(loss);
	if (quantiles !== null) yield* quantileProblems(quantiles, `${param}.quantiles`);
}
