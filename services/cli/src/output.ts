import { SteelyardError } from '@steelyard/client';

/** Exit codes that scripts can rely on. */
export const EXIT = { done: 0, failed: 1, refused: 2 } as const;

/** What the user gave cannot be used; ends the command with code 2. */
export class UsageError extends Error {
	override readonly name = 'UsageError';
	readonly code = 'usage';
}

/** Prints the one JSON value of a command, or its text. */
export function print(json: boolean, value: unknown, text: string): void {
	process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
}

/** Tells an error on stderr and gives the exit code that it stands for. */
export function report(error: unknown): number {
	if (error instanceof SteelyardError) {
		process.stderr.write(
			`${error.message}${error.status === 0 ? '; is the service running? Start it by "npm start"' : ` (${error.code})`}\n`,
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

/** Columns of text, padded to line up; the first row is the heading. */
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
