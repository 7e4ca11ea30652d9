import type { Artifact, JobCurves, JobEvent, JobResource, JobSpec, List } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { Page } from './datasets.js';
import { type FollowOptions, follow } from './follow.js';

type Open<T> = T extends readonly unknown[] ? T : T extends object ? { [K in keyof T]?: Open<T[K]> | undefined } : T;

/** A job as it may be posted: every field but `dataset` has a default. */
export type JobRequest = Open<Omit<JobSpec, 'dataset'>> & { dataset: string };

export type Jobs = {
	/** The same `idempotencyKey` with the same spec gives the same job, however often it is sent. */
	create(spec: JobRequest, options?: { idempotencyKey?: string }): Promise<JobResource>;
	get(id: string): Promise<JobResource>;
	/** Newest first. */
	list(page?: Page): Promise<List<JobResource>>;
	/** A queued job ends at once; a running one within seconds, see its status. */
	cancel(id: string): Promise<JobResource>;
	/** Live until the final status, taking up a broken connection where it was cut. */
	events(id: string, options?: FollowOptions): AsyncIterable<JobEvent>;
	metrics(id: string): Promise<JobCurves>;
	artifacts(id: string): Promise<List<Artifact>>;
	/** The body as it comes; give `range: 'bytes=…'` to go on with a download that was cut. */
	download(id: string, name: string, options?: { range?: string; signal?: AbortSignal }): Promise<Response>;
};

export function jobs(connection: Connection): Jobs {
	const path = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
	return {
		async create(spec, { idempotencyKey } = {}) {
			const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
			return jsonOf(await connection('POST', '/v1/jobs', { json: spec, headers }));
		},
		async get(id) {
			return jsonOf(await connection('GET', path(id)));
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/jobs', { query: page }));
		},
		async cancel(id) {
			return jsonOf(await connection('POST', `${path(id)}/cancel`));
		},
		events: (id, options) => follow(connection, id, options),
		async metrics(id) {
			return jsonOf(await connection('GET', `${path(id)}/metrics`));
		},
		async artifacts(id) {
			return jsonOf(await connection('GET', `${path(id)}/artifacts`));
		},
		download: (id, name, { range, signal } = {}) =>
			connection('GET', `${path(id)}/artifacts/${encodeURIComponent(name)}`, { headers: range === undefined ? {} : { range }, signal }),
	};
}
