import { type Static, type TProperties, Type } from 'typebox';
import { choice } from './choice.js';
import { ProblemError } from './problems.js';
import type { TaskType } from './task-type.js';

const closed = { additionalProperties: false } as const;

const CROSS_FITTING = {
	cross_fit: Type.Optional(
		Type.Boolean({
			description:
				'whether each training row is judged by unimodal models that were not trained on it, one model per fold; true for consensus and consensus-weighted, else false unless given',
		}),
	),
	folds: Type.Optional(
		Type.Integer({ minimum: 2, maximum: 20, description: 'parts into which cross_fit cuts the training rows; 5 unless given' }),
	),
};

const REFRESHING = {
	refresh: Type.Optional(
		choice(['schedule', 'on-improvement'], {
			description:
				'when the weights of the training rows are computed again: schedule (unless given), which is every refresh_epochs or refresh_steps, or on-improvement, which is after an epoch with a lower validation loss than any before',
		}),
	),
	refresh_epochs: Type.Integer({
		minimum: 1,
		maximum: 10_000,
		default: 5,
		description: 'epochs between two refreshes, and before the first',
	}),
	refresh_steps: Type.Optional(
		Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'optimizer steps between two refreshes, instead of refresh_epochs' }),
	),
	smoothing: Type.Optional(
		Type.Object(
			{
				initial: Type.Optional(
					Type.Number({ minimum: 0, maximum: 1, description: 'share of the new weights at the first refresh; 0.5 unless given' }),
				),
				step: Type.Optional(
					Type.Number({ minimum: 0, maximum: 1, description: 'by how much that share moves after a refresh; 0.05 unless given' }),
				),
				adapt: Type.Optional(
					choice(['off', 'raise-on-worse', 'raise-on-better'], {
						description: 'after which change of the validation loss the share rises; it falls after the other; off but for paper',
					}),
				),
			},
			{ ...closed, description: 'how new weights of the training rows are mixed with those before' },
		),
	),
	guard: Type.Optional(
		Type.Boolean({
			description:
				'whether the best epoch before the first refresh, in which every modality weighs 1, is exported where no later epoch is as good on validation; true but for paper',
		}),
	),
	...CROSS_FITTING,
};

const RENORMALISING = {
	renormalise: Type.Optional(
		choice(['none', 'sum1', 'mean1'], {
			description: 'what the weights of a row are scaled to: nothing, sum 1, or mean 1; mean1 but for paper, which has none',
		}),
	),
};

/** What weights of whole modalities look at. */
const OF_MODALITIES = {
	mutual_information: Type.Optional(
		choice(['ksg', 'argmax'], {
			description:
				'how mutual information is estimated: by nearest neighbours (ksg, unless given), or from the table of predicted classes (argmax, not for regression)',
		}),
	),
	information_scale: Type.Optional(
		choice(['none', 'sum'], {
			description: 'none (unless given) leaves mutual information in nats; sum scales it to sum 1 over the modalities',
		}),
	),
	...RENORMALISING,
};

/** What weights of single instances look at. */
const OF_INSTANCES = {
	direction: Type.Optional(
		choice(['divergence', 'agreement'], {
			description: 'whether the weight of a modality grows with its divergence or falls with it; agreement but for paper',
		}),
	),
	normalise: Type.Optional(
		choice(['minmax', 'row'], {
			description:
				'how the divergence is scaled: by its range over the training rows (minmax, unless given), or to sum 1 over the modalities of a row',
		}),
	),
	...RENORMALISING,
	sigma: Type.Optional(
		choice(['fixed', 'residual'], {
			description:
				'standard deviations behind the divergence of a regression: 0.1 for every model (fixed), or that of the residuals of each model; residual but for paper',
		}),
	),
};

const VOTING = {
	...CROSS_FITTING,
	epsilon: Type.Optional(
		Type.Number({
			exclusiveMinimum: 0,
			exclusiveMaximum: 1,
			description: 'prior probability that a modality is not to be trusted; 0.1 unless given',
		}),
	),
};

const MODULATING = {
	alpha: Type.Optional(
		Type.Number({
			exclusiveMinimum: 0,
			maximum: 100,
			description: 'how strongly the gradients of a modality that runs ahead are damped; 0.5 unless given',
		}),
	),
};

/** Earlier versions wrote `refresh_epochs: 5` into every spec. Where nothing is refreshed it is still read, so that what they stored can be posted again. */
const NOT_REFRESHING = {
	refresh_epochs: Type.Optional(
		Type.Unsafe<5>({ type: 'integer', const: 5, deprecated: true, description: 'not looked at; earlier versions wrote it into every job' }),
	),
};

const preset = <const Name extends string, Choices extends TProperties>(name: Name, description: string, choices: Choices) =>
	Type.Object({ preset: choice([name], { default: name }), ...choices }, { ...closed, description });

