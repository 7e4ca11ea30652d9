/** Numbers that are kept together, so that none of them is copied while more come. */
const BLOCK = 2 ** 16;

/** Numbers of which nobody knows beforehand how many there will be. */
export class Growing<A extends Float64Array | Int32Array | Uint8Array> {
	/** Whole blocks, before the last one. */
	readonly #blocks: A[] = [];
	#last: A;
	/** How many numbers the last block has. */
	#filled: number;
	length: number;

	/** `array` is where it begins; it is used up. */
	constructor(array: A) {
		this.#last = array;
		this.#filled = array.length;
		this.length = array.length;
	}

	#newArray(length: number): A {
		return new (this.#last.constructor as new (length: number) => A)(length);
	}

	push(value: number): void {
		if (this.#filled === this.#last.length) {
			this.#blocks.push(this.#last);
			this.#last = this.#newArray(BLOCK);
			this.#filled = 0;
		}
		this.#last[this.#filled++] = value;
		this.length++;
	}

	/** The numbers so far, in an array that later ones do not change. */
	get values(): A {
		if (this.#blocks.length === 0 && this.#filled === this.#last.length) return this.#last;
		const all = this.#newArray(this.length);
		let at = 0;
		for (const block of this.#blocks) {
			all.set(block as never, at);
			at += block.length;
		}
		all.set(this.#last.subarray(0, this.#filled) as never, at);
		this.#blocks.length = 0;
		this.#last = all;
		this.#filled = all.length;
		return all;
	}
}
