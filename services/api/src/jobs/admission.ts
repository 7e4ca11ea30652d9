import {
	type Abilities,
	admit,
	type DatasetResource,
	fits,
	type JobLimits,
	type JobResource,
	type JobSpec,
	lackOf,
	limitProblems,
	type ModelInterface,
	type ModelResource,
	needsInWords,
	needsOf,
	ProblemError,
	sourceProblems,
	type WorkerStatus,
} from '@steelyard/contracts';
import type { Queue } from '@steelyard/queue';
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

/** What is known of the workers: those that are alive, and what those of the last day had. */
export type KnownWorkers = { workers: readonly WorkerStatus[]; seen: readonly Abilities[] };

export const knownWorkers = async ({ workers }: Pick<Queue, 'workers'>): Promise<KnownWorkers> => {
	const [living, { seen }] = await Promise.all([workers.list(), workers.abilities()]);
	return { workers: living, seen };
};

/**
 * What a job needs is refused where no worker of the last day had it. Where one had it, the job waits for one, and so it does in a new installation, which has
 * seen none.
 */
function* needsProblems(spec: JobSpec, { workers, seen }: KnownWorkers): Iterable<ProblemError> {
	const needs = needsOf(spec);
	if (seen.length === 0 || seen.some((abilities) => fits(needs, abilities))) return;
	const { device } = needs;
	if (device !== null && !seen.some(({ devices }) => devices.includes(device))) {
		const notes = new Set(workers.map(({ devices }) => devices[device]?.note ?? 'no reason given'));
		const why = notes.size === 0 ? 'none of the last day had it' : [...notes].join('; ');
		yield new ProblemError('device_unavailable', `No worker can train on ${DEVICE_NAMES[device]}: ${why}`, 'device');
	} else
		yield new ProblemError(
			'no_worker',
			`The job needs a worker that has ${needsInWords(needs)}; no worker of the last day had it`,
			'requires',
		);
}

/** A job as it is shown: where it is queued and no worker that is alive has what it needs, with the reason for which it waits. */
export async function withReason<T extends JobResource>({ workers }: Pick<Queue, 'workers'>, jobs: readonly T[]): Promise<T[]> {
	if (!jobs.some(({ status }) => status === 'queued')) return [...jobs];
	const { living } = await workers.abilities();
	return jobs.map((job) => {
		const waiting = job.status === 'queued' ? lackOf(needsOf(job.spec), living) : null;
		return waiting === null ? job : { ...job, waiting };
	});
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
export function checkJob(spec: JobSpec, { dataset, model, source }: Named, known: KnownWorkers, limits: JobBounds): void {
	const { workers } = known;
	const found = interfaceOf(model);
	const [problem] = [
		...admit(spec, dataset, found),
		...modelProblems(spec, model),
		...sourceProblems(spec, source, dataset),
		...needsProblems(spec, known),
		...threadProblems(spec, workers),
		...limitProblems(spec, dataset, found, limitsOf(limits, workers)),
	];
	if (problem !== undefined) throw problem;
}
