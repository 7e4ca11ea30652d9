import type { Usage } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { print, table } from '../output.js';
import { bytesText, countText } from '../units.js';

const usageText = ({ disk, datasets, models, jobs, temporary, project }: Usage): string =>
	table([
		['', 'count', 'size'],
		['datasets', countText(datasets.count), bytesText(datasets.bytes)],
		['models', countText(models.count), bytesText(models.bytes)],
		['jobs', countText(jobs.count), `${bytesText(jobs.bytes)}, of which checkpoints ${bytesText(jobs.checkpoint_bytes)}`],
		[
			`of ${project.name}`,
			countText(project.datasets.count + project.models.count + project.jobs.count),
			`${bytesText(project.bytes)}: datasets ${bytesText(project.datasets.bytes)}, models ${bytesText(project.models.bytes)}, jobs ${bytesText(project.jobs.bytes)}`,
		],
		['temporary', countText(temporary.count), bytesText(temporary.bytes)],
		[
			'disk',
			'',
			`${bytesText(disk.total_bytes)}, of which free ${bytesText(disk.free_bytes)}, kept for running jobs ${bytesText(disk.reserved_bytes)}`,
		],
	]);

export function usage(command: Command): void {
	command.action(async (_options: unknown, command: Command) => {
		const { client, json } = connected(command);
		const found = await client.usage();
		print(json, found, usageText(found));
	});
}
