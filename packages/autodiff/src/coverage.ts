import { operators } from '@steelyard/onnx';
import { rules, zeros } from './rules/table.js';

/** What differentiation does with an operator. `since`: the operator set in which it first appeared. */
export type OperatorCoverage = { operator: string; state: 'differentiable' | 'zero' | 'unsupported'; since: number };

/** Every operator of the standard ONNX domain by name, with its state: `zero` where no gradient flows, as through comparisons and indices. */
export const operatorCoverage = (): OperatorCoverage[] =>
	Object.entries(operators)
		.map(([operator, since]): OperatorCoverage => {
			const state = Object.hasOwn(rules, operator) ? 'differentiable' : Object.hasOwn(zeros, operator) ? 'zero' : 'unsupported';
			return { operator, state, since };
		})
		.sort((a, b) => (a.operator < b.operator ? -1 : 1));
