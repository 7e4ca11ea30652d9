import type { JobError, JobEventBody, JobResult, Measured, ModelReport, Tally } from '@steelyard/contracts';
import type { PredictionOrder } from '@steelyard/queue';
import type { Devices } from '@steelyard/runtime';
import type { TrainOptions } from '@steelyard/trainer';

/** What a trainer is to do: the part of TrainOptions that is plain data. Files and folders are absolute paths. */
export type TrainOrder = Pick<TrainOptions, 'spec' | 'dataset' | 'model' | 'source' | 'output' | 'sparesMemory' | 'devices'> & {
	earlier: string[];
};

/** From the worker to the trainer process. `stop`: it is to write a last checkpoint and end. */
export type ToTrainer = { type: 'train'; options: TrainOrder } | { type: 'stop' };

/** From the trainer process to the worker: events in their order, what was measured since it last said so, then one end, after which it exits. `artifacts` are names of files in `output`. */
export type FromTrainer =
	| { type: 'event'; body: JobEventBody }
	| { type: 'measured'; latest: Measured; tally: Tally }
	| { type: 'done'; result: JobResult; artifacts: string[] }
	| { type: 'stopped' }
	| { type: 'failed'; error: JobError };

/** From the worker to the inspector process: the path of the upload, and that of the file to be written where the upload is an archive: the model as one file. */
export type ToInspector = { model: string; whole: string };

/**
 * From the inspector process to the worker, once. `unpacked`: the upload is an archive, and the model that it holds has been written. `failed`: the inspection
 * failed for a reason that does not lie in the model.
 */
export type FromInspector =
	| { type: 'report'; report: ModelReport; unpacked: boolean }
	| { type: 'refused'; error: JobError }
	| { type: 'failed'; message: string };

/** From the worker to the process that predicts: the path of a model, the rows that it is to be run over, and how many bytes of memory models that are kept ready may take. */
export type ToPredictor = Pick<PredictionOrder, 'job' | 'type' | 'body'> & { model: string; warmBytes: number };

/** From the process that predicts to the worker, for each order: `Predictions` as JSON, or why the rows were refused or the model could not be run over them. */
export type FromPredictor = { type: 'predicted'; text: string } | { type: 'refused'; error: JobError };

/** From the probe process to the worker, once. */
export type FromProbe = { type: 'devices'; devices: Devices };
