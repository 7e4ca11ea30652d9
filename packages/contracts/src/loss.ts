import { type Static, type TSchemaOptions, Type } from 'typebox';
import { choice } from './choice.js';
import { ProblemError } from './problems.js';

export const LOSS_NAMES = ['auto', 'cross_entropy', 'focal', 'mse', 'mae', 'huber'] as const;
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
	},
	{ additionalProperties: false },
);
export type LossChoices = Static<typeof LossChoices>;

/** The loss of a job: a name, or an object with the name and choices. */
export const lossSchema = (options: TSchemaOptions) => Type.Union([choice(LOSS_NAMES), LossChoices], options);

/** A loss as an object, whether it was given by its name or as one. */
export const choicesOf = (given: LossName | Partial<LossChoices>): LossChoices =>
	typeof given === 'string' ? { name: given } : { name: 'auto', ...given };

/** The loss that each choice is for. */
const CHOICES_OF: Readonly<Record<Exclude<keyof LossChoices, 'name'>, LossName>> = {
	label_smoothing: 'cross_entropy',
	gamma: 'focal',
	alpha: 'focal',
	delta: 'huber',
};

/** Every choice of a loss, which the field `param` names, is one that the loss has. */
export function* choiceProblems(loss: LossChoices, param: string): Iterable<ProblemError> {
	for (const [name, of] of Object.entries(CHOICES_OF))
		if (Object.hasOwn(loss, name) && loss.name !== of)
			yield new ProblemError('invalid_request', `${param}.${name} is a choice of ${of}; the loss is ${loss.name}`, `${param}.${name}`);
}
