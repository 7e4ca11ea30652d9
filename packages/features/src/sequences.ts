import type { Cell } from '@steelyard/table';

/** What the lists of a column are: of up to `steps` steps, each a number, or a list of `features` numbers; `features` is null where it is a number. */
export type SequenceForm = { readonly steps: number; readonly features: number | null };

/** Where a list is no sequence, such as "step 3", what was expected there, and what was found. */
export type ListFault = { readonly at: string; readonly expected: string; readonly found: string };

/** The text of a value in a message. */
const shown = (item: Cell): string =>
	typeof item === 'object' && item !== null ? `a list of ${item.length}` : JSON.stringify(item)?.slice(0, 60);

/** What is wrong with a value that stands for a number; null for a number that float32 holds. */
function numberFault(item: Cell, at: string): ListFault | null {
	if (typeof item !== 'number') return { at, expected: 'a number', found: shown(item) };
	if (Number.isFinite(Math.fround(item))) return null;
	return { at, expected: Number.isFinite(item) ? 'a number in the range of float32' : 'a finite number', found: String(item) };
}

/** The first step of a list that is not what steps are: a number, or a list of `features` numbers. */
export function listFault(list: readonly Cell[], features: number | null): ListFault | null {
	const expected = features === 0 ? 'a list of one number or more' : `a list of ${features}, as steps before are`;
	for (const [step, item] of list.entries()) {
		const at = `step ${step}`;
		if (features === null) {
			const fault = numberFault(item, at);
			if (fault !== null) return fault;
			continue;
		}
		if (typeof item !== 'object' || item === null || item.length !== features || features === 0)
			return { at, expected, found: shown(item) };
		for (const [place, inner] of item.entries()) {
			const fault = numberFault(inner, `${at}, number ${place}`);
			if (fault !== null) return fault;
		}
	}
	return null;
}

/** The numbers of a step of lists that begin with this one; null where a step is one number. */
export const featuresOf = ([first]: readonly Cell[]): number | null => (typeof first === 'object' && first !== null ? first.length : null);

/** What the lists of a column are like. Empty ones, which say nothing, are not among them. */
export class ListScan {
	count = 0;
	least = Number.POSITIVE_INFINITY;
	most = 0;
	/** The first row that has the most. */
	mostRow = -1;
	/** The numbers of a step that is a list, by the first one; null where a step is a number. */
	features: number | null = null;
	/** The first thing that keeps them from being sequences, or, of numbers that may be missing, vectors. */
	sequenceFault: (ListFault & { row: number }) | null = null;
	vectorFault: (ListFault & { row: number }) | null = null;
	#total = 0;

	add(list: readonly Cell[], row: number): void {
		if (this.count === 0) this.features = featuresOf(list);
		this.count++;
		this.#total += list.length;
		this.least = Math.min(this.least, list.length);
		if (list.length > this.most) [this.most, this.mostRow] = [list.length, row];
		if (this.sequenceFault === null) {
			const fault = listFault(list, this.features);
			if (fault !== null) this.sequenceFault = { ...fault, row };
		}
		if (this.vectorFault === null) {
			const place = list.findIndex((item) => item !== null && typeof item !== 'number');
			if (place >= 0) this.vectorFault = { at: `number ${place}`, expected: 'a number', found: shown(list[place] as Cell), row };
		}
	}

	get mean(): number {
		return this.#total / Math.max(1, this.count);
	}
}
