import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { JOB_STAGES, Metrics, PROVIDERS } from './job.js';
import { JobError } from './job-error.js';
import { JOB_STATUSES } from './job-status.js';
import { nullable } from './nullable.js';
import { JobWarning } from './warning.js';

const Stage = choice(JOB_STAGES, { description: 'what the job does' });
const Model = Type.String({ description: 'the model that is trained: in the stage unimodal the name of its modality, else fusion' });

/** One epoch of one model, as the curves of a job show it. */
export const EpochPoint = Type.Object({
	stage: Stage,
	model: Model,
	epoch: Type.Integer({ description: 'counted from 0' }),
	train_loss: Type.Number({
		description:
			'mean over the rows of the epoch, each under the parameters of its step; with training.class_weights that of the weighed loss',
	}),
	validation: Metrics,
	learning_rate: Type.Number({ description: 'at the end of the epoch' }),
	best: Type.Boolean({ description: 'whether the model is the best on validation so far' }),
});
export type EpochPoint = Static<typeof EpochPoint>;

/** One refresh of the training weights, as the curves of a job show it. */
export const WeightsPoint = Type.Object({
	epoch: Type.Integer({ description: 'of the fusion model, counted from 0, in which the weights were made' }),
	modality_weights: Type.Record(Type.String(), Type.Number(), { description: 'by modality, the mean over the training split' }),
	spread: Type.Optional(
		Type.Record(
			Type.String(),
			Type.Object({
				p10: Type.Number({ description: 'one row in ten has a smaller weight' }),
				p90: Type.Number({ description: 'one row in ten has a larger weight' }),
			}),
			{ description: 'by modality, over the rows of the training split that have it; not there in jobs of earlier versions' },
		),
	),
	mutual_information: nullable(
		Type.Record(Type.String(), Type.Number(), { description: 'by modality, in nats; null where the method has none' }),
	),
	smoothing: Type.Number({ description: 'the share of the fresh weights, where the method smooths them' }),
	seconds: Type.Number({ description: 'how long the refresh took' }),
});
export type WeightsPoint = Static<typeof WeightsPoint>;

const StatusEvent = Type.Object({
	type: choice(['status']),
	status: choice(JOB_STATUSES, { description: 'where the job stands from now on' }),
	attempt: Type.Integer({ description: 'how often a worker has taken the job' }),
	error: nullable(JobError),
});
const DeviceEvent = Type.Object({
	type: choice(['device']),
	provider: choice(PROVIDERS, { description: 'what the attempt trains on' }),
	note: nullable(Type.String({ description: 'why auto took the CPU' })),
});
const StageEvent = Type.Object({ type: choice(['stage']), stage: Stage });
const ProgressEvent = Type.Object({
	type: choice(['progress']),
	stage: Stage,
	model: Model,
	progress: Type.Number({ minimum: 0, maximum: 1, description: 'of the whole job' }),
	epoch: Type.Integer({ description: 'counted from 0' }),
	epochs: Type.Integer({ description: 'that the model trains for, if it does not stop early' }),
	step: Type.Integer({ description: 'optimizer steps that the model has taken' }),
	steps: Type.Integer({ description: 'that the model takes, if it does not stop early' }),
	loss: Type.Number({ description: 'mean over the rows of the running epoch so far' }),
	rows_per_second: Type.Number({ description: 'training rows in a second of the last run' }),
	eta_seconds: nullable(Type.Number({ description: 'seconds that the job will probably still take' })),
});
const EpochEvent = Type.Object({ type: choice(['epoch']), ...EpochPoint.properties });
const WeightsEvent = Type.Object({ type: choice(['weights']), ...WeightsPoint.properties });
const WaitingEvent = Type.Object({
	type: choice(['waiting']),
	reason: nullable(
		Type.Object(JobError.properties, { description: 'what the job waits for, such as room on the disk; null when it goes on' }),
	),
});
const WarningEvent = Type.Object({ type: choice(['warning']), ...JobWarning.properties });

/** What happens in a job, as its trainer reports it. */
export const JobEventBody = Type.Union([
	StatusEvent,
	DeviceEvent,
	StageEvent,
	ProgressEvent,
	EpochEvent,
	WeightsEvent,
	WarningEvent,
	WaitingEvent,
]);
export type JobEventBody = Static<typeof JobEventBody>;

const Stamp = Type.Object({
	id: Type.String({ description: 'grows within a job; a stream goes on after the one that Last-Event-ID names' }),
	at: Type.Integer({ description: 'unix milliseconds' }),
});

/** What happened in a job, and when. */
export const JobEvent = Type.Intersect([Stamp, JobEventBody]);
export type JobEvent = Static<typeof JobEvent>;

/** The curves of a job, oldest point first. They hold the data of its `epoch` and `weights` events, without the stamp of these. */
export const JobCurves = Type.Object({
	object: choice(['metrics']),
	epochs: Type.Array(EpochPoint, {
		description:
			'of all models, in the order in which they were trained; of a model with more than 2,048 every second, fourth and so on, the last of the best and the newest',
	}),
	weights: Type.Array(WeightsPoint, { description: 'empty where the method makes no training weights; thinned out as the epochs are' }),
});
export type JobCurves = Static<typeof JobCurves>;
