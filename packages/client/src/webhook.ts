import type { NewWebhook, WebhookRequest, WebhookResource } from '@steelyard/contracts';
import { type Connection, jsonOf } from './connection.js';

/** The webhook of the project, to which notices of its jobs go that have ended. */
export type Webhook = {
	/** Sets it, with a new secret, which is in this answer alone. */
	set(webhook: WebhookRequest): Promise<NewWebhook>;
	get(): Promise<WebhookResource>;
	remove(): Promise<void>;
};

export function webhook(connection: Connection): Webhook {
	const path = '/v1/webhook';
	return {
		async set(request) {
			return jsonOf(await connection('PUT', path, { json: request }));
		},
		async get() {
			return jsonOf(await connection('GET', path));
		},
		async remove() {
			await connection('DELETE', path);
		},
	};
}
