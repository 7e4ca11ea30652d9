import { type Static, Type } from 'typebox';
import { CalibrationSummary } from './calibration.js';
import { choice } from './choice.js';
import { JobError } from './job-error.js';
import { JOB_STATUSES } from './job-status.js';
import { Notified } from './notify.js';
import { nullable } from './nullable.js';
import { ownProject } from './project.js';
import { JobSpec } from './spec.js';
import { JobWarning } from './warning.js';
import { WEIGHTING_PRESETS } from './weighting.js';

export const JOB_STAGES = ['preparing', 'unimodal', 'fusion', 'evaluating', 'exporting'] as const;
export type JobStage = (typeof JOB_STAGES)[number];
/** What a job can be trained on. */
export const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const;

/** Metric name → value; null where it is undefined (one class only). */
export const Metrics = Type.Record(Type.String(), nullable(Type.Number()), {
	description:
		'classes: loss, accuracy, macro_f1, weighted_f1, auroc, auprc; multilabel: loss (mean over rows and labels), accuracy (share of right labels), subset_accuracy (of rows whose labels are all right), macro_f1, micro_f1 (a label is predicted above probability 0.5, or its threshold where these were tuned), auroc, auprc (means over labels); regression: loss, mae, rmse, pearson, and under the loss quantile pinball (which is the loss), coverage (share of labels from the lowest quantile to the highest) and interval_width (mean distance of these); the same over all positions that count where positions have labels, with mean_iou (mean over classes of hits / (labels or predictions of the class)) in the place of auroc and auprc; with model.outputs loss is the sum that training minimises, and <output>.loss is that of each output, model.output among them, with <output>.accuracy, or <output>.mae and <output>.rmse, of those in model.outputs; null where undefined, as with one class only',
});
export type Metrics = Static<typeof Metrics>;

export const ModalityWeight = Type.Object({
	mean: Type.Number({ description: 'over the rows that have the modality' }),
	p10: Type.Number({ description: 'one row in ten has a smaller weight' }),
	p90: Type.Number({ description: 'one row in ten has a larger weight' }),
	mutual_information: nullable(
		Type.Number({ description: 'in nats, of the outputs of unimodal and fused model; null where the method has none' }),
	),
});
export type ModalityWeight = Static<typeof ModalityWeight>;

/** Where a 95 % interval begins and ends. */
export const Bounds = Type.Object({
	low: Type.Number({ description: 'where the 95 % interval begins' }),
	high: Type.Number({ description: 'where it ends' }),
});
export type Bounds = Static<typeof Bounds>;

/** A mean and its interval. */
export const Interval = Type.Object({ mean: Type.Number({ description: 'what the interval is of' }), ...Bounds.properties });
export type Interval = Static<typeof Interval>;

const broken = (what: string) => `how much worse the metric is where ${what}; null where that could not be measured`;

/** How much worse the exported model is where a modality breaks: `robustness.json` in short. Positive is worse, whatever the metric. */
export const ResultRobustness = Type.Object(
	{
		split: Type.String({ description: 'the split: test, or validation where there is no test split with metrics' }),
		metric: Type.String({
			description: 'the main metric: that of early stopping unless it is the loss, else accuracy, or mae of a regression',
		}),
		rows: Type.Integer({ description: 'how many of its rows were run' }),
		clean: nullable(Type.Number({ description: 'the metric over these rows as they are; null where it is undefined' })),
		modalities: Type.Record(
			Type.String(),
			Type.Object({
				missing: nullable(Type.Number({ description: broken('no row has the modality') })),
				shuffled: nullable(
					Type.Object(Interval.properties, {
						description: `${broken('rows have the modality of other rows')}: the mean over 10 shuffles, which is the permutation importance`,
					}),
				),
				noisy: Type.Array(nullable(Type.Number()), {
					description: `${broken('every row has noise in the modality')}: at each level of robustness.json, the weakest first; empty where there was none`,
				}),
			}),
			{ description: 'by modality' },
		),
	},
	{
		description:
			'how much worse the exported model is where a modality breaks; not in lists, nor where the spec wants none or training was too short for it, nor in jobs of earlier versions',
	},
);
export type ResultRobustness = Static<typeof ResultRobustness>;

