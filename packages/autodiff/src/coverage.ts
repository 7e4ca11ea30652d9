import { composites, operators } from '@steelyard/onnx';
import { notes, rules, zeros } from './rules/table.js';

/** What differentiation does with an operator. `since` is the operator set in which it first appeared, `note` what one would not expect of an operator of its name. */
export type OperatorCoverage = { operator: string; state: 'differentiable' | 'zero' | 'unsupported'; since: number; note?: string };

const stateOf = (operator: string): OperatorCoverage['state'] => {
	if (Object.hasOwn(zeros, operator)) return 'zero';
	return Object.hasOwn(rules, operator) || Object.hasOwn(composites, operator) ? 'differentiable' : 'unsupported';
};

/** Every operator of the standard ONNX domain and those beside it that are written as others, in the order of their names. The state is `zero` where no gradient flows, as through comparisons and indices. */
export const operatorCoverage = (): OperatorCoverage[] =>
	Object.entries({ ...Object.fromEntries(Object.keys(composites).map((operator) => [operator, 1])), ...operators })
		.map(([operator, since]): OperatorCoverage => {
			const note = notes[operator] ?? composites[operator];
			return { operator, state: stateOf(operator), since, ...(note === undefined ? {} : { note }) };
		})
		.sort((a, b) => (a.operator < b.operator ? -1 : 1));
