import type { JobError, JobStage, JobStatus, Metrics } from './job.js';
import type { Device } from './spec.js';

/** What happens in a job, in order. `model` is a modality's name in the stage `unimodal`, else `fusion`. */
export type JobEventBody =
	| { type: 'status'; status: JobStatus; attempt: number; error: JobError | null }
	| { type: 'device'; provider: Exclude<Device, 'auto'>; note: string | null }
	| { type: 'stage'; stage: JobStage }
	| {
			type: 'progress';
			stage: JobStage;
			model: string;
			/** of the whole job, 0–1 */
			progress: number;
			epoch: number;
			epochs: number;
			/** optimizer steps taken by this model */
			step: number;
			steps: number;
			loss: number;
			rows_per_second: number;
			eta_seconds: number | null;
	  }
	| {
			type: 'epoch';
			stage: JobStage;
			model: string;
			epoch: number;
			train_loss: number;
			validation: Metrics;
			learning_rate: number;
			best: boolean;
	  }
	| {
			type: 'weights';
			epoch: number;
			/** mean over the training split, by modality */
			modality_weights: Record<string, number>;
			mutual_information: Record<string, number> | null;
			smoothing: number;
			seconds: number;
	  };

/** `id` grows within a job and is what `Last-Event-ID` resumes from; `at` is unix milliseconds. */
export type JobEvent = { id: string; at: number } & JobEventBody;

/** Curves of a job, as `GET /v1/jobs/:id/metrics` gives them. */
export type JobCurves = {
	object: 'metrics';
	epochs: Array<Omit<Extract<JobEventBody, { type: 'epoch' }>, 'type'>>;
	weights: Array<Omit<Extract<JobEventBody, { type: 'weights' }>, 'type'>>;
};
