import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

/** What a job that succeeded may warn of, and when it does. */
export const WARNINGS = {
	evaluation_failed:
		'The trained model cannot be run over a split, which then has no metrics; the model and all other splits are complete.',
} as const;
export type WarningCode = keyof typeof WARNINGS;
const CODES = Object.keys(WARNINGS) as WarningCode[];

/** Something about a job that succeeded which its user should know before they use the model. */
export const JobWarning = Type.Object({
	code: choice(CODES, { description: 'stable, for programs' }),
	message: Type.String({ description: 'what was found, with its figures, for people' }),
	advice: Type.String({ description: 'what to do about it' }),
	split: Type.Optional(Type.String({ description: 'the split that it was found in' })),
	row: Type.Optional(Type.Integer({ description: 'the first row of that split that is to blame, counted from 0' })),
});
export type JobWarning = Static<typeof JobWarning>;
