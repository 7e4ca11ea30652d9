import { clearLine, cursorTo, moveCursor } from 'node:readline';

/** Gives a line of at most so many columns. */
export type Line = (columns: number) => string;

/** The last line of an output, which changes while a job runs. */
export type LiveLine = {
	/** Replaces the live line. */
	draw(line: Line): void;
	/** Writes a line that stays, above the live one. */
	print(line: Line): void;
	/** Removes the live line and stops following the width of the window. */
	close(): void;
};

const DEFAULT_COLUMNS = 80;

/**
 * A live line on a terminal. It is drawn over in place, and drawn again when the window changes its width. Lines are at least one column narrower than
 * the window, so that none wraps. When the window becomes narrower, the terminal itself breaks the line that it shows over several rows: all of them are
 * cleared before the line is drawn again.
 */
export function liveLine(stream: NodeJS.WriteStream): LiveLine {
	let live: Line | null = null;
	/** Length of what the terminal shows as the live line. */
	let shown = 0;
	const columns = (): number => stream.columns || DEFAULT_COLUMNS;
	const textOf = (line: Line): string => line(columns() - 1);
	/** Row by row: some terminals take the clearing of all that is below for that of a screen, and keep a copy in their history. */
	const erase = (): void => {
		const rows = Math.ceil(shown / columns());
		for (let row = rows; row >= 1; row--) {
			clearLine(stream, 0);
			if (row > 1) moveCursor(stream, 0, -1);
		}
		if (rows > 0) cursorTo(stream, 0);
		shown = 0;
	};
	const redraw = (): void => {
		erase();
		const text = live === null ? '' : textOf(live);
		stream.write(text);
		shown = text.length;
	};
	stream.on('resize', redraw);
	return {
		draw(line) {
			live = line;
			redraw();
		},
		print(line) {
			erase();
			stream.write(`${textOf(line)}\n`);
			redraw();
		},
		close() {
			stream.off('resize', redraw);
			live = null;
			redraw();
		},
	};
}
