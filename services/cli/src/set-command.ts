import type { Client } from '@steelyard/client';
import type { UploadChange } from '@steelyard/contracts';
import type { Command } from 'commander';
import { connected } from './connect.js';
import { changeOf, type Renaming, renamingOptions } from './named-texts.js';
import { withOptions } from './options.js';
import { print, UsageError } from './output.js';

type Setting<T> = {
	/** Whether it may have no name at all. */
	mayBeNameless?: boolean;
	/** `isNameless`: whether its name is to go. */
	update(client: Client, id: string, change: UploadChange, isNameless: boolean): Promise<T>;
	text(resource: T): string;
};

/** Adds the command `set` to a group, which changes the name and the metadata of one of its resources. `what`: what that is called. */
export function setCommand<T>(group: Command, what: string, { mayBeNameless = false, update, text }: Setting<T>): void {
	const setting = group.command(`set <${what}>`).description(`change the name or the metadata of one ${what}`);
	withOptions(setting, renamingOptions(mayBeNameless)).action(async (id: string, options: Renaming, command: Command) => {
		const change = changeOf(options);
		const isNameless = options.name === false;
		if (Object.keys(change).length === 0 && !isNameless)
			throw new UsageError(`nothing to change was given; expected --name, --metadata or --remove-metadata`);
		const { client, json } = connected(command);
		const changed = await update(client, id, change, isNameless);
		print(json, changed, text(changed));
	});
}
