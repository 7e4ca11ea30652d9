import type { Command, Option } from 'commander';

/** A command with more options. */
export const withOptions = (command: Command, options: readonly Option[]): Command =>
	options.reduce((extended, option) => extended.addOption(option), command);
