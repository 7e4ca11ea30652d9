import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SteelyardError } from '@steelyard/client';

/** Exit codes that scripts can rely on. */
export const EXIT = { done: 0, failed: 1, refused: 2 } as const;

/** What the user gave cannot be used; ends the command with code 2. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
	readonly code = 'usage';
}

/** Checks, before any work is done, that a file can be written where the user wants it. Throws UsageError. */
export async function expectFolderOf(file: string): Promise<void> {
	const folder = dirname(file);
	if (!(await stat(folder).catch(() => null))?.isDirectory()) throw new UsageError(`there is no folder ${folder} to write to`);
}

/** Prints the result of a command: as one line of JSON, or as text. */
export function print(json: boolean, value: unknown, text: string): void {
	process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/** Writes an error to stderr and returns the exit code that it stands for. */
export function report(error: unknown): number {
	if (error instanceof SteelyardError) {
		process.stderr.write(
			`${error.message}${error.status === 0 ? '; is the service running? Start it with "npm start"' : ` (${error.code})`}\n`,
		);
		return error.status >= 400 && error.status < 500 ? EXIT.refused : EXIT.failed;
	}
	if (error instanceof UsageError) {
		process.stderr.write(`${error.message}\n`);
		return EXIT.refused;
	}
	process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
	return EXIT.failed;
}

/** Rows of text whose columns line up. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
}
