import { readFileSync } from 'node:fs';

/** Version of the trainer: part of what a model's bytes depend on. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
	.version;