/** How `auto` has chosen the weighting. */
export const WeightingChoice = Type.Object(
	{
		chosen: choice(WEIGHTING_PRESETS, { description: 'the preset of the exported model' }),
		reason: Type.String({ description: 'why, in a sentence' }),
		metric: Type.String({ description: 'the metric on validation that they are compared by: that of early stopping' }),
		rows: Type.Integer({ description: 'rows of validation' }),
		shuffles: Type.Integer({ description: 'how often each modality was shuffled, over which its figures are means' }),
		candidates: Type.Array(
			Type.Object({
				preset: choice(WEIGHTING_PRESETS, { description: 'what was trained' }),
				clean: nullable(Type.Number({ description: 'the metric over validation as it is; null where it is undefined' })),
				standard_error: nullable(
					Type.Number({
						description:
							'of the difference of clean to that of the best, by 1,000 bootstrap resamples of the same rows; 0 for the best, null where there is none',
					}),
				),
				eligible: Type.Boolean({ description: 'whether clean is within a standard error of the best' }),
				shuffled: Type.Record(Type.String(), nullable(Type.Number()), {
					description: 'by modality, the metric where rows have that modality of other rows',
				}),
				shuffled_mean: nullable(Type.Number({ description: 'the mean of these, by which it is chosen among those that are eligible' })),
			}),
			{ description: 'in the order in which the spec names them' },
		),
	},
	{ description: 'of a job with the weighting auto, how its candidates did on validation, and which was chosen; not in lists' },
);
export type WeightingChoice = Static<typeof WeightingChoice>;

export const JobResult = Type.Object(
	{
		metrics: Type.Record(Type.String(), Metrics, {
			description: 'metrics by split, measured by running the exported model; a split that it could not be run over is not there',
		}),
		warnings: Type.Optional(
			Type.Array(JobWarning, {
				description: 'what to know before the model is used; empty where nothing was found, and not there in jobs of earlier versions',
			}),
		),
		intervals: Type.Optional(
			Type.Record(Type.String(), Type.Record(Type.String(), nullable(Bounds)), {
				description:
					'by split and metric the 95 % interval of the main metric and of the loss, and under the loss quantile of coverage and interval_width, by 1,000 bootstrap resamples of the rows; null where the metric is undefined; not there where rows have many positions, of a loss that a graph computes itself or that is a sum over outputs, and in jobs of earlier versions',
			}),
		),
		unimodal: Type.Record(Type.String(), Type.Record(Type.String(), Metrics), {
			description: 'metrics of the model of each modality alone, by modality and split; empty where the method trains none, and in lists',
		}),
		modality_weights: Type.Record(Type.String(), ModalityWeight, {
			description: 'by modality, over the test split, or validation where there is no test split with metrics',
		}),
		expert_use: Type.Optional(
			Type.Record(Type.String(), Type.Array(Type.Number()), {
				description:
					'by <layer>.<router>, the share of each expert in what is routed, over the same split; of models with experts, and not in lists',
			}),
		),
		robustness: Type.Optional(ResultRobustness),
		weighting_choice: Type.Optional(WeightingChoice),
		loss: Type.Optional(
			Type.String({
				description:
					'the loss that training minimised and that the metrics report; of an uploaded graph that gives probabilities also where the logits are',
			}),
		),
		calibration: Type.Optional(CalibrationSummary),
		thresholds: Type.Optional(
			Type.Record(Type.String(), Type.Number(), {
				description:
					'of a job with evaluation.thresholds f1, the probability above which a label is predicted, by label, of the first 100; not in lists',
			}),
		),
		class_weights: Type.Optional(
			Type.Record(Type.String(), Type.Number(), {
				description: 'of a job with training.class_weights, how much each class counted in training, of the first 100; not in lists',
			}),
		),
		initializers: Type.Optional(
			Type.Object(
				{
					trained: Type.Integer({ description: 'how many initializers training changed by gradients' }),
					trained_names: Type.Array(Type.String(), { description: 'their names, 100 at most' }),
					kept: Type.Integer({ description: 'how many initializers of floating type stayed as they were uploaded' }),
					kept_names: Type.Array(Type.String(), { description: 'their names, 100 at most' }),
				},
				{ description: 'of an uploaded graph, what was trained and what was not; not in lists' },
			),
		),
		initialised: Type.Optional(
			Type.Object(
				{
					from: Type.String({ description: 'the job whose parameters they are' }),
					parameters: choice(['best', 'last'], { description: 'of which of its epochs' }),
					optimizer: Type.Boolean({ description: 'whether the state of the optimizer went on' }),
					taken: Type.Integer({ description: 'how many parameters were taken; those of unimodal models count too' }),
					taken_names: Type.Array(Type.String(), { description: 'their names, 100 at most' }),
					anew: Type.Integer({
						description: 'how many began as they would have without the job, because it has none of that name and shape',
					}),
					anew_names: Type.Array(Type.String(), { description: 'their names, 100 at most' }),
					left: Type.Integer({ description: 'how many parameters of that job have no place in the model' }),
					left_names: Type.Array(Type.String(), { description: 'their names, 100 at most' }),
				},
				{ description: 'of a job with training.initialise_from, what its models began with; not in lists' },
			),
		),
		best_epoch: Type.Integer({ description: 'the epoch, counted from 0, whose fusion model was chosen' }),
		epochs: Type.Integer({ description: 'epochs that the fusion model was trained for' }),
		skipped_steps: Type.Optional(
			Type.Integer({
				description:
					'of a job with training.precision float16, how many steps of its models changed nothing, because their gradients were too large for float16',
			}),
		),
		parameters: Type.Integer({ description: 'trained numbers in the exported model' }),
		seconds: Type.Number({ description: 'how long the attempt took that ended the job' }),
		device: choice(PROVIDERS, { description: 'what the job was trained on' }),
		device_note: nullable(Type.String({ description: 'why auto took what it took, where that needs a word' })),
	},
	{ description: 'what a job that succeeded came to' },
);
export type JobResult = Static<typeof JobResult>;

