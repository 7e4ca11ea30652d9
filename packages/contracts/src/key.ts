import { type Static, Type } from 'typebox';
import { choice } from './choice.js';
import { CLASS_NAME, PROJECT_NAME } from './name-pattern.js';
import { nullable } from './nullable.js';

/** What a key may do, each with what those before it may: look; upload, post, rename, cancel and delete in its project; everything in every project. */
export const SCOPES = ['read', 'train', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Whether what needs `needed` is allowed to a key of the scope `scope`. */
export const mayDo = (scope: Scope, needed: Scope): boolean => SCOPES.indexOf(scope) >= SCOPES.indexOf(needed);

const projectName = (description: string) => Type.String({ pattern: PROJECT_NAME.pattern, description });
const scope = choice(SCOPES, {
	description:
		'read: look at what is in its project; train: also upload, post, rename, cancel and delete there; admin: everything in every project, and keys, retention, metrics and the audit log',
});

/** How a client asks for a new key. */
export const KeyRequest = Type.Object(
	{
		name: Type.String({ pattern: CLASS_NAME.pattern, maxLength: 200, description: 'what it is for, or whose it is; one line' }),
		scope,
		project: Type.Optional(
			projectName(`the project of a key of the scope read or train: ${PROJECT_NAME.description}; a key of the scope admin has none`),
		),
		expires_in_days: Type.Optional(
			Type.Number({ exclusiveMinimum: 0, maximum: 36_500, description: 'after how many days it ends to be valid; never unless given' }),
		),
	},
	{ additionalProperties: false },
);
export type KeyRequest = Static<typeof KeyRequest>;

/** A key of the API, without what makes it secret. */
export const KeyResource = Type.Object({
	id: Type.String({ description: 'key_ and 26 characters' }),
	object: choice(['key'], { description: 'what kind of resource this is' }),
	name: Type.String({ description: 'what it is for, or whose it is' }),
	project: nullable(Type.String({ description: 'the one project in which it is valid; null for every project' })),
	scope,
	prefix: Type.String({ description: 'the beginning of the token, by which it is known again' }),
	created_at: Type.Integer({ description: 'unix seconds' }),
	expires_at: nullable(Type.Integer({ description: 'unix seconds, from which on it is no longer valid; null for never' })),
	last_used_at: nullable(Type.Integer({ description: 'unix seconds, to about a minute; null where it was never used' })),
});
export type KeyResource = Static<typeof KeyResource>;

/** A key that was just made, with the token that is never shown again. */
export const NewKey = Type.Object({
	...KeyResource.properties,
	token: Type.String({ description: 'what clients send as `Authorization: Bearer <token>`; it is shown this once' }),
});
export type NewKey = Static<typeof NewKey>;

/** Who asks, as the service sees it. */
export const CallerResource = Type.Object({
	object: choice(['caller'], { description: 'what kind of answer this is' }),
	key: nullable(Type.String({ description: 'the id of the key; first for STEELYARD_API_KEY; null where none is needed' })),
	name: nullable(Type.String({ description: 'the name of the key; null for STEELYARD_API_KEY and where none is needed' })),
	scope,
	project: Type.String({ description: 'the project that this request works in' }),
	has_webhook: Type.Boolean({ description: 'whether that project has a webhook' }),
	expires_at: nullable(Type.Integer({ description: 'unix seconds; null for never' })),
});
export type CallerResource = Static<typeof CallerResource>;
