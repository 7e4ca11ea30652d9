import { type Static, Type } from 'typebox';
import { nullable } from './nullable.js';

/** Why a job failed, or why a model was refused. */
export const JobError = Type.Object(
	{
		code: Type.String({ description: 'stable, for programs' }),
		message: Type.String({ description: 'what went wrong and what may help, for people' }),
		param: nullable(Type.String({ description: 'the field of the job that is to blame, such as training.epochs' })),
	},
	{ description: 'what went wrong; null where nothing did' },
);
export type JobError = Static<typeof JobError>;
