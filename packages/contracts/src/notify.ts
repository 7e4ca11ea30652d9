import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { nullable } from './nullable.js';

/** The ends of a job that a notice can tell of. */
export const NOTIFIED_OF = ['succeeded', 'failed', 'cancelled'] as const;

/** An address that notices are posted to. It has no user and no password, which everybody who reads the job would see. */
export const noticeUrl = (description: string) =>
	Type.String({ pattern: '^https?://[^\\s/?#@\\\\]{1,260}([/?#][^\\s]{0,1780})?$', maxLength: 2048, description });

/** Where a notice goes when a job has ended. */
export const Notify = Type.Object(
	{
		url: noticeUrl('an address of http or https, without user and password'),
		on: Type.Optional(
			Type.Array(choice(NOTIFIED_OF), {
				minItems: 1,
				maxItems: NOTIFIED_OF.length,
				uniqueItems: true,
				description: 'which ends it tells of; all unless given',
			}),
		),
	},
	{
		additionalProperties: false,
		description: 'where a notice is posted when the job has ended, in place of the webhook of its project, whose secret signs it',
	},
);
export type Notify = Static<typeof Notify>;

/** How far the notice of the end of a job has come. */
export const Notified = Type.Object(
	{
		state: choice(['pending', 'delivered', 'given_up'], { description: 'pending: it is tried again' }),
		attempts: Type.Integer({ description: 'how often it was posted' }),
		last_attempt_at: Type.Integer({ description: 'unix seconds' }),
		next_attempt_at: nullable(Type.Integer({ description: 'unix seconds; null where there is none' })),
		error: nullable(Type.String({ description: 'why the last attempt failed' })),
	},
	{ description: 'the notice of its end; not there where none was tried' },
);
export type Notified = Static<typeof Notified>;
