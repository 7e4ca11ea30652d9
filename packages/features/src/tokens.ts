/** What a term of text is made of: the same as the graph's tokens, which the operator Tokenizer finds. */
export const TOKEN = "[\\p{L}\\p{N}']+";

const tokens = new RegExp(TOKEN, 'gu');
const capitals = /[A-Z]/;

/** The words of a text. Letters of ASCII alone change case, as the graph's normaliser does in the locale "C", which every machine has. */
export function tokensOf(text: string): string[] {
	const lower = capitals.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
	return lower.match(tokens) ?? [];
}
