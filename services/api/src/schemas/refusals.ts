import { type ProblemCode, problems } from '@steelyard/contracts';
import { type TUnsafe } from 'typebox';
import { ref } from './components.js';

/** Describes an error answer. No handler returns one, hence the type: it throws a ProblemError. */
type Refusal = { description: string; content: { 'application/problem+json': { schema: TUnsafe<never> } } };
type StatusOf<Code extends ProblemCode> = (typeof problems)[Code]['status'];

/** Describes the error answers of a route by their status, for the OpenAPI document. */
export function refusals<Code extends ProblemCode>(...codes: Code[]): Record<StatusOf<Code>, Refusal> {
	const schema = ref('Problem') as TUnsafe<never>;
	const described = (status: number): Refusal => ({
		description: codes
			.filter((code) => problems[code].status === status)
			.map((code) => `\`${code}\``)
			.join(', '),
		content: { 'application/problem+json': { schema } },
	});
	const statuses = codes.map((code): StatusOf<Code> => problems[code].status);
	return Object.fromEntries(statuses.map((status) => [status, described(status)])) as Record<StatusOf<Code>, Refusal>;
}
