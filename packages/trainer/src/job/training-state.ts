import { type JobSpec, ProblemError, TRAINING_STATE } from '@steelyard/contracts';
import type { Dataset } from '@steelyard/dataset';
import type { Tensor } from '@steelyard/runtime';
import type { TrainedBefore } from '../step/fit.js';
import { reading } from './reading.js';
import { readTensor, type StoredTensor, safetensorsHeader } from './safetensors.js';
import { sha256OfFile } from './sha256-of-file.js';
import { lastOf, pathTo } from './tensor-tree.js';

/** Of the names and the header of the file. */
export const FORMAT = 1;

/** Which model of a job, as the file names them. */
export type StoredModel = 'fusion' | { readonly unimodal: string };
/** The parameters of which epoch; of unimodal models there are those of the best alone. */
export type StoredEpoch = 'best' | 'last';

/** The names that lead to the parameters of a model. */
const placeOf = (model: StoredModel, epoch: StoredEpoch): string[] =>
	model === 'fusion' ? ['fusion', epoch] : ['unimodal', model.unimodal];

/** What decides which rows of a dataset a model was trained on. */
export type TrainedRows = { readonly dataset_sha256: string; readonly seed: number; readonly validation_fraction: number };
export const trainedRowsOf = ({ training }: JobSpec, dataset: Dataset): TrainedRows => ({
	dataset_sha256: dataset.profile.sha256,
	seed: training.seed,
	validation_fraction: training.validation_fraction,
});

/** What the file says beside its tensors: how long the fusion model was trained, the slots of its optimizer, and by which rows. */
export type Header = TrainedBefore & { readonly format: number; readonly slots: readonly string[]; readonly rows: TrainedRows };

/** What another job has kept of its training. */
export type TrainingState = {
	readonly sha256: string;
	readonly before: TrainedBefore;
	readonly slots: readonly string[];
	readonly rows: TrainedRows;
	/** The shapes of the parameters of a model, by their names; empty where the job had no such model. */
	shapes(model: StoredModel, epoch: StoredEpoch): ReadonlyMap<string, readonly number[]>;
	/** Reads those of the parameters of a model that are `wanted`. */
	read(model: StoredModel, epoch: StoredEpoch, wanted: ReadonlySet<string>): ReadonlyMap<string, Tensor>;
	/** Reads a slot of the optimizer of the fusion model. */
	readSlot(slot: string): ReadonlyMap<string, Tensor>;
};

/** Opens what `keepTrainingState` wrote. Throws ProblemError `job_not_usable` where it is not what this version reads. */
export async function openTrainingState(path: string): Promise<TrainingState> {
	const refuse = (reason: string) =>
		new ProblemError('job_not_usable', `The ${TRAINING_STATE} of the job cannot be read: ${reason}`, 'training.initialise_from');
	const sha256 = await sha256OfFile(path).catch((error: NodeJS.ErrnoException) => {
		throw error.code === 'ENOENT' ? refuse('it is not there') : error;
	});
	let found: ReturnType<typeof safetensorsHeader>;
	try {
		found = reading(path, safetensorsHeader);
	} catch (error) {
		throw error instanceof RangeError ? refuse(error.message) : error;
	}
	const header = JSON.parse(found.metadata['steelyard'] ?? '{}') as Partial<Header>;
	if (header.format !== FORMAT) throw refuse(`it has the format ${String(header.format)}, expected ${FORMAT}`);
	const { epochs, steps, skipped = 0, slots, rows } = header as Header;

	/** What is stored below some names, by the last name of each. */
	const below = (names: readonly string[]): Map<string, StoredTensor> => {
		const prefix = `${pathTo(...names)}/`;
		const inside = [...found.tensors].filter(([name]) => name.startsWith(prefix));
		return new Map(inside.map(([name, tensor]) => [lastOf(name), tensor]));
	};
	const readAll = (tensors: Iterable<[string, StoredTensor]>): Map<string, Tensor> =>
		reading(path, (file) => new Map([...tensors].map(([name, tensor]) => [name, readTensor(file, tensor)])));
	return {
		...{ sha256, slots, rows, before: { epochs, steps, skipped } },
		shapes: (model, epoch) => new Map([...below(placeOf(model, epoch))].map(([name, { shape }]) => [name, shape])),
		read: (model, epoch, wanted) => readAll([...below(placeOf(model, epoch))].filter(([name]) => wanted.has(name))),
		readSlot: (slot) => readAll(below(['fusion', 'slots', slot])),
	};
}
