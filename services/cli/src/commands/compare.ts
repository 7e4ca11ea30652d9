import type { Command } from 'commander';
import { compare, comparisonText, MOST_COMPARED } from '../comparison.js';
import { connected } from '../connect.js';
import { print, UsageError } from '../output.js';

/** Columns where standard output is no terminal. */
const COLUMNS = 80;

export function compareJobs(command: Command): void {
	command.argument('<job...>', `ids of jobs, 2 to ${MOST_COMPARED}`).action(async (ids: string[], _options: unknown, command: Command) => {
		if (ids.length < 2 || ids.length > MOST_COMPARED)
			throw new UsageError(`2 to ${MOST_COMPARED} jobs can be compared, and ${ids.length === 1 ? 'one was' : `${ids.length} were`} given`);
		const { client, json } = connected(command);
		const comparison = compare(await Promise.all(ids.map((id) => client.jobs.get(id))));
		print(json, comparison, comparisonText(comparison, process.stdout.isTTY ? process.stdout.columns : COLUMNS));
	});
}
