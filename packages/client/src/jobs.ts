import type {
	Artifact,
	FoundList,
	JobChange,
	JobCurves,
	JobEvent,
	JobListChange,
	JobLogLine,
	JobRequest,
	JobResource,
	JobsQuery,
	List,
	PredictionRequest,
	Predictions,
} from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';
import type { Page } from './datasets.js';
import { type FollowOptions, follow } from './follow.js';

/** Which page of which jobs, and in which order. All that is given must hold; of several statuses one. */
export type JobsPage = Partial<JobsQuery>;

/** Training jobs of the service. */
export type Jobs = {
	/** Posts a job. The same `idempotencyKey` with the same spec gives the same job, however often it is sent. */
	create(spec: JobRequest, options?: { idempotencyKey?: string }): Promise<JobResource>;
	get(id: string): Promise<JobResource>;
	/** Gives a page of jobs, newest first unless sorted otherwise. What follows is after its `next`. */
	list(page?: JobsPage): Promise<FoundList<JobResource>>;
	/** Changes the name, which null takes away, and the metadata. Entries of metadata that are not named stay; null removes one. */
	update(id: string, change: JobChange): Promise<JobResource>;
	/** Cancels a job: a queued one at once; a running one is asked to stop, and its status is `cancelled` some seconds later. */
	cancel(id: string): Promise<JobResource>;
	/** Pauses a job: a queued one at once; a running one is asked to, and its status is `paused` about two seconds later. */
	pause(id: string): Promise<JobResource>;
	/** Queues a paused or cancelled job again, which goes on from its last checkpoint. */
	resume(id: string): Promise<JobResource>;
	/** Deletes a job that has ended, with its events and artifacts. */
	remove(id: string): Promise<void>;
	/** Gives the events of a job, live until its final status. When the connection breaks, it connects again and goes on where it was. */
	events(id: string, options?: FollowOptions): AsyncIterable<JobEvent>;
	/**
	 * Gives what changes the list of the jobs of the project, without end. Upon `reset`, which comes first, load the list; a job that changes comes then as it is now.
	 * When the connection breaks, it connects again and gives what has changed meanwhile.
	 */
	watch(options?: FollowOptions): AsyncIterable<JobListChange>;
	/** Gives lines of the log of a job, oldest first: those that follow the line `after`, else the last ones. */
	logs(id: string, page?: Page): Promise<List<JobLogLine>>;
	/** Gives the curves of a job. */
	metrics(id: string): Promise<JobCurves>;
	/** Has the trained model run over rows: by the columns of its table, with null where nothing is there, or else by its modalities; or over the text of a csv file. */
	predict(id: string, rows: PredictionRequest['rows'] | string): Promise<Predictions>;
	/** Lists all artifacts of a job. */
	artifacts(id: string): Promise<List<Artifact>>;
	/** Gives the answer with an artifact, whose body the caller reads. With `range: 'bytes=…'` it goes on with a download that was cut. */
	download(id: string, name: string, options?: { range?: string; signal?: AbortSignal }): Promise<Response>;
};

/** Whether nothing follows after an event, unless the job was resumed. */
const isEnd = (event: JobEvent) => event.type === 'status' && ['succeeded', 'failed', 'cancelled'].includes(event.status);

export function jobs(connection: Connection): Jobs {
	const path = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
	return {
		async create(spec, { idempotencyKey } = {}) {
			return jsonOf(await connection('POST', '/v1/jobs', { json: spec, idempotent: { key: idempotencyKey } }));
		},
		async get(id) {
			return jsonOf(await connection('GET', path(id)));
		},
		async list(page = {}) {
			return jsonOf(await connection('GET', '/v1/jobs', { query: page }));
		},
		async update(id, change) {
			return jsonOf(await connection('PATCH', path(id), { json: change }));
		},
		async cancel(id) {
			return jsonOf(await connection('POST', `${path(id)}/cancel`));
		},
		async pause(id) {
			return jsonOf(await connection('POST', `${path(id)}/pause`));
		},
		async resume(id) {
			return jsonOf(await connection('POST', `${path(id)}/resume`));
		},
		async remove(id) {
			await connection('DELETE', path(id));
		},
		events: (id, options) => follow<JobEvent>(connection, { path: `${path(id)}/events`, isLast: isEnd }, options),
		watch: (options) => follow<JobListChange>(connection, { path: '/v1/job-changes', isLast: () => false }, options),
		async logs(id, page = {}) {
			return jsonOf(await connection('GET', `${path(id)}/logs`, { query: page }));
		},
		async metrics(id) {
			return jsonOf(await connection('GET', `${path(id)}/metrics`));
		},
		async predict(id, rows) {
			const sent = typeof rows === 'string' ? { body: new Blob([rows]), headers: { 'content-type': 'text/csv' } } : { json: { rows } };
			return jsonOf(await connection('POST', `${path(id)}/predict`, sent));
		},
		async artifacts(id) {
			return jsonOf(await connection('GET', `${path(id)}/artifacts`));
		},
		download: (id, name, { range, signal } = {}) =>
			connection('GET', `${path(id)}/artifacts/${encodeURIComponent(name)}`, { headers: range === undefined ? {} : { range }, signal }),
	};
}
