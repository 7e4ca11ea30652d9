import type { UploadsPage } from '@steelyard/client';
import { InvalidArgumentError, Option } from 'commander';
import { metadataOption } from './named-texts.js';

/** Reads an option as a time: unix seconds, or a date with or without a time of day, local unless it says otherwise. Commander names the option where it throws. */
export function unixTime(text: string): number {
	// A date alone would be taken for one in Greenwich.
	const ms = /^\d{1,11}$/.test(text) ? Number(text) * 1000 : Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text} 00:00` : text);
	if (ms >= 0) return Math.floor(ms / 1000);
	throw new InvalidArgumentError('Expected unix seconds or a date, such as 2026-11-28 or "2026-11-28 19:43".');
}

/** What the options below are read into. */
export type FindingOptions = { name?: string; metadata?: Record<string, string>; createdAfter?: number; createdBefore?: number };

/** The options by which jobs, datasets and models are found. All that are given must hold. */
export const findingOptions = (): Option[] => [
	new Option('--name <part>', 'list those that have this in their name, in capital or small letters'),
	metadataOption('list those that have exactly this text under this key; may be given several times'),
	new Option('--created-after <time>', 'list those that were made later: unix seconds, or a date such as 2026-11-28').argParser(unixTime),
	new Option('--created-before <time>', 'list those that were made earlier').argParser(unixTime),
];

/** What these options ask for, as the service takes it. */
export const foundBy = ({ name, metadata, createdAfter, createdBefore }: FindingOptions): UploadsPage => ({
	...(name === undefined ? {} : { name }),
	...(metadata === undefined ? {} : { metadata }),
	...(createdAfter === undefined ? {} : { created_after: createdAfter }),
	...(createdBefore === undefined ? {} : { created_before: createdBefore }),
});
