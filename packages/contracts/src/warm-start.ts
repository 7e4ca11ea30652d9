import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { idPattern } from './id.js';

const JOB = { pattern: idPattern('job'), description: 'id of a job of the project that has succeeded' };

/** What a job begins with instead of numbers that are drawn. */
export const WarmStart = Type.Object(
	{
		job: Type.String(JOB),
		parameters: Type.Optional(
			choice(['best', 'last'], {
				description: 'of which epoch: best (unless given), whose model was exported, or last, after which training ended',
			}),
		),
		optimizer: Type.Optional(
			Type.Boolean({
				description:
					'whether training goes on, with the state of the optimizer and the orders of rows and random numbers that come next; with last only, and where every parameter fits; false unless given',
			}),
		),
	},
	{ additionalProperties: false },
);
export type WarmStart = Static<typeof WarmStart>;

/** A warm start by the id of the job alone, or as an object. */
export const warmStartSchema = (description: string) => Type.Union([Type.String(JOB), WarmStart], { description });

/** A warm start with all that it leaves out; null where there is none. */
export function warmStartOf({ initialise_from: given }: { initialise_from?: string | WarmStart }): Required<WarmStart> | null {
	if (given === undefined) return null;
	return { parameters: 'best', optimizer: false, ...(typeof given === 'string' ? { job: given } : given) };
}

/** What a job that succeeded keeps for jobs that begin with its parameters. */
export const KEPT_STATES = ['optimizer', 'parameters', 'none'] as const;
export type KeptState = (typeof KEPT_STATES)[number];

/** The artifact that holds it. */
export const TRAINING_STATE = 'training-state.safetensors';

/** What a job keeps, by what it was told. */
export const keptStateOf = ({ keep_state: given = 'optimizer' }: { keep_state?: KeptState }): KeptState => given;
