/** A key that no other request has. `crypto.randomUUID` is not there where the page comes over plain http from another machine. */
export const idempotencyKey = (): string =>
	[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
