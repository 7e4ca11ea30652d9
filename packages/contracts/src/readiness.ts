import { type Static, Type } from 'typebox';
import { nullable } from './nullable.js';

/** What a worker can train on. */
export const WorkerDevices = Type.Object({
	cpu: Type.Object({ available: Type.Literal(true) }),
	cuda: Type.Object({
		available: Type.Boolean(),
		note: nullable(Type.String({ description: "why it is not available, in the provider's own words" })),
	}),
	webgpu: Type.Optional(
		Type.Object({
			available: Type.Boolean(),
			adapter: nullable(Type.String({ description: 'what its driver calls the GPU, where it says' })),
			software: nullable(
				Type.Boolean({ description: 'whether a processor plays the GPU, which auto never takes; null where that is not known' }),
			),
			note: nullable(Type.String({ description: "why it is not available, in the provider's own words" })),
		}),
	),
});
export type WorkerDevices = Static<typeof WorkerDevices>;

/** A worker that is alive, as it describes itself. */
export const WorkerStatus = Type.Object({
	id: Type.String(),
	pid: Type.Integer({ description: 'of its process' }),
	started_at: Type.Integer({ description: 'unix seconds' }),
	version: Type.String(),
	devices: WorkerDevices,
	cores: Type.Optional(Type.Integer({ description: 'of its machine that it may use' })),
	memory_bytes: Type.Optional(Type.Integer({ description: 'of its machine, or of its container where that has less' })),
	memory_used_bytes: Type.Optional(Type.Integer({ description: 'that are taken of these, by whatever runs there' })),
	job_memory_bytes: Type.Optional(Type.Integer({ description: 'that the trainer of one job may take' })),
	labels: Type.Optional(Type.Array(Type.String(), { description: 'by which jobs ask for it' })),
	slots: Type.Optional(Type.Integer({ description: 'how many jobs it runs at the same time' })),
	free_slots: Type.Optional(Type.Integer({ description: 'how many more it would run now' })),
	jobs: Type.Array(Type.String(), {
		description: 'ids of the jobs that it runs and that the key may see; without a key none, where the service demands one',
	}),
});
export type WorkerStatus = Static<typeof WorkerStatus>;

/** Whether the service can take jobs and keep their results, and which workers there are. */
export const Readiness = Type.Object({
	ready: Type.Boolean({ description: 'whether Redis and the data folder will do; jobs wait where no worker is there' }),
	redis: Type.Object({
		ok: Type.Boolean(),
		version: nullable(Type.String()),
		eviction_policy: nullable(Type.String({ description: 'null where Redis does not say' })),
		kind: Type.String({
			description:
				'url: the one that REDIS_URL names; binary: one that the service started; javascript: the same in JavaScript; embedded: one of the two, which does not answer',
		}),
		note: nullable(Type.String({ description: 'what is wrong, or what should be known' })),
	}),
	store: Type.Object({
		ok: Type.Boolean(),
		free_bytes: nullable(Type.Integer()),
		note: nullable(Type.String({ description: 'what is wrong' })),
	}),
	workers: Type.Array(WorkerStatus),
});
export type Readiness = Static<typeof Readiness>;
