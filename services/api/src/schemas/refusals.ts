import { type ProblemCode, problems } from '@steelyard/contracts';
import { type TUnsafe } from 'typebox';
import { ref } from './components.js';

/** Describes an error answer. No handler returns one, hence the type: it throws a ProblemError. */
type Refusal = { description: string; content: { 'application/problem+json': { schema: TUnsafe<never> } } };
type StatusOf<Code extends ProblemCode> = (typeof problems)[Code]['status'];

const refusal = (description: string): Refusal => ({
	description,
	content: { 'application/problem+json': { schema: ref('Problem') as TUnsafe<never> } },
});

/** Describes the errors that any route may answer with, such as a wrong API key or a Redis that is away. */
export const otherRefusals = refusal('Any other error');

/** Describes the error answers of a route by their status, for the OpenAPI document. */
export function refusals<Code extends ProblemCode>(...codes: Code[]): Record<StatusOf<Code>, Refusal> {
	const described = (status: number): Refusal => {
		const named = codes.filter((code) => problems[code].status === status);
		return refusal(named.map((code) => `\`${code}\``).join(', '));
	};
	const statuses = codes.map((code): StatusOf<Code> => problems[code].status);
	return Object.fromEntries(statuses.map((status) => [status, described(status)])) as Record<StatusOf<Code>, Refusal>;
}