/** One schema per preset that a model is trained with. */
const SINGLE = [
	preset('uniform', 'every modality that an instance has weighs 1', NOT_REFRESHING),
	preset('mi', 'by the mutual information of the unimodal and the fused prediction, equal for all instances', {
		...REFRESHING,
		...OF_MODALITIES,
	}),
	preset('btw-kl', 'by the divergence of the unimodal from the fused prediction of each instance', { ...REFRESHING, ...OF_INSTANCES }),
	preset('btw', 'divergence and mutual information, multiplied', { ...REFRESHING, ...OF_MODALITIES, ...OF_INSTANCES }),
	preset('paper', 'btw with the choices of its paper', { ...REFRESHING, ...OF_MODALITIES, ...OF_INSTANCES }),
	preset('consensus', 'by a vote of the unimodal models, which is joined to the fused prediction', { ...NOT_REFRESHING, ...VOTING }),
	preset('consensus-weighted', 'by the same vote, whose weights multiply the embeddings', { ...NOT_REFRESHING, ...VOTING }),
	preset('qmf', "by the energy of the unimodal models' logits", { ...NOT_REFRESHING, ...CROSS_FITTING }),
	preset('ogm-ge', 'every modality weighs 1; gradients of encoders that run ahead are damped', { ...NOT_REFRESHING, ...MODULATING }),
] as const;

/** A weighting that a model is trained with. */
export type SingleWeighting = Static<(typeof SINGLE)[number]>;
export type WeightingPreset = SingleWeighting['preset'];

const schemas = SINGLE.map(({ properties }) => ({
	name: (properties.preset as unknown as { enum: [WeightingPreset] }).enum[0],
	properties,
}));

/** The names of all presets that a model can be trained with. */
export const WEIGHTING_PRESETS: readonly WeightingPreset[] = schemas.map(({ name }) => name);

/** What `auto` chooses from unless it is told, the simplest first. */
export const CANDIDATES: readonly WeightingPreset[] = ['uniform', 'consensus'];

/** The weighting of a job: a preset with its own choices, any of which can be overridden, or `auto`, which trains several; `uniform` where none is named. */
export const WeightingSpec = Type.Union(
	[
		...SINGLE,
		preset('auto', 'the best of several presets, by validation as it is and with each modality shuffled', {
			candidates: Type.Optional(
				Type.Array(choice(WEIGHTING_PRESETS, { description: 'a preset, with its defaults' }), {
					minItems: 2,
					maxItems: WEIGHTING_PRESETS.length,
					description:
						'the presets that are trained, the simplest first: of equally good ones the first is taken; uniform and consensus unless given',
				}),
			),
		}),
	],
	{
		default: {},
		discriminator: { propertyName: 'preset' },
		description: 'how modalities are weighed: a preset, whose choices can be overridden',
	},
);
export type WeightingSpec = Static<typeof WeightingSpec>;

/** The choices of one preset, as a job has them: with the defaults that the schema fills in. */
export type WeightingSpecOf<Preset extends WeightingPreset> = Extract<SingleWeighting, { preset: Preset }>;

/** A weighting whose weights are computed again. */
type Refreshed = Extract<SingleWeighting, { refresh_epochs: number }>;

/** Whether the weights of the training rows are computed again while the job trains. */
const isRefreshed = (weighting: WeightingSpec): weighting is Refreshed =>
	schemas.some(({ name, properties }) => name === weighting.preset && 'refresh' in properties);

/** Presets under which every modality weighs 1. */
const UNWEIGHTED: readonly WeightingPreset[] = ['uniform', 'ogm-ge'];

/** The presets that a job trains a model with: one, or the candidates of `auto`. */
export const presetsOf = (weighting: WeightingSpec): readonly WeightingPreset[] =>
	weighting.preset === 'auto' ? (weighting.candidates ?? CANDIDATES) : [weighting.preset];

/** Whether modalities get weights, for which a model needs a place. */
export const givesWeights = (weighting: WeightingSpec): boolean => !presetsOf(weighting).every((preset) => UNWEIGHTED.includes(preset));

/**
 * What is wrong between a weighting and the rest of a spec: the training ends before the first refresh, or the weighting acts on encoders and the model is a
 * graph in which they are not known.
 */
export function* weightingProblems(
	weighting: WeightingSpec,
	{ epochs, knowsEncoders }: { epochs: number; knowsEncoders: boolean },
): Iterable<ProblemError> {
	const byEpochs = isRefreshed(weighting) && weighting.refresh !== 'on-improvement' && weighting.refresh_steps === undefined;
	if (byEpochs && weighting.refresh_epochs >= epochs)
		yield new ProblemError(
			'invalid_request',
			`weighting.refresh_epochs must be less than training.epochs (${epochs}), or the weights would never be refreshed; found ${weighting.refresh_epochs}`,
			'weighting.refresh_epochs',
		);
	if (weighting.preset === 'ogm-ge' && !knowsEncoders)
		yield new ProblemError(
			'invalid_request',
			'ogm-ge modulates the encoders of a built-in family; those of a custom graph are not known',
			'weighting.preset',
		);
}

/** Mutual information by the predicted class needs classes. */
export function* informationProblems(weighting: WeightingSpec, task: TaskType): Iterable<ProblemError> {
	if ('mutual_information' in weighting && weighting.mutual_information === 'argmax' && task === 'regression')
		yield new ProblemError('unsupported_task', `argmax mutual information is not for ${task}; choose ksg`, 'weighting.mutual_information');
}
