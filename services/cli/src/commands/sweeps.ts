import type { SweepRequest, SweepResource } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { jsonFrom } from '../json-file.js';
import { listCommand, nameText } from '../listing.js';
import { print } from '../output.js';
import { sweepLine, sweepText } from '../sweep-text.js';
import { timeText } from '../units.js';
import { watchSweep } from '../watch-sweep.js';

export function sweeps(group: Command): void {
	group
		.command('create <spec>')
		.description('create the sweep that a JSON file describes; - reads the file from standard input')
		.option('--watch', 'show the sweep until it ends; exits with 1 where it fails')
		.action(async (file: string, { watch = false }: { watch?: boolean }, command: Command) => {
			const { client, json } = connected(command);
			const sweep = await client.sweeps.create(await jsonFrom<SweepRequest>(file));
			if (watch) process.exitCode = await watchSweep(client, sweep, json);
			else print(json, sweep, sweepText(sweep));
		});
	listCommand<SweepResource>(group, {
		plural: 'sweeps',
		heading: ['id', 'name', 'created', 'status'],
		optional: ['created', 'name'],
		row: (sweep) => [sweep.id, nameText(sweep.spec.name), timeText(sweep.created_at), sweepLine(sweep)],
		page: (client, query) => client.sweeps.list(query),
	});
	group
		.command('show <sweep>')
		.alias('get')
		.description('show one sweep: its best trials, and how much each dimension matters')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const sweep = await client.sweeps.get(id);
			print(json, sweep, sweepText(sweep));
		});
	group
		.command('watch <sweep>')
		.description('show a sweep until it ends; exits with 1 where it fails')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			process.exitCode = await watchSweep(client, await client.sweeps.get(id), json);
		});
	for (const [name, description] of [
		['pause', 'start no more trials of a sweep; those that wait or run go on'],
		['resume', 'let a paused sweep go on'],
		['cancel', 'end a sweep and cancel its jobs'],
	] as const)
		group
			.command(`${name} <sweep>`)
			.description(description)
			.action(async (id: string, _options: unknown, command: Command) => {
				const { client, json } = connected(command);
				const sweep = await client.sweeps[name](id);
				print(json, sweep, sweepText(sweep));
			});
	group
		.command('remove <sweep>')
		.alias('delete')
		.description('delete a sweep that has ended; its jobs stay')
		.action(async (id: string, _options: unknown, command: Command) => {
			const { client, json } = connected(command);
			const sweep = await client.sweeps.get(id);
			await client.sweeps.remove(id);
			print(json, sweep, `removed ${id}; its jobs stay`);
		});
}
