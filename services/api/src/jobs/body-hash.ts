import { createHash } from 'node:crypto';

/** The value with the fields of every object in alphabetical order. */
const canonical = (value: unknown): unknown => {
	if (Array.isArray(value)) return value.map(canonical);
	if (typeof value !== 'object' || value === null) return value;
	return Object.fromEntries(
		Object.entries(value)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([name, inner]) => [name, canonical(inner)]),
	);
};

/** The SHA-256 of a JSON value in hexadecimal. The order of fields does not matter. Two bodies under one idempotency key are the same if their hashes are. */
export const bodyHash = (value: unknown): string =>
	createHash('sha256')
		.update(JSON.stringify(canonical(value)))
		.digest('hex');
