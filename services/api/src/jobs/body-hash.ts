import { createHash } from 'node:crypto';

const canonical = (value: unknown): unknown => {
	if (Array.isArray(value)) return value.map(canonical);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([name, inner]) => [name, canonical(inner)]),
	);
};

/** SHA-256, in hex, of a JSON value without regard to the order of its fields: what makes two bodies under one idempotency key the same. */
export const bodyHash = (value: unknown): string =>
	createHash('sha256')
		.update(JSON.stringify(canonical(value)))
		.digest('hex');
