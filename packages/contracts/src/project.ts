import { Type } from 'typebox';
import type { NameRule } from './name-pattern.js';

/** What a project is called: it stands in keys of Redis and in logs. */
export const PROJECT_NAME: NameRule = {
	pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
	description: 'a lower-case letter or digit and at most 62 more of these and -',
};

/** The project of whoever needs no key, of an admin key that names no other one, and of what earlier versions have made. */
export const DEFAULT_PROJECT = 'default';

/** The field of a resource that says whose it is. */
export const ownProject = Type.Optional(
	Type.String({
		description: `the project that it belongs to; not there in what earlier versions made, which belongs to ${DEFAULT_PROJECT}`,
	}),
);

/** The project that a resource belongs to. */
export const projectOf = ({ project = DEFAULT_PROJECT }: { project?: string }): string => project;