export const Artifact = Type.Object({
	name: Type.String({ description: 'the file name, by which it is downloaded' }),
	bytes: Type.Integer({ description: 'size' }),
	sha256: Type.String({ description: 'checksum, in hexadecimal' }),
	content_type: Type.String({ description: 'media type' }),
});
export type Artifact = Static<typeof Artifact>;

/** What a trainer measures of itself. */
export const Measured = Type.Object(
	{
		peak_memory_bytes: Type.Integer({ description: 'the most memory that its process has taken' }),
		step_seconds: Type.Optional(Type.Number({ description: 'time of an optimizer step, in the last run' })),
		refresh_seconds: Type.Optional(Type.Number({ description: 'time of the last refresh of the training weights' })),
		checkpoint_seconds: Type.Optional(Type.Number({ description: 'time to write the last checkpoint' })),
		checkpoint_bytes: Type.Optional(Type.Integer({ description: 'size of the last checkpoint' })),
	},
	{ description: 'by the trainer of the last attempt, about once a second; not there before its first step' },
);
export type Measured = Static<typeof Measured>;

export const JobResource = Type.Object({
	id: Type.String({ description: 'job_ and 26 characters' }),
	object: choice(['job'], { description: 'what kind of resource this is' }),
	project: ownProject,
	status: choice(JOB_STATUSES, { description: 'where the job stands' }),
	stage: nullable(choice(JOB_STAGES, { description: 'what a running job does; null while it does not run' })),
	progress: Type.Number({ minimum: 0, maximum: 1, description: 'of the whole job' }),
	epoch: nullable(Type.Integer({ description: 'of the model that is trained now, counted from 0' })),
	step: nullable(Type.Integer({ description: 'optimizer steps of that model' })),
	eta_seconds: nullable(Type.Number({ description: 'seconds that the job will probably still take' })),
	rows_per_second: Type.Optional(
		Type.Number({ description: 'training rows in a second, by the last report of the trainer; not there before the first' }),
	),
	measured: Type.Optional(Measured),
	metrics: Type.Union([Metrics, Type.Null()], {
		description: 'on validation: of the last epoch while the job runs, of the chosen model once the job has succeeded',
	}),
	modality_weights: nullable(
		Type.Record(Type.String(), Type.Number(), {
			description:
				'mean weight by modality: over the training rows after the last refresh while the job runs, those of `result.modality_weights` once the job has succeeded',
		}),
	),
	request_id: Type.Optional(
		Type.String({ description: 'x-request-id of the request that posted it; not there in what earlier versions made' }),
	),
	traceparent: Type.Optional(
		Type.String({ description: 'W3C trace context of that request; there where the service is told to make traces' }),
	),
	created_at: Type.Integer({ description: 'unix seconds' }),
	started_at: nullable(Type.Integer({ description: 'unix seconds; null before a worker took the job' })),
	finished_at: nullable(Type.Integer({ description: 'unix seconds; null before the job ended' })),
	attempt: Type.Integer({ description: 'how often a worker has taken the job; 0 while it was never taken' }),
	ran_seconds: Type.Optional(
		Type.Number({
			description:
				'how long the attempts ran that did not succeed, in seconds; one whose worker was lost does not count; not there before the first has ended so',
		}),
	),
	cancel_requested: Type.Boolean({ description: 'whether the job is asked to stop, which a running one does after its chunk of steps' }),
	pause_requested: Type.Optional(
		Type.Boolean({
			description: 'whether the job is asked to pause, which a running one does after its chunk of steps; not there where it never was',
		}),
	),
	reopened: Type.Optional(
		Type.Integer({
			description: 'how often it was resumed after it was cancelled, each of which gives it another end; not there where never',
		}),
	),
	setbacks: Type.Optional(
		Type.Object(
			{
				count: Type.Integer({ description: 'how many in a row; the fourth fails the job' }),
				progress: Type.Number({ description: 'how far the job had come, of the whole' }),
			},
			{
				description:
					'of a job whose worker was lost or whose trainer crashed: how often that happened without the job coming further; not there where it never did, or since the job was resumed',
			},
		),
	),
	short_of_memory: Type.Optional(
		Type.Object(
			{
				peak_memory_bytes: nullable(
					Type.Integer({
						description: 'the most that its trainers were seen to take, of which the job needs more; null where none was seen',
					}),
				),
				progress: Type.Number({ description: 'how far the job had come, of the whole' }),
			},
			{
				description:
					'of a job that ran out of memory, and since then computes values of a step a second time instead of keeping them; not there where it never did',
			},
		),
	),
	device: nullable(
		Type.Object(
			{
				provider: choice(PROVIDERS, { description: 'what the job is trained on' }),
				note: nullable(Type.String({ description: 'why auto took what it took, where that needs a word' })),
			},
			{ description: 'null before a worker took the job' },
		),
	),
	sweep: Type.Optional(
		Type.Object(
			{
				id: Type.String({ description: 'of the sweep' }),
				trial: Type.Integer({ description: 'the number of the trial in it, from 0' }),
			},
			{ description: 'of a job that a sweep made, whose trial it is; not there in other jobs' },
		),
	),
	spec: JobSpec,
	bytes: Type.Optional(Type.Integer({ description: 'of its files on the disk: artifacts, checkpoints, logs and records; in lists alone' })),
	result: nullable(JobResult),
	artifacts: Type.Array(Artifact, { description: 'the files of a job that succeeded' }),
	error: nullable(JobError),
	notified: Type.Optional(Notified),
	waiting: Type.Optional(
		nullable(
			Type.Object(JobError.properties, {
				description:
					'what a job waits for: a running one for room on the disk, a queued one for a worker that has what it needs (no_worker); null, or not there, while it goes on, or only waits for its turn',
			}),
		),
	),
});
export type JobResource = Static<typeof JobResource>;

/** A job as lists show it: without what grows with the modalities, the splits and the parameters of its model. */
export function listedJob(job: JobResource): JobResource {
	if (job.result === null) return job;
	const {
		unimodal: _unimodal,
		expert_use: _experts,
		robustness: _robustness,
		weighting_choice: _choice,
		thresholds: _thresholds,
		class_weights: _weights,
		initializers: _initializers,
		initialised: _initialised,
		...result
	} = job.result;
	return { ...job, result: { ...result, unimodal: {} } };
}
