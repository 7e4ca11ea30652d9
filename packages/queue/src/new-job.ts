import type { JobResource, JobSpec } from '@steelyard/contracts';
import { createId } from '@steelyard/store';

/** What made a job, and the project that it is made in. */
export type Origin = Pick<JobResource, 'project' | 'request_id' | 'traceparent' | 'sweep'>;

/** The record of a job that waits for a worker, under a new id unless one is given. */
export const newJob = (spec: JobSpec, { project, request_id, traceparent, sweep }: Origin, id: string = createId('job')): JobResource => ({
	id,
	object: 'job',
	...(project === undefined ? {} : { project }),
	status: 'queued',
	stage: null,
	progress: 0,
	epoch: null,
	step: null,
	eta_seconds: null,
	metrics: null,
	modality_weights: null,
	...(request_id === undefined ? {} : { request_id }),
	...(traceparent === undefined ? {} : { traceparent }),
	created_at: Math.floor(Date.now() / 1000),
	started_at: null,
	finished_at: null,
	attempt: 0,
	cancel_requested: false,
	device: null,
	...(sweep === undefined ? {} : { sweep }),
	spec,
	result: null,
	artifacts: [],
	error: null,
});
