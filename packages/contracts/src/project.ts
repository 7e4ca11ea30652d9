import { Type } from 'typebox';

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
