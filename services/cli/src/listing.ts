import type { Client } from '@steelyard/client';
import type { List, ListQuery } from '@steelyard/contracts';
import { type Command, Option } from 'commander';
import { connected } from './connect.js';
import { wholeNumber } from './numbers.js';
import { print, table } from './output.js';

/** Most resources that the service gives in one answer. */
const MOST = 100;

type ListOptions = { limit: number; after?: string; all?: boolean };

/** How the resources of one kind are listed. */
export type Listing<T> = {
	/** What they are called, which is also the name of their group of commands. */
	plural: string;
	heading: readonly string[];
	/** Headings of the columns that a narrow terminal does without, the least important first. */
	optional?: readonly string[];
	row(resource: T): readonly string[];
	page(client: Client, query: ListQuery): Promise<List<T>>;
};

/** The rows as a table that is no wider than the terminal, as far as leaving out the optional columns helps. */
function tableWithin(columns: number, rows: readonly (readonly string[])[], optional: readonly string[]): string {
	const text = table(rows);
	const [least, ...others] = optional;
	if (least === undefined || text.split('\n').every((line) => line.length <= columns)) return text;
	const place = rows[0]?.indexOf(least);
	return tableWithin(
		columns,
		rows.map((row) => row.filter((_, i) => i !== place)),
		others,
	);
}

/** Every resource, newest first. */
async function allOf<T extends { id: string }>(page: (query: ListQuery) => Promise<List<T>>): Promise<T[]> {
	const all: T[] = [];
	for (;;) {
		const last = all.at(-1);
		const { data, has_more } = await page({ limit: MOST, ...(last && { after: last.id }) });
		all.push(...data);
		if (!has_more || data.length === 0) return all;
	}
}

/** Adds the command `list` to a group: the newest resources as a table or as JSON, and on stderr how to see more. */
export function listCommand<T extends { id: string }>(group: Command, { plural, heading, optional = [], row, page }: Listing<T>): void {
	group
		.command('list')
		.description(`list ${plural}, the newest first`)
		.option('--limit <count>', `how many to list, 1 to ${MOST}`, wholeNumber(1, MOST), 20)
		.option('--after <id>', `list those that are older than this one`)
		.addOption(new Option('--all', 'list all of them').conflicts(['limit', 'after']))
		.action(async ({ limit, after, all = false }: ListOptions, command: Command) => {
			const { client, json } = connected(command);
			const list = all
				? { data: await allOf((query) => page(client, query)), has_more: false }
				: await page(client, { limit, ...(after === undefined ? {} : { after }) });
			const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
			const rows = [heading, ...list.data.map(row)];
			print(json, list.data, list.data.length === 0 ? `There are no ${plural}.` : tableWithin(columns, rows, optional));
			if (list.has_more) process.stderr.write(`There are more: steelyard ${plural} list --after ${list.data.at(-1)?.id}, or --all\n`);
		});
}
