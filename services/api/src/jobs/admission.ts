import {
	admit,
	type DatasetResource,
	type JobLimits,
	type JobResource,
	type JobSpec,
	limitProblems,
	type ModelInterface,
	type ModelResource,
	ProblemError,
	sourceProblems,
	type WorkerStatus,
} from '@steelyard/contracts';
import { machineMemory } from '@steelyard/service-process';

/** What a job may take at most; `memory` is null where that follows from the machines, `checkpoints` where any bytes will do. */
export type JobBounds = { memory: number | null; work: number; checkpoints: number | null };

/** What a spec names. `model`: the uploaded one of the family `custom`, null where there is none. `source`: the job that it begins with, null where there is none. */
export type Named = { dataset: DatasetResource; model: ModelResource | null; source: JobResource | null };

/** What the graph of a model takes and gives; null where it is not known. */
const interfaceOf = (model: ModelResource | null): ModelInterface | null => (model?.status === 'ready' ? model.report : null);

/** The uploaded model that a job names is there, and inspection found that it can be trained. */
function* modelProblems({ model: config }: JobSpec, model: ModelResource | null): Iterable<ProblemError> {
	if (config.family !== 'custom' || interfaceOf(model) !== null) return;
	const id = config.model;
	if (model === null) yield new ProblemError('model_not_found', `There is no model ${id}`, 'model.model');
	else if (model.status === 'inspecting')
		yield new ProblemError('model_not_ready', `${id} is still being inspected; try again in a while`, 'model.model');
	else yield new ProblemError('invalid_model', `${id} was refused: ${model.error?.message ?? 'it has no report'}`, 'model.model');
}

const DEVICE_NAMES = { cuda: 'CUDA', webgpu: 'WebGPU' } as const;

/** CUDA and WebGPU are refused where every live worker reports that it has none; where none is live the job waits, and the worker that takes it decides. */
function* deviceProblems({ device }: JobSpec, workers: readonly WorkerStatus[]): Iterable<ProblemError> {
	if (device === 'auto' || device === 'cpu' || workers.length === 0) return;
	const found = workers.map(({ devices }) => devices[device]);
	if (found.some((one) => one?.available)) return;
	const notes = new Set(found.map((one) => one?.note ?? 'no reason given'));
	yield new ProblemError('device_unavailable', `No worker can train on ${DEVICE_NAMES[device]}: ${[...notes].join('; ')}`, 'device');
}

/** A trainer has no more threads than its machine has cores: they would wait for each other. Where no worker says how many it has, any number is taken. */
function* threadProblems({ training: { threads } }: JobSpec, workers: readonly WorkerStatus[]): Iterable<ProblemError> {
	const cores = Math.max(...workers.map((worker) => worker.cores ?? Number.POSITIVE_INFINITY));
	if (workers.length > 0 && threads > cores)
		yield new ProblemError(
			'invalid_request',
			`training.threads must be at most ${cores}, the cores that the largest worker has, found ${threads}`,
			'training.threads',
		);
}

/** The share of the memory of a machine that a job may take, unless the service is told how much. */
const SHARE = 0.75;

/** What a job may take: of memory what is configured, else a share of what the largest worker has, or this machine where none says. */
function limitsOf({ memory, work, checkpoints }: JobBounds, workers: readonly WorkerStatus[]): JobLimits {
	const known = workers.flatMap(({ memory_bytes: bytes }) => bytes ?? []);
	return {
		memory: memory ?? SHARE * (known.length === 0 ? machineMemory() : Math.max(...known)),
		work,
		checkpoints: checkpoints ?? Number.POSITIVE_INFINITY,
	};
}

/** Refuses a job that does not fit the dataset and the model that it names, or that no worker could train. Throws the first ProblemError that stands against it. */
export function checkJob(spec: JobSpec, { dataset, model, source }: Named, workers: readonly WorkerStatus[], limits: JobBounds): void {
	const found = interfaceOf(model);
	const [problem] = [
		...admit(spec, dataset, found),
		...modelProblems(spec, model),
		...sourceProblems(spec, source, dataset),
		...deviceProblems(spec, workers),
		...threadProblems(spec, workers),
		...limitProblems(spec, dataset, found, limitsOf(limits, workers)),
	];
	if (problem !== undefined) throw problem;
}
