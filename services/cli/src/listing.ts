import type { Client } from '@steelyard/client';
import type { FoundList, ListQuery } from '@steelyard/contracts';
import { type Command, Option } from 'commander';
import { connected } from './connect.js';
import { wholeNumber } from './numbers.js';
import { withOptions } from './options.js';
import { print, table } from './output.js';

/** Most resources that the service gives in one answer. */
const MOST = 100;

/** The most characters of a name in a table. */
const LONGEST = 40;

type ListOptions = { limit: number; after?: string; all?: boolean };

/** How the resources of one kind are listed. `Asked`: what the options of their own are read into. */
export type Listing<T, Asked extends object> = {
	/** What they are called, which is also the name of their group of commands. */
	plural: string;
	heading: readonly string[];
	/** Headings of the columns that a narrow terminal does without, the least important first. */
	optional?: readonly string[];
	/** Options beside those that every list has. */
	options?: readonly Option[];
	row(resource: T, asked: Asked): readonly string[];
	page(client: Client, query: ListQuery, asked: Asked): Promise<FoundList<T>>;
};

/** The columns of a table but one. */
const without = (rows: readonly (readonly string[])[], column: number): (readonly string[])[] =>
	rows.map((row) => row.filter((_, i) => i !== column));

/** The rows as a table that is no wider than the terminal, as far as leaving out the optional columns helps. */
function tableWithin(columns: number, rows: readonly (readonly string[])[], optional: readonly string[]): string {
	const text = table(rows);
	const [least, ...others] = optional;
	if (least === undefined || text.split('\n').every((line) => line.length <= columns)) return text;
	const place = rows[0]?.indexOf(least) ?? -1;
	return tableWithin(columns, without(rows, place), others);
}

/** A name for a cell of a table, cut where it is long; nothing where there is none. */
export const nameText = (name = ''): string => (name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name);

/** The rows without a column of names where nothing has a name. */
function withoutNames(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
	const [heading = [], ...others] = rows;
	const place = heading.indexOf('name');
	return place < 0 || others.some((row) => row[place] !== '') ? rows : without(rows, place);
}

/** Every resource, in the order of the pages. */
async function allOf<T extends { id: string }>(page: (query: ListQuery) => Promise<FoundList<T>>): Promise<T[]> {
	const all: T[] = [];
	for (let after: string | undefined; ; ) {
		const { data, next } = await page({ limit: MOST, ...(after === undefined ? {} : { after }) });
		all.push(...data);
		if (next === null) return all;
		after = next;
	}
}

/** Adds the command `list` to a group: the first resources as a table or as JSON, and on stderr how to see more. */
export function listCommand<T extends { id: string }, Asked extends object = object>(
	group: Command,
	{ plural, heading, optional = [], options = [], row, page }: Listing<T, Asked>,
): void {
	const list = group
		.command('list')
		.description(`list ${plural}, the newest first`)
		.option('--limit <count>', `how many to list, 1 to ${MOST}`, wholeNumber(1, MOST), 20)
		.option('--after <id>', `list those that follow after this one`)
		.addOption(new Option('--all', 'list all of them').conflicts(['limit', 'after']));
	withOptions(list, options).action(async (given: ListOptions & Asked, command: Command) => {
		const { client, json } = connected(command);
		const { limit, after, all = false } = given;
		const found = all
			? { data: await allOf((query) => page(client, query, given)), next: null }
			: await page(client, { limit, ...(after === undefined ? {} : { after }) }, given);
		const columns = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
		const rows = withoutNames([heading, ...found.data.map((resource) => row(resource, given))]);
		const isAsked = options.some((option) => (given as Record<string, unknown>)[option.attributeName()] !== undefined);
		print(
			json,
			found.data,
			found.data.length === 0 ? `There are no ${plural}${isAsked ? ' that fit' : ''}.` : tableWithin(columns, rows, optional),
		);
		if (found.next !== null) process.stderr.write(`There may be more: say the same with --after ${found.next}, or with --all\n`);
	});
}
