import { type Client, createClient } from '@steelyard/client';
import type { Command } from 'commander';
import { UsageError } from './output.js';

export type Globals = { url: string; project?: string; json: boolean };

/** The options that every command has, and a client of the service at `--url`. Throws UsageError where that is not an HTTP address. */
export function connected(command: Command): Globals & { client: Client } {
	const globals = command.optsWithGlobals<Globals>();
	if (!URL.canParse(globals.url) || !/^https?:$/.test(new URL(globals.url).protocol))
		throw new UsageError(`"${globals.url}" is not the address of a service; expected one such as http://127.0.0.1:8080`);
	const apiKey = process.env['STEELYARD_API_KEY'];
	const options = { url: globals.url, ...(apiKey ? { apiKey } : {}), ...(globals.project ? { project: globals.project } : {}) };
	return { ...globals, json: globals.json ?? false, client: createClient(options) };
}
