import { type JobResource, type JobResult, type ModelReport, parseJobSpec } from '@steelyard/contracts';
import { createId } from '@steelyard/store';
import { queueOf } from '../src/pools.js';

/** What the keys of BullMQ begin with that bring jobs to workers which have nothing that not every worker has. */
export const DELIVERIES = `steelyard:2:deliveries:${queueOf({ devices: [], memory: 0, labels: [] })}`;

export const newJob = (dataset = 'ds_ward', model: object = {}, training: object = {}): JobResource => ({
	id: createId('job'),
	object: 'job',
	status: 'queued',
	stage: null,
	progress: 0,
	epoch: null,
	step: null,
	eta_seconds: null,
	metrics: null,
	modality_weights: null,
	created_at: 1_795_000_000,
	started_at: null,
	finished_at: null,
	attempt: 0,
	cancel_requested: false,
	device: null,
	spec: parseJobSpec({ dataset, model, training }),
	result: null,
	artifacts: [],
	error: null,
});

export const result: JobResult = {
	metrics: { test: { accuracy: 0.5 } },
	unimodal: {},
	modality_weights: {},
	best_epoch: 1,
	epochs: 2,
	parameters: 3,
	seconds: 4,
	device: 'cpu',
	device_note: null,
};
export const report: ModelReport = { opset: 18, inputs: [], outputs: [], parameters: [], operators: { Relu: 1 }, blockers: [] };
export const outcome = { result, artifacts: [{ name: 'model.onnx', bytes: 1, sha256: 'a', content_type: 'application/octet-stream' }] };
