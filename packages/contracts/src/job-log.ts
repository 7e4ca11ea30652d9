import { type Static, Type } from 'typebox';
import { choice } from './choice.js';

/** How grave a line of the log of a job is. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
/** Who wrote a line of the log of a job. */
export const LOG_SOURCES = ['worker', 'stdout', 'stderr'] as const;

/** A line of the log of a job. */
export const JobLogLine = Type.Object({
	id: Type.String({ description: 'grows within a job: the attempt, and the number of the line in it' }),
	at: Type.Integer({ description: 'unix milliseconds' }),
	attempt: Type.Integer({ description: 'counted from 1' }),
	level: choice(LOG_LEVELS, { description: 'what a trainer writes to stderr is a warning' }),
	source: choice(LOG_SOURCES, {
		description:
			'worker: how the attempt began and ended, what it does, waits for and warns of; else the stream of the trainer that the line comes from',
	}),
	message: Type.String({ description: 'without paths of the machine' }),
});
export type JobLogLine = Static<typeof JobLogLine>;

/** A line as the store keeps it, in the file of its attempt, where its place says which it is. */
export type StoredLogLine = Omit<JobLogLine, 'id' | 'attempt'>;

/** How a client asks for lines of the log of a job. */
export const logQuery = Type.Object(
	{
		limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200, description: 'most lines that the page may have' }),
		after: Type.Optional(
			Type.String({
				pattern: '^[1-9][0-9]{0,8}-[1-9][0-9]{0,8}$',
				description: 'the id of the last line seen; without it the page has the last lines of the log',
			}),
		),
	},
	{ additionalProperties: false },
);
export type LogQuery = Static<typeof logQuery>;
