import { isForeign, operators } from '@steelyard/onnx';
import { describe, expect, it } from 'vitest';
import { operatorCoverage, rules, zeros } from '../src/index.js';

describe('the coverage of operators', () => {
	it('knows every operator that has a rule, and none twice', () => {
		const unknown = [...Object.keys(rules), ...Object.keys(zeros)].filter(
			(operator) => !isForeign(operator) && !Object.hasOwn(operators, operator),
		);
		expect(unknown).toEqual([]);
		expect(Object.keys(rules).filter((operator) => Object.hasOwn(zeros, operator))).toEqual([]);
	});

	it('says what differentiation does with each', () => {
		const states = new Map(operatorCoverage().map(({ operator, state }) => [operator, state]));
		expect([states.get('Tanh'), states.get('Greater'), states.get('MaxRoiPool')]).toEqual(['differentiable', 'zero', 'unsupported']);
		expect(operatorCoverage().find(({ operator }) => operator === 'Tanh')).toEqual({ operator: 'Tanh', state: 'differentiable', since: 1 });
		expect(operatorCoverage().find(({ operator }) => operator === 'Round')?.note).toMatch(/straight-through/);
	});

	it('stands in OPERATORS.md; `npx vitest run --project unit packages/autodiff -u` writes it anew', async () => {
		const coverage = operatorCoverage();
		const count = (state: string) => coverage.filter((one) => one.state === state).length;
		const rows = coverage.map(({ operator, state, since, note = '' }) => `| ${operator} | ${state} | ${since} | ${note} |`);
		const table = [
			'# Operators',
			'',
			`${count('differentiable')} can be differentiated, through ${count('zero')} no gradient flows, ${count('unsupported')} are refused by name.`,
			'',
			'| operator | state | since opset | note |',
			'| --- | --- | --- | --- |',
			...rows,
			'',
		].join('\n');
		await expect(table).toMatchFileSnapshot('../OPERATORS.md');
	});
});
