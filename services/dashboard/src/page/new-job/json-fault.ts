/** Where a text stops being JSON, counted from 1, and what was expected there. */
export type JsonFault = { readonly line: number; readonly column: number; readonly expected: string };

const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

class Stopped extends Error {
	readonly at: number;
	constructor(at: number, expected: string) {
		super(expected);
		this.at = at;
	}
}

/** Says where a text is not JSON; null where it is. What engines say themselves differs, and some give no place. */
export function jsonFault(text: string): JsonFault | null {
	let at = 0;
	const read = (pattern: RegExp): boolean => {
		pattern.lastIndex = at;
		if (!pattern.test(text)) return false;
		at = pattern.lastIndex;
		return true;
	};
	const skip = (): void => void read(SPACE);
	const sign = (one: string): boolean => {
		skip();
		if (text[at] !== one) return false;
		at++;
		return true;
	};
	const stop = (expected: string): never => {
		skip();
		throw new Stopped(at, expected);
	};
	const field = (): void => {
		skip();
		if (!read(STRING)) stop('a name in double quotes');
		if (!sign(':')) stop('a colon');
		value();
	};
	const items = (end: string, item: () => void): void => {
		if (sign(end)) return;
		do item();
		while (sign(','));
		if (!sign(end)) stop(`a comma or ${end}`);
	};
	const value = (): void => {
		skip();
		if (sign('{')) items('}', field);
		else if (sign('[')) items(']', value);
		else if (!read(STRING) && !read(NUMBER) && !read(WORD))
			stop(text[at] === '"' ? 'a text that ends with a double quote in its line' : 'a value');
	};
	try {
		value();
		skip();
		if (at < text.length) stop('nothing more');
		return null;
	} catch (error) {
		if (!(error instanceof Stopped)) throw error;
		const before = text.slice(0, error.at).split('\n');
		return { line: before.length, column: (before.at(-1) as string).length + 1, expected: error.message };
	}
}
