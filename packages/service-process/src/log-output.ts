import { writeSync } from 'node:fs';

/**
 * Where a log writes its lines: standard output, in order and at once. A line for which there is no room, on a full disk or in a pipe that nobody empties,
 * is lost and never waited for; the next line that is written tells how many were.
 *
 * @param write writes text and returns how many of its bytes were written
 */
export function logOutput(write: (text: string) => number = (text) => writeSync(1, text)): { write(line: string): void } {
	let lost = 0;
	const isWhole = (text: string): boolean => {
		try {
			return write(text) === Buffer.byteLength(text);
		} catch {
			return false;
		}
	};
	return {
		write(line) {
			// It begins a line of its own: of the last line that was lost a part may have been written.
			const notice = () =>
				`\n${JSON.stringify({ level: 40, time: Date.now(), lost, msg: 'lines before this one could not be written' })}\n`;
			if (isWhole(lost === 0 ? line : notice() + line)) lost = 0;
			else lost++;
		},
	};
}
