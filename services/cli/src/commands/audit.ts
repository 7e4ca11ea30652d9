import type { AuditLine } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from '../connect.js';
import { wholeNumber } from '../numbers.js';
import { print, table } from '../output.js';
import { timeText } from '../units.js';

const rowOf = ({ at, key, name, project, operation, method, resource, status, address }: AuditLine): string[] => [
	timeText(Math.floor(at / 1000)),
	name ?? key ?? '-',
	project ?? '-',
	operation ?? method,
	resource ?? '-',
	String(status),
	address,
];

export function audit(command: Command): void {
	command
		.option('--limit <count>', 'how many lines to show, 1 to 1000', wholeNumber(1, 1000), 50)
		.option('--after <id>', 'show those that are older than this one')
		.action(async ({ limit, after }: { limit: number; after?: string }, command: Command) => {
			const { client, json } = connected(command);
			const { data, has_more } = await client.audit({ limit, ...(after === undefined ? {} : { after }) });
			const rows = [['time', 'key', 'project', 'what', 'of', 'status', 'from'], ...data.map(rowOf)];
			print(json, data, data.length === 0 ? 'Nothing was logged yet.' : table(rows));
			if (has_more) process.stderr.write(`There are more: steelyard audit --after ${data.at(-1)?.id}\n`);
		});
}
