import {
	Artifact,
	DatasetResource,
	JOB_STAGES,
	JOB_STATUSES,
	JobError,
	JobResource,
	JobSpec,
	Metrics,
	ModelResource,
	Problem,
} from '@steelyard/contracts';
import { Type } from 'typebox';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Numbers = Type.Record(Type.String(), Type.Number());
const literal = (value: string) => Type.String({ enum: [value] });

const epoch = {
	stage: Type.String({ enum: [...JOB_STAGES] }),
	model: Type.String({ description: "a modality's name in the stage unimodal, else fusion" }),
	epoch: Type.Integer(),
	train_loss: Type.Number(),
	validation: Metrics,
	learning_rate: Type.Number(),
	best: Type.Boolean(),
};
const weights = {
	epoch: Type.Integer(),
	modality_weights: Numbers,
	mutual_information: nullable(Numbers),
	smoothing: Type.Number(),
	seconds: Type.Number(),
};
const stamp = { id: Type.String({ description: 'grows within a job' }), at: Type.Integer({ description: 'unix milliseconds' }) };

const JobEvent = Type.Union([
	Type.Object({
		...stamp,
		type: literal('status'),
		status: Type.String({ enum: [...JOB_STATUSES] }),
		attempt: Type.Integer(),
		error: nullable(JobError),
	}),
	Type.Object({ ...stamp, type: literal('device'), provider: Type.String({ enum: ['cpu', 'cuda'] }), note: nullable(Type.String()) }),
	Type.Object({ ...stamp, type: literal('stage'), stage: Type.String({ enum: [...JOB_STAGES] }) }),
	Type.Object({
		...stamp,
		type: literal('progress'),
		stage: Type.String({ enum: [...JOB_STAGES] }),
		model: Type.String(),
		progress: Type.Number({ minimum: 0, maximum: 1 }),
		epoch: Type.Integer(),
		epochs: Type.Integer(),
		step: Type.Integer(),
		steps: Type.Integer(),
		loss: Type.Number(),
		rows_per_second: Type.Number(),
		eta_seconds: nullable(Type.Number()),
	}),
	Type.Object({ ...stamp, type: literal('epoch'), ...epoch }),
	Type.Object({ ...stamp, type: literal('weights'), ...weights }),
]);

const JobCurves = Type.Object({
	object: literal('metrics'),
	epochs: Type.Array(Type.Object({ ...stamp, ...epoch })),
	weights: Type.Array(Type.Object({ ...stamp, ...weights })),
});

const Devices = Type.Object({
	cpu: Type.Object({ available: Type.Boolean() }),
	cuda: Type.Object({ available: Type.Boolean(), note: nullable(Type.String()) }),
});

const Readiness = Type.Object({
	ready: Type.Boolean(),
	redis: Type.Object({
		ok: Type.Boolean(),
		version: nullable(Type.String()),
		eviction_policy: nullable(Type.String()),
		kind: Type.String(),
		note: nullable(Type.String()),
	}),
	store: Type.Object({ ok: Type.Boolean(), free_bytes: nullable(Type.Integer()), note: nullable(Type.String()) }),
	workers: Type.Array(
		Type.Object({
			id: Type.String(),
			pid: Type.Integer(),
			started_at: Type.Integer(),
			version: Type.String(),
			devices: Devices,
			jobs: Type.Array(Type.String()),
		}),
	),
});

/** Every schema that the document names. */
export const components = {
	Artifact,
	Dataset: DatasetResource,
	Model: ModelResource,
	Job: JobResource,
	JobSpec,
	JobEvent,
	JobCurves,
	Readiness,
	Problem,
} as const;
