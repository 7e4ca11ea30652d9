import { type Static, Type } from 'typebox';

export const ListQuery = Type.Object(
	{ limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }), after: Type.Optional(Type.String({ maxLength: 64 })) },
	{ additionalProperties: false },
);
export type ListQuery = Static<typeof ListQuery>;

/** A page of resources, newest first; `after` is the id of the last one seen. */
export type List<T> = { object: 'list'; data: T[]; has_more: boolean };

/** RFC 9457 problem details with our `code` and the offending field. */
export const Problem = Type.Object({
	type: Type.String(),
	title: Type.String(),
	status: Type.Integer(),
	detail: Type.String(),
	code: Type.String(),
	param: Type.Union([Type.String(), Type.Null()]),
	errors: Type.Optional(Type.Array(Type.Object({ param: Type.String(), detail: Type.String() }))),
});
export type Problem = Static<typeof Problem>;

/** What a worker says of the devices that it can train on; `note` are the provider's own words where it is not available. */
export type WorkerDevices = { cpu: { available: true }; cuda: { available: boolean; note: string | null } };
export type WorkerStatus = { id: string; pid: number; started_at: number; version: string; devices: WorkerDevices; jobs: string[] };

export type Readiness = {
	ready: boolean;
	redis: { ok: boolean; version: string | null; eviction_policy: string | null; kind: string; note: string | null };
	store: { ok: boolean; free_bytes: number | null; note: string | null };
	workers: WorkerStatus[];
};
