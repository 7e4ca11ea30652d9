import { type JobResult, ProblemError, TRAINING_STATE, type WarmStart } from '@steelyard/contracts';
import type { Architecture } from '../model/architecture.js';
import type { Beginning, TrainedBefore } from '../step/fit.js';
import type { Prepared } from './prepare.js';
import type { StoredModel, TrainedRows, TrainingState } from './training-state.js';
import { membersOf, nameOf } from './unimodal-members.js';

/** With what the models of a job begin. */
export type Initialisation = {
	/** The training that the fusion model goes on from. */
	readonly before: TrainedBefore;
	/** What a model begins with; `drawn` is what it would have without another job, of which nothing is changed. */
	readonly of: (model: StoredModel, architecture: Architecture, drawn: ReadonlyMap<string, ArrayLike<number>>) => Beginning;
	/** What the result tells of it; null where no other job is named. */
	readonly told: NonNullable<JobResult['initialised']> | null;
	/** Of the file that it is read from; null where there is none. */
	readonly sha256: string | null;
};

/** Without another job. */
const AS_DRAWN: Initialisation = {
	before: { epochs: 0, steps: 0 },
	of: (_model, _architecture, values) => ({ values, slots: new Map() }),
	told: null,
	sha256: null,
};

const PARAM = 'training.initialise_from';
/** The most names of a list in a result. */
const MOST_NAMES = 100;

const refuse = (detail: string): ProblemError => new ProblemError('job_not_usable', detail, PARAM);
const sameShape = (a: readonly number[], b: readonly number[] | undefined): boolean => a.join() === b?.join();

/** The parameters and running statistics of a model by the names under which they are kept: those that another job has in the same shape, and the others. */
function fitting({ parameters, running, storedName }: Architecture, kept: ReadonlyMap<string, readonly number[]>) {
	const all = [...parameters, ...running].map(({ name, shape }) => ({ name: storedName(name), shape }));
	const taken = all.filter(({ name, shape }) => sameShape(shape, kept.get(name))).map(({ name }) => name);
	const known = new Set(taken);
	return {
		taken,
		anew: all.flatMap(({ name }) => (known.has(name) ? [] : [name])),
		left: [...kept.keys()].filter((name) => !known.has(name)),
	};
}
type Fitting = ReturnType<typeof fitting>;

/** The numbers of an uploaded graph that stay as they are uploaded are not such that the other job trained: the encoder that it found would silently be another. */
function checkFrozen({ graphFile }: Prepared, { left }: Fitting, kept: ReadonlyMap<string, readonly number[]>): void {
	const frozen = left.find((name) => {
		const uploaded = graphFile?.model.graph.initializers.get(name);
		return uploaded !== undefined && sameShape(uploaded.shape, kept.get(name));
	});
	if (frozen !== undefined)
		throw refuse(
			`The job trained "${frozen}", which this job keeps as it was uploaded; train it, or upload the trained graph of that job as a model and freeze it there`,
		);
}

type ModelToBegin = { readonly stored: StoredModel; readonly architecture: Architecture; readonly shown: string };

/** Every model of a job, and what its parameters are called in a result. */
function modelsOf(prepared: Prepared, fusion: Architecture, unimodal: readonly Architecture[]): ModelToBegin[] {
	const members = unimodal.length === 0 ? [] : membersOf(prepared);
	return [
		{ stored: 'fusion', architecture: fusion, shown: '' },
		...members.map((member) => {
			const name = nameOf(member);
			return { stored: { unimodal: name }, architecture: unimodal[member.m] as Architecture, shown: `unimodal.${name}/` };
		}),
	];
}

/** Whether two jobs trained by the same rows, and so cut them into the same folds. */
const sameRows = (a: TrainedRows, b: TrainedRows): boolean =>
	a.dataset_sha256 === b.dataset_sha256 && a.seed === b.seed && a.validation_fraction === b.validation_fraction;

/**
 * What the models of a job begin with: for each parameter and running statistic the numbers that another job has kept under the same name in the same shape, else
 * those that they would have without. A model of one fold is taken only where both jobs cut the same rows into folds: else it would judge rows that it was trained
 * on. Throws ProblemError `job_not_usable` where nothing fits, where the optimizer is to go on and not everything fits, and where the job would leave out what the
 * other one trained.
 */
export function initialisationOf(
	start: Required<WarmStart> | null,
	state: TrainingState | null,
	rows: TrainedRows,
	{ prepared, fusion, unimodal }: { prepared: Prepared; fusion: Architecture; unimodal: readonly Architecture[] },
): Initialisation {
	if (start === null) return AS_DRAWN;
	if (state === null) throw refuse(`The ${TRAINING_STATE} of ${start.job} is not there`);
	const { parameters: epoch, optimizer } = start;
	const hasFolds = prepared.weigher.models > 1;
	const shapesOf = (model: StoredModel) =>
		model !== 'fusion' && hasFolds && !sameRows(state.rows, rows) ? new Map<string, number[]>() : state.shapes(model, epoch);
	const models = modelsOf(prepared, fusion, unimodal).map((model) => {
		const kept = shapesOf(model.stored);
		const fits = fitting(model.architecture, kept);
		checkFrozen(prepared, fits, kept);
		return { ...model, fits };
	});
	const of = (key: keyof Fitting): string[] => models.flatMap(({ fits, shown }) => fits[key].map((name) => `${shown}${name}`));
	const ofFusion = (models[0] as (typeof models)[number]).fits;
	if (ofFusion.taken.length === 0)
		throw refuse(`No parameter of ${start.job} has the name and the shape of one of this model, whose first is "${ofFusion.anew[0]}"`);
	if (optimizer && ofFusion.anew.length > 0)
		throw refuse(
			`The optimizer of ${start.job} can go on only where every parameter fits, and it has none for "${ofFusion.anew[0]}" (${ofFusion.anew.length} such in all); leave ${PARAM}.optimizer out`,
		);
	const counted = { taken: of('taken'), anew: of('anew'), left: of('left') };
	return {
		before: optimizer ? state.before : AS_DRAWN.before,
		sha256: state.sha256,
		of(model, architecture, drawn) {
			const { storedName } = architecture;
			const fits = fitting(architecture, shapesOf(model));
			const found = state.read(model, epoch, new Set(fits.taken));
			const byOwnName = (numbers: (name: string) => ArrayLike<number>) => new Map([...drawn.keys()].map((name) => [name, numbers(name)]));
			const values = byOwnName(
				(name) => (found.get(storedName(name))?.data as Float32Array | undefined) ?? (drawn.get(name) as ArrayLike<number>),
			);
			if (!optimizer || model !== 'fusion') return { values, slots: new Map() };
			const slots = state.slots.map((slot) => {
				const numbers = state.readSlot(slot);
				return [
					slot,
					new Map(architecture.parameters.map(({ name }) => [name, numbers.get(storedName(name))?.data as Float32Array])),
				] as const;
			});
			return { values, slots: new Map(slots) };
		},
		told: {
			from: start.job,
			...{ parameters: epoch, optimizer },
			...{ taken: counted.taken.length, taken_names: counted.taken.slice(0, MOST_NAMES) },
			...{ anew: counted.anew.length, anew_names: counted.anew.slice(0, MOST_NAMES) },
			...{ left: counted.left.length, left_names: counted.left.slice(0, MOST_NAMES) },
		},
	};
}
