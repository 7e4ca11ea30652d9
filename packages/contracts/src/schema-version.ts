import { ProblemError } from './problems.js';

/**
 * The version of the schemas of what the service keeps: jobs, datasets, models, sweeps, keys. It grows where an older version of the service could no longer do
 * the right thing with a record, and only then: a field that may be left unread needs no new number. A record says its version as `schema_version`, and one that
 * says nothing is of version 1.
 */
export const SCHEMA_VERSION = 1;

/** A record that a newer version of the service has written. This process leaves it as it is: one of that version may be at work beside it. */
export class NewerRecordError extends ProblemError {
	constructor(what: string, found: unknown) {
		super(
			'unavailable',
			`${what} was written by a newer version of Steelyard: its schema_version is ${String(found)}, and this process knows those up to ${SCHEMA_VERSION}. It is left as it is; ask a process of the newer version`,
		);
	}
}

/** Gives a record back that this version knows. Throws NewerRecordError, in which `what` names it. */
export function knownRecord<T extends object>(record: T, what: string): T {
	const { schema_version: version = 1 } = record as { schema_version?: unknown };
	if (!(typeof version === 'number' && version <= SCHEMA_VERSION)) throw new NewerRecordError(what, version);
	return record;
}

/** For a `catch`: null in place of a record of a newer version, which a list leaves out. Throws every other error again. */
export function nullWhereNewer(error: unknown): null {
	if (error instanceof NewerRecordError) return null;
	throw error;
}
