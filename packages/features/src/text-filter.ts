/** Bits of the filter, a power of 2: thirteen for each of 20,000 texts. */
const BITS = 2 ** 18;

/** A hash of the characters of a text (FNV-1a), as a place among the bits. */
function placeOf(text: string): number {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return (hash ^ (hash >>> 15)) & (BITS - 1);
}

/** Tells of most texts that they are none of some others, from little memory that the processor has at hand: a Bloom filter of one hash. */
export class TextFilter {
	readonly #bits = new Uint8Array(BITS / 8);

	constructor(texts: Iterable<string>) {
		for (const text of texts) {
			const place = placeOf(text);
			this.#bits[place >>> 3] = (this.#bits[place >>> 3] as number) | (1 << (place & 7));
		}
	}

	/** Whether the text may be one of them; one of them always may. */
	mayHave(text: string): boolean {
		const place = placeOf(text);
		return ((this.#bits[place >>> 3] as number) & (1 << (place & 7))) !== 0;
	}
}
