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
	row(resource: T): readonly string[];
	page(client: Client, query: ListQuery): Promise<List<T>>;
};

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
export function listCommand<T extends { id: string }>(group: Command, { plural, heading, row, page }: Listing<T>): void {
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
			print(json, list.data, list.data.length === 0 ? `There are no ${plural}.` : table([heading, ...list.data.map(row)]));
			if (list.has_more) process.stderr.write(`There are more: steelyard ${plural} list --after ${list.data.at(-1)?.id}, or --all\n`);
		});
}
