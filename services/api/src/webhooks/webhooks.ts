import { type NewWebhook, NOTIFIED_OF, type WebhookRequest, type WebhookResource } from '@steelyard/contracts';
import { readRecord, type Store, webhookKeys } from '@steelyard/store';
import { newWebhookSecret } from '../notices/sign.js';
import { createExclusive } from '../resources/exclusive.js';

/** The webhooks of projects, one of each at most. */
export type Webhooks = {
	/** Sets the webhook of a project, with a new secret, which is in this answer alone. */
	set(project: string, request: WebhookRequest): Promise<NewWebhook>;
	find(project: string): Promise<WebhookResource | null>;
	/** Takes it away; resolves with false where there is none. */
	remove(project: string): Promise<boolean>;
};

/** The webhooks of a store. The secret stands in it as it is: signing takes it. */
export function createWebhooks(store: Store): Webhooks {
	const exclusive = createExclusive();
	const read = (project: string): Promise<NewWebhook | null> => readRecord(store, webhookKeys.record(project));

	return {
		set: (project, { url, on }) =>
			exclusive(project, async () => {
				// Of one that is changed, jobs that ended before the change are told of as well.
				const created_at = (await read(project))?.created_at ?? Math.floor(Date.now() / 1000);
				const webhook: NewWebhook = {
					object: 'webhook',
					project,
					url: url ?? null,
					on: on ?? [...NOTIFIED_OF],
					created_at,
					secret: newWebhookSecret(),
				};
				await store.put(webhookKeys.record(project), JSON.stringify(webhook));
				return webhook;
			}),

		async find(project) {
			const found = await read(project);
			if (found === null) return null;
			const { secret: _, ...webhook } = found;
			return webhook;
		},

		remove: (project) =>
			exclusive(project, async () => {
				if ((await read(project)) === null) return false;
				await store.remove(webhookKeys.record(project));
				return true;
			}),
	};
}
