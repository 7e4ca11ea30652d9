import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { JobResource } from './job.js';
import { NOTIFIED_OF, Notify, noticeUrl } from './notify.js';
import { nullable } from './nullable.js';
import { ownProject } from './project.js';

const on = Notify.properties.on;

/** How a client sets the webhook of a project. */
export const WebhookRequest = Type.Object(
	{
		url: Type.Optional(noticeUrl('where notices of the jobs of the project go that have no `notify` of their own; nowhere unless given')),
		on,
	},
	{ additionalProperties: false },
);
export type WebhookRequest = Static<typeof WebhookRequest>;

export const WebhookResource = Type.Object({
	object: choice(['webhook'], { description: 'what kind of resource this is' }),
	project: ownProject,
	url: nullable(Type.String({ description: 'where notices go of jobs that have no `notify` of their own; null for nowhere' })),
	on: Type.Array(choice(NOTIFIED_OF), { description: 'which ends it tells of' }),
	created_at: Type.Integer({ description: 'unix seconds; of jobs that ended before nothing is told' }),
});
export type WebhookResource = Static<typeof WebhookResource>;

export const NewWebhook = Type.Object({
	...WebhookResource.properties,
	secret: Type.String({
		description:
			'by which all notices of the project are signed: `whsec_` and base64; shown in this answer alone, and another after each change',
	}),
});
export type NewWebhook = Static<typeof NewWebhook>;

/** The body of a notice. */
export const JobNotice = Type.Object({
	type: choice(['job.succeeded', 'job.failed', 'job.cancelled'], { description: 'what happened' }),
	timestamp: Type.String({ description: 'when the job ended, as ISO 8601' }),
	data: Type.Object({ job: JobResource }, { description: 'the job as lists show it' }),
});
export type JobNotice = Static<typeof JobNotice>;
