import type { Retention } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { print, table } from '../output.js';
import { bytesText } from '../units.js';

/** What was removed, or would be: a line for each, and the sums. */
function retentionText({ dry_run, jobs, orphans }: Retention): string {
	const sum = ({ count, bytes, first }: { count: number; bytes: number; first: readonly unknown[] }, one: string, many: string) =>
		`${count} ${count === 1 ? one : many} of ${bytesText(bytes)} ${dry_run ? 'would be' : count === 1 ? 'was' : 'were'} removed${first.length < count ? `; these are the first ${first.length}` : ''}`;
	return [
		sum(jobs, 'job that has ended', 'jobs that have ended'),
		...(jobs.count === 0
			? []
			: [table(jobs.first.map(({ id, reason, bytes }) => [`  ${id}`, `over the limit of ${reason}`, bytesText(bytes)]))]),
		sum(orphans, 'leftover of an interrupted process', 'leftovers of interrupted processes'),
		...(orphans.count === 0 ? [] : [table(orphans.first.map(({ key, bytes }) => [`  ${key}`, bytesText(bytes)]))]),
	].join('\n');
}

export function retention(command: Command): void {
	command
		.option('--dry-run', 'only show what would be removed')
		.action(async ({ dryRun = false }: { dryRun?: boolean }, command: Command) => {
			const { client, json } = connected(command);
			const found = await client.retention({ dryRun });
			print(json, found, retentionText(found));
		});
}
