import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { JobResource } from './job.js';

/** What changes a list of the jobs of a project. */
export const JobListChange = Type.Union(
	[
		Type.Object(
			{ type: choice(['changed']), job: JobResource },
			{ description: 'a job is new, or has changed: what it is now, as lists show it, without `bytes`' },
		),
		Type.Object({ type: choice(['deleted']), id: Type.String({ description: 'of the job' }) }, { description: 'a job was deleted' }),
		Type.Object(
			{ type: choice(['reset']) },
			{ description: 'the list is to be loaded now: a stream begins, or what changed before cannot be told any more' },
		),
	],
	{ description: 'what changes a list of the jobs of a project' },
);
export type JobListChange = Static<typeof JobListChange>;
