import { readFileSync } from 'node:fs';

/** A fixture written by test/oracles/search.py. */
export const fixture = <T>(name: string): T => JSON.parse(readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
