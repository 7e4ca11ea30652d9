/** Numbers of which nobody knows beforehand how many there will be. */
export class Growing<A extends Float64Array | Int32Array | Uint8Array> {
	#array: A;
	length = 0;

	/** `array` is where it begins; it is used up. */
	constructor(array: A) {
		this.#array = array;
	}

	push(value: number): void {
		if (this.length === this.#array.length) {
			const larger = new (this.#array.constructor as new (length: number) => A)(Math.max(1024, this.length * 2));
			larger.set(this.#array as never);
			this.#array = larger;
		}
		this.#array[this.length++] = value;
	}

	/** The numbers so far, in an array that later ones may change. */
	get values(): A {
		return this.#array.subarray(0, this.length) as A;
	}
}
