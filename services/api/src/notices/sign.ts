import { createHmac, randomBytes } from 'node:crypto';

const BEGINNING = 'whsec_';

/** A new secret: 192 random bits in base64, as Standard Webhooks writes secrets. */
export const newWebhookSecret = (): string => `${BEGINNING}${randomBytes(24).toString('base64')}`;

/** What is signed. `timestamp`: unix seconds. */
export type Signed = { id: string; timestamp: number; body: string };

/** The headers of a message by Standard Webhooks 1.0.0: its id, its time, and HMAC-SHA256 of `id.timestamp.body` with the bytes of the secret. */
export function signatureHeaders(secret: string, { id, timestamp, body }: Signed): Record<string, string> {
	const key = Buffer.from(secret.slice(BEGINNING.length), 'base64');
	const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
	return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${signature}` };
}
