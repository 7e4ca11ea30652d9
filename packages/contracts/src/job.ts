import { type Static, Type } from 'typebox';
import { JobSpec } from './spec.js';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

export const JOB_STATUSES = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];
export const JOB_STAGES = ['preparing', 'unimodal', 'fusion', 'evaluating', 'exporting'] as const;
export type JobStage = (typeof JOB_STAGES)[number];
export const isFinal = (status: JobStatus): boolean => status === 'succeeded' || status === 'failed' || status === 'cancelled';

/** Metric name → value; null where it is undefined (one class only). */
export const Metrics = Type.Record(Type.String(), nullable(Type.Number()), {
	description:
		'classes: loss, accuracy, macro_f1, weighted_f1, auroc, auprc; multilabel: loss (mean over rows and labels), accuracy (share of right labels), subset_accuracy (of rows whose labels are all right), macro_f1, micro_f1 (a label is predicted above probability 0.5), auroc, auprc (means over labels); regression: loss, mae, rmse, pearson; null where undefined, as with one class only',
});
export type Metrics = Static<typeof Metrics>;

export const ModalityWeight = Type.Object({
	mean: Type.Number(),
	p10: Type.Number(),
	p90: Type.Number(),
	mutual_information: nullable(Type.Number({ description: 'nats' })),
});
export type ModalityWeight = Static<typeof ModalityWeight>;

export const JobResult = Type.Object({
	metrics: Type.Record(Type.String(), Metrics, { description: 'split → metrics, measured by running the exported graph' }),
	unimodal: Type.Record(Type.String(), Type.Record(Type.String(), Metrics), {
		description: 'modality → split → metrics; empty for uniform',
	}),
	modality_weights: Type.Record(Type.String(), ModalityWeight, { description: 'over the test split, or validation where there is none' }),
	expert_use: Type.Optional(
		Type.Record(Type.String(), Type.Array(Type.Number()), {
			description: 'of a model with experts: <layer>.<router> → the share of each expert in what is routed, over the same split',
		}),
	),
	best_epoch: Type.Integer(),
	epochs: Type.Integer(),
	parameters: Type.Integer(),
	seconds: Type.Number(),
	device: Type.Unsafe<'cpu' | 'cuda'>({ type: 'string', enum: ['cpu', 'cuda'] }),
	device_note: nullable(Type.String({ description: 'why auto fell back' })),
});
export type JobResult = Static<typeof JobResult>;

export const Artifact = Type.Object({ name: Type.String(), bytes: Type.Integer(), sha256: Type.String(), content_type: Type.String() });
export type Artifact = Static<typeof Artifact>;

export const JobError = Type.Object({ code: Type.String(), message: Type.String(), param: nullable(Type.String()) });
export type JobError = Static<typeof JobError>;

export const JobResource = Type.Object({
	id: Type.String(),
	object: Type.Unsafe<'job'>({ type: 'string', enum: ['job'] }),
	status: Type.Unsafe<JobStatus>({ type: 'string', enum: [...JOB_STATUSES] }),
	stage: nullable(Type.Unsafe<JobStage>({ type: 'string', enum: [...JOB_STAGES] })),
	progress: Type.Number({ minimum: 0, maximum: 1 }),
	epoch: nullable(Type.Integer()),
	step: nullable(Type.Integer()),
	eta_seconds: nullable(Type.Number()),
	metrics: nullable(Metrics),
	modality_weights: nullable(Type.Record(Type.String(), Type.Number())),
	created_at: Type.Integer(),
	started_at: nullable(Type.Integer()),
	finished_at: nullable(Type.Integer()),
	attempt: Type.Integer({ description: 'how often a worker has taken the job; 0 while queued' }),
	cancel_requested: Type.Boolean(),
	device: nullable(
		Type.Object({ provider: Type.Unsafe<'cpu' | 'cuda'>({ type: 'string', enum: ['cpu', 'cuda'] }), note: nullable(Type.String()) }),
	),
	spec: JobSpec,
	result: nullable(JobResult),
	artifacts: Type.Array(Artifact),
	error: nullable(JobError),
});
export type JobResource = Static<typeof JobResource>;
