import { operatorCoverage } from '@steelyard/autodiff';
import type { Command } from 'commander';
import { print, table } from '../output.js';

export function operators(command: Command): void {
	command.action((_options: unknown, command: Command) => {
		const { json = false } = command.optsWithGlobals<{ json?: boolean }>();
		const coverage = operatorCoverage();
		const rows = coverage.map(({ operator, state, since, note = '' }) => [operator, state, String(since), note]);
		print(json, coverage, table([['operator', 'state', 'since opset', 'note'], ...rows]));
	});
}
