/** A text that is no key. The message says what a key must be. */
export class InvalidKeyError extends Error {
	override readonly name = 'InvalidKeyError';
	readonly code = 'invalid_key';
	readonly key: string;

	constructor(key: string, expected: string) {
		super(`${JSON.stringify(key)} is not a key: ${expected}`);
		this.key = key;
	}
}

/** The most bytes of one name, which file systems set. */
const LONGEST_NAME = 255;

/** Splits a key into its names. Throws InvalidKeyError. */
export function namesOf(key: string): string[] {
	const names = key.split('/');
	for (const name of names) {
		if (name === '') throw new InvalidKeyError(key, 'names may not be empty');
		if (name.startsWith('.')) throw new InvalidKeyError(key, 'names may not begin with a dot');
		// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
		if (/[\u0000-\u001f\u007f\\]/.test(name)) throw new InvalidKeyError(key, 'names may not hold backslashes or control characters');
		if (Buffer.byteLength(name) > LONGEST_NAME) throw new InvalidKeyError(key, `names have at most ${LONGEST_NAME} bytes`);
	}
	return names;
}
