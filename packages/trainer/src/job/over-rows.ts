import { ProblemError } from '@steelyard/contracts';
import { RuntimeError } from '@steelyard/runtime';
import type { Examples } from '../model/examples.js';

/** A model that cannot be run over a split, or gives numbers for it that are not finite. */
export class EvaluationError extends ProblemError {
	/** Name of the examples. */
	readonly split: string;
	/** The first row to blame, in the file of the split; null where the runtime fails over many rows and over none of them alone. */
	readonly row: number | null;

	constructor({ name, split, rows }: Examples, place: number | null, reason: string) {
		const row = place === null ? null : (rows[place] as number);
		const where = row === null ? `the split ${split.name}` : `row ${row} (counted from 0) of the split ${split.name}`;
		super('training_failed', `the model cannot judge ${where}: ${reason}`, 'dataset');
		this.split = name;
		this.row = row;
	}
}

const places = (start: number, end: number): Uint32Array => Uint32Array.from({ length: end - start }, (_, i) => start + i);

/** The first of `count` places that fails when it is run alone, found by halving what fails; null where it takes several to fail. */
async function failingPlace(count: number, fails: (part: Uint32Array) => Promise<boolean>): Promise<number | null> {
	let [start, end] = [0, count];
	while (end - start > 1) {
		const middle = Math.floor((start + end) / 2);
		if (await fails(places(start, middle))) end = middle;
		else if (await fails(places(middle, end))) start = middle;
		else return null;
	}
	return start;
}

export type RowChecks = {
	/** 1 for the examples whose outputs count; null for all. */
	readonly counted: Uint8Array | null;
	/** Whether outputs of which none is finite pass: a model that diverges gives such, whatever the rows. */
	readonly mayDiverge: boolean;
};

/**
 * What a model makes of all examples: `run` takes their places, in order, and `outputs` gives N rows of numbers. Throws EvaluationError, with the first row to
 * blame, where the runtime fails or an output is not finite.
 */
export async function overRows<T>(
	examples: Examples,
	run: (part: Uint32Array) => Promise<T>,
	outputs: (made: T) => Float32Array,
	{ counted, mayDiverge }: RowChecks = { counted: null, mayDiverge: false },
): Promise<T> {
	const count = examples.rows.length;
	const isFailure = (error: unknown): error is RuntimeError => error instanceof RuntimeError && error.code === 'run_failed';
	const fails = async (part: Uint32Array): Promise<boolean> => {
		try {
			await run(part);
			return false;
		} catch (error) {
			if (isFailure(error)) return true;
			throw error;
		}
	};
	let made: T;
	try {
		made = await run(places(0, count));
	} catch (error) {
		if (!isFailure(error)) throw error;
		throw new EvaluationError(examples, await failingPlace(count, fails), error.message);
	}
	const numbers = outputs(made);
	const width = numbers.length / count;
	const bad = numbers.findIndex((value, at) => !Number.isFinite(value) && counted?.[Math.floor(at / width)] !== 0);
	if (bad === -1 || (mayDiverge && !numbers.some(Number.isFinite))) return made;
	throw new EvaluationError(examples, Math.floor(bad / width), `its output there is ${numbers[bad]}, expected a finite number`);
}
