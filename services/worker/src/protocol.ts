import type { JobError, JobEventBody, JobResult, ModelReport } from '@steelyard/contracts';
import type { Devices } from '@steelyard/runtime';
import type { TrainOptions } from '@steelyard/trainer';

/** What the trainer is to do: the part of its options that is plain data. Files and folders are absolute paths. */
export type TrainOrder = Pick<TrainOptions, 'spec' | 'dataset' | 'model' | 'output'> & { earlier: string[] };

/** From the worker to its trainer child. `stop`: end after a last checkpoint. */
export type ToTrainer = { type: 'train'; options: TrainOrder } | { type: 'stop' };

/** From the trainer child to its worker: events in order, then one end, after which it exits. `artifacts` are file names in the order's output. */
export type FromTrainer =
	| { type: 'event'; body: JobEventBody }
	| { type: 'done'; result: JobResult; artifacts: string[] }
	| { type: 'stopped' }
	| { type: 'failed'; error: JobError };

/** From the worker to its inspector child: the path of the model. */
export type ToInspector = { model: string };

/** From the inspector child to its worker, once. `failed`: it met something for which the model is not to blame. */
export type FromInspector =
	| { type: 'report'; report: ModelReport }
	| { type: 'refused'; error: JobError }
	| { type: 'failed'; message: string };

/** From the probe child to its worker. */
export type FromProbe = { type: 'devices'; devices: Devices };
