import { DEFAULT_PROJECT, PROJECT_NAME, ProblemError, type Scope } from '@steelyard/contracts';
import type { FastifyRequest } from 'fastify';
import type { KeyRecord } from './keys.js';

/** The key id of STEELYARD_API_KEY. */
export const FIRST_KEY = 'first';
/** The header by which who is allowed every project names the one to work in. */
export const PROJECT_HEADER = 'steelyard-project';

/** Who sent a request. */
export type Caller = {
	/** The id of the key, `first` for STEELYARD_API_KEY; null where none is needed. */
	key: string | null;
	name: string | null;
	scope: Scope;
	/** The project that the request works in. */
	project: string;
	/** Unix seconds; null for never. */
	expires_at: number | null;
};

const anywhere = (key: string | null): Caller => ({ key, name: null, scope: 'admin', project: DEFAULT_PROJECT, expires_at: null });

/** What matters of a caller to those who look something up: the project that it works in. */
export type InProject = Pick<Caller, 'project'>;

/** Whoever reaches a service that needs no key. */
export const NOBODY: Caller = anywhere(null);
/** Whoever has STEELYARD_API_KEY. */
export const FIRST: Caller = anywhere(FIRST_KEY);

/** Whoever has a key. */
export const ownerOf = ({ id, name, scope, project, expires_at }: KeyRecord): Caller => ({
	key: id,
	name,
	scope,
	project: project ?? DEFAULT_PROJECT,
	expires_at,
});

/** What a key has to be allowed for a route: what the route says, else by its method. */
export const scopeOf = (own: Scope | undefined, method: string): Scope => own ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'train');

const PROJECT = new RegExp(PROJECT_NAME.pattern);

/** The caller in the project that a request names by its header. Throws ProblemError. */
export function workingIn(caller: Caller, asked: string | string[] | undefined): Caller {
	if (asked === undefined) return caller;
	const project = String(asked);
	if (!PROJECT.test(project))
		throw new ProblemError('invalid_request', `Steelyard-Project must be ${PROJECT_NAME.description}`, PROJECT_HEADER);
	if (caller.scope !== 'admin' && project !== caller.project)
		throw new ProblemError('forbidden', `The key is valid in the project ${caller.project} alone, not in ${project}`, PROJECT_HEADER);
	return { ...caller, project };
}

/** Who sent a request to a route that is not open. */
export function callerOf({ caller, url }: Pick<FastifyRequest, 'caller' | 'url'>): Caller {
	if (caller === null) throw new Error(`${url} has no caller`);
	return caller;
}
