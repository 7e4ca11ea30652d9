const SPACE = /\s/;
const LAST_OF_ASCII = 127;

/** Whether a character is one of those that `\\s` stands for. */
const isSpace = (code: number): boolean =>
	code <= LAST_OF_ASCII ? code === 32 || (code >= 9 && code <= 13) : code >= 160 && SPACE.test(String.fromCharCode(code));

/** How many words a text has that neither begins nor ends in a space: the parts between runs of spaces. */
export function wordsOf(text: string): number {
	let words = 1;
	let inSpace = false;
	for (let i = 0; i < text.length; i++) {
		const isHere = isSpace(text.charCodeAt(i));
		if (isHere && !inSpace) words++;
		inSpace = isHere;
	}
	return words;
}
