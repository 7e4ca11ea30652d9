import { labelsOfRows, stratifyByLabels } from './stratify-labels.js';

/**
 * Chooses units of rows, of which there are at least two, to be held out: 1 for each that is, else 0. About the `share` (in (0, 1)) of all rows, and of the rows of each
 * label, is held out; at least one unit is held out and one is not; and no label has all its rows held out, where units allow it. The arguments are those of
 * `stratifyByLabels`.
 */
export function cutByLabels(units: readonly (readonly number[])[], flags: ArrayLike<number>, labels: number, share: number): Uint8Array {
	const held = stratifyByLabels(units, flags, labels, [1 - share, share]);
	const labelsOf = units.map((unit) => labelsOfRows(unit, flags, labels));
	const kept = new Float64Array(labels); // rows of a label that are not held out
	const keepUnit = (u: number): void => {
		held[u] = 0;
		for (const label of labelsOf[u] as number[]) kept[label] = (kept[label] as number) + 1;
	};
	held.forEach((out, u) => {
		if (out === 0) keepUnit(u);
	});
	held.forEach((out, u) => {
		if (out === 1 && labelsOf[u]?.some((label) => kept[label] === 0)) keepUnit(u);
	});

	const all = units.map((_, u) => u);
	const smallest = (some: readonly number[]): number =>
		some.reduce((a, b) => ((units[b] as readonly number[]).length < (units[a] as readonly number[]).length ? b : a));
	if (!held.includes(1)) {
		const spare = all.filter((u) => [...countsOf(labelsOf[u] as number[])].every(([label, count]) => count < (kept[label] as number)));
		held[smallest(spare.length > 0 ? spare : all)] = 1;
	} else if (!held.includes(0)) held[smallest(all)] = 0;
	return held;
}

function countsOf(names: readonly number[]): Map<number, number> {
	const counts = new Map<number, number>();
	for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
	return counts;
}
