import { EventEmitter } from 'node:events';

/** A terminal of a width, or with `null` a pipe. It applies the few escape sequences that are written to it, and breaks long lines when it becomes narrower. */
export class Terminal extends EventEmitter {
	isTTY: boolean;
	columns: number;
	/** Rows that are shown; a row that goes on in the next one says so. */
	rows: Array<{ text: string; goesOn: boolean }> = [{ text: '', goesOn: false }];
	row = 0;
	column = 0;
	written = '';

	constructor(columns: number | null) {
		super();
		this.isTTY = columns !== null;
		this.columns = columns ?? 0;
	}

	write(text: string): boolean {
		this.written += text;
		// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal understands begins with the escape character
		for (const [part, count, letter] of text.matchAll(/\u001b\[(\d*)([A-Z])|[\s\S]/gu)) this.#apply(part, Number(count || 1), letter);
		return true;
	}

	#apply(part: string, count: number, letter: string | undefined): void {
		const current = this.rows[this.row] as { text: string; goesOn: boolean };
		if (letter === 'A') this.row = Math.max(0, this.row - count);
		else if (letter === 'K') Object.assign(current, { text: '', goesOn: false });
		else if (letter === 'G') this.column = count - 1;
		else if (letter !== undefined) throw new Error(`the terminal does not know ${JSON.stringify(part)}`);
		else if (part === '\n') {
			this.rows[++this.row] ??= { text: '', goesOn: false };
			this.column = 0;
		} else {
			if (this.isTTY && this.column >= this.columns) throw new Error(`a line is wider than ${this.columns} columns: ${current.text}`);
			current.text = current.text.slice(0, this.column).padEnd(this.column) + part + current.text.slice(this.column + 1);
			this.column++;
		}
	}

	resize(columns: number): void {
		const lines: string[] = [];
		this.rows.slice(0, this.row + 1).forEach(({ text }, i) => {
			if (this.rows[i - 1]?.goesOn) lines.push((lines.pop() as string) + text);
			else lines.push(text);
		});
		this.columns = columns;
		this.rows = lines.flatMap((line) => {
			const parts = line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? [''];
			return parts.map((text, i) => ({ text, goesOn: i < parts.length - 1 }));
		});
		this.row = this.rows.length - 1;
		this.column = this.rows.at(-1)?.text.length ?? 0;
		this.emit('resize');
	}

	get shown(): string[] {
		return this.rows.map(({ text }) => text).filter((text) => text !== '');
	}
}
