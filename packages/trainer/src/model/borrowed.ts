import type { Examples } from './examples.js';

/** The same examples with one modality of other rows: example i has the values and the mask of row `donors[i]` of the split. The rows of the examples differ. */
export function withBorrowed(examples: Examples, modality: string, donors: Uint32Array): Examples {
	const { split, rows } = examples;
	const donorOf = Uint32Array.from({ length: split.rows }, (_, row) => row);
	rows.forEach((row, i) => void (donorOf[row] = donors[i] as number));
	const own = split.mask(modality);
	const width = own === null ? 0 : own.length / split.rows;
	const borrowed = own && own.map((_, at) => own[(donorOf[Math.floor(at / width)] as number) * width + (at % width)] as number);
	return {
		...examples,
		split: {
			...split,
			mask: (name) => (name === modality ? borrowed : split.mask(name)),
			gather: (name, wanted, out, offset) =>
				split.gather(name, name === modality ? Uint32Array.from(wanted, (row) => donorOf[row] as number) : wanted, out, offset),
		},
	};
}
