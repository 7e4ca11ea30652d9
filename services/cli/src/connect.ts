import { type Client, createClient } from '@steelyard/client';
import type { Command } from 'commander';

export type Globals = { url: string; json: boolean };

/** The options that every command has, and a client of the service that they name. */
export function connected(command: Command): Globals & { client: Client } {
	const globals = command.optsWithGlobals<Globals>();
	const apiKey = process.env['STEELYARD_API_KEY'];
	return { ...globals, json: globals.json ?? false, client: createClient({ url: globals.url, ...(apiKey ? { apiKey } : {}) }) };
}
