import { type Static, Type } from 'typebox';
import { nullable } from './nullable.js';

/** A line of the audit log: a request that was to change something, or that was refused for lack of rights. */
export const AuditLine = Type.Object({
	id: Type.String({ description: 'grows from line to line: the month, and the numbers of the file and of the line in it' }),
	at: Type.Integer({ description: 'unix milliseconds, when the answer was given' }),
	request: Type.String({ description: 'the id of the request, as in x-request-id and in the logs' }),
	key: nullable(
		Type.String({ description: 'the id of the key; first for STEELYARD_API_KEY; null where none was sent, or one that is not valid' }),
	),
	name: nullable(Type.String({ description: 'the name of the key' })),
	project: nullable(Type.String({ description: 'the project that the request worked in; null where it was refused before' })),
	method: Type.String(),
	operation: nullable(
		Type.String({ description: 'the operationId, or the path where the operation has none; null where there is no such path' }),
	),
	resource: nullable(Type.String({ description: 'the id of what it was about, or of what it made' })),
	status: Type.Integer({ description: 'the HTTP status of the answer; 499 where the client left before' }),
	address: Type.String({ description: 'of the client, or of the proxy in front' }),
});
export type AuditLine = Static<typeof AuditLine>;

/** How a client asks for lines of the audit log. */
export const auditQuery = Type.Object(
	{
		limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'most lines that the page may have' }),
		after: Type.Optional(
			Type.String({
				pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{6}-[1-9][0-9]{0,8}$',
				description: 'the id of the last line seen; older ones follow',
			}),
		),
	},
	{ additionalProperties: false },
);
export type AuditQuery = Static<typeof auditQuery>;
