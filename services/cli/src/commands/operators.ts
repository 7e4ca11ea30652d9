import { type OperatorCoverage, operatorCoverage } from '@steelyard/autodiff';
import type { Command } from 'commander';
import { print, table } from '../output.js';

export function operators(program: Command): void {
	program
		.command('operators')
		.description('every ONNX operator, and whether models with it can be trained')
		.action((_options: unknown, command: Command) => {
			const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
			const coverage: ReadonlyArray<OperatorCoverage & { note?: string }> = operatorCoverage();
			const rows = coverage.map(({ operator, state, since, note = '' }) => [operator, state, String(since), note]);
			print(json, coverage, table([['operator', 'state', 'since opset', 'note'], ...rows]));
		});
}
