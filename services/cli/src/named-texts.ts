import type { UploadChange } from '@steelyard/contracts';
import { InvalidArgumentError, Option } from 'commander';

/** Reads one entry of metadata, `key=text`, beside those that came before; Commander names the option and what was found where it throws. */
function entry(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
	const at = text.indexOf('=');
	if (at < 0) throw new InvalidArgumentError('Expected a key, = and a text, such as study=winter.');
	return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Adds a text to those that came before, for an option that may be given several times. */
export const another = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** The option that gives entries of metadata, one each time. */
export const metadataOption = (description: string): Option => new Option('--metadata <key=text>', description).argParser(entry);

/** The options that say what something new is called. */
export const namingOptions = (): Option[] => [
	new Option('--name <name>', 'what to call it'),
	metadataOption('a text to keep with it under a key; may be given several times'),
];
export type Naming = { name?: string; metadata?: Record<string, string> };

/** The options that change what something is called. `mayBeNameless`: whether it may have no name at all. */
export const renamingOptions = (mayBeNameless: boolean): Option[] => [
	new Option('--name <name>', 'what to call it from now on'),
	...(mayBeNameless ? [new Option('--no-name', 'take its name away')] : []),
	metadataOption('a text to keep with it under a key; may be given several times'),
	new Option('--remove-metadata <key>', 'a key to remove with its text; may be given several times').argParser(another),
];
/** Of these, `name` is false for `--no-name`. */
export type Renaming = Omit<Naming, 'name'> & { name?: string | false; removeMetadata?: readonly string[] };

/** What renaming options ask for, as the service takes it, but that the name goes. */
export function changeOf({ name, metadata = {}, removeMetadata = [] }: Renaming): UploadChange {
	const entries = { ...Object.fromEntries(removeMetadata.map((key) => [key, null])), ...metadata };
	return { ...(name === undefined || name === false ? {} : { name }), ...(Object.keys(entries).length === 0 ? {} : { metadata: entries }) };
}

/** A text without what a terminal would take for orders. */
export const plain = (text: string): string =>
	text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A row with metadata to read, such as `study=winter, ward=3`; none where there are none. */
export function metadataRow(metadata: Readonly<Record<string, string>>): [string, string][] {
	const entries = Object.entries(metadata).map(([key, text]) => plain(`${key}=${text}`));
	return entries.length === 0 ? [] : [['metadata', entries.join(', ')]];
}
